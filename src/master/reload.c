/* SPDX-License-Identifier: ISC */
/*
 * The reload: all or nothing, in the same process.
 *
 *	SIGHUP -> preflight (a child, master/preflight.c) checks, opens, builds; we serve on
 *	       -> it is ready: we stand still, save our state, and get a plan and a state for the
 *	          next master from it
 *	       -> exec of the next begat-master, which adopts children and listeners and says READY
 *
 * Until the exec nothing of ours has changed, so a failure is a message and we go on.  After it the
 * next master has all that it needs in descriptors; when it cannot even start it executes us again,
 * by descriptor, with the old plan and the state that we have saved (begat-master.c).  Signals stay
 * blocked throughout: those that come meanwhile wait for whoever serves then.
 *
 * At the limit of descriptors a reload may be what is needed most: a few are held in reserve for
 * it, and while it runs the soft limit is the hard one.
 */
#include "config.h"

#include "master/reload.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "master/descriptors.h"
#include "master/notify.h"
#include "master/preflight.h"
#include "master/serving.h"
#include "plan/launch.h"
#include "report/log.h"

#define RESERVE	       12
#define STAND_STILL_MS 2000

static struct {
	const struct plan *plan;
	struct legacy *legacy;
	bool running;
	int reserve[RESERVE];
	struct rlimit limit; /* of descriptors, as it is between reloads */
} reload;

static void take_reserve(void)
{
	for (int i = 0; i < RESERVE; i++)
		if (reload.reserve[i] < 0)
			reload.reserve[i] = fd_park(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void give_reserve(void)
{
	for (int i = 0; i < RESERVE; i++) {
		if (reload.reserve[i] >= 0)
			(void)close(reload.reserve[i]); /* /dev/null */
		reload.reserve[i] = -1;
	}
}

/* Where there is no room now, the next reload has that much less. */
void reload_init(const struct plan *plan, struct legacy *legacy)
{
	reload.plan = plan;
	reload.legacy = legacy;
	for (int i = 0; i < RESERVE; i++)
		reload.reserve[i] = -1;
	take_reserve();
}

static void make_room(void)
{
	struct rlimit most;

	give_reserve();
	if (getrlimit(RLIMIT_NOFILE, &reload.limit) < 0)
		return; /* then it stays as it is */
	most = reload.limit;
	most.rlim_cur = most.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &most); /* up to the hard limit anybody may */
}

static void undo_room(void)
{
	if (reload.limit.rlim_max)
		(void)setrlimit(RLIMIT_NOFILE, &reload.limit); /* down anybody may */
	take_reserve();
}

static void tell_reloading(void)
{
	char message[64];

	snprintf(message, sizeof(message), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)(clock_now_ns() / 1000));
	notify_send(message);
}

static void tell_failed(void)
{
	char message[LEGACY_TEXT + 64];

	snprintf(message, sizeof(message), "READY=1\nSTATUS=reload failed: %s",
		 reload.legacy->last_failure);
	notify_send(message);
}

/* What begatd has said is more than how it ended. */
static void count_failure(const char *why, const char *detail)
{
	struct legacy *legacy = reload.legacy;

	log_line(LOG_ERR, "reload failed: %s; going on with the old configuration", why);
	legacy->reloads.failed++;
	legacy->reloads.last_s = time(NULL);
	strlcpy(legacy->last_failure, detail[0] ? detail : why, sizeof(legacy->last_failure));
	tell_failed();
}

static void fail(const char *why)
{
	preflight_stop();
	undo_room();
	count_failure(why, preflight_message());
	reload.running = false;
	if (reload.legacy->reload_again)
		reload_request();
}

static void fail_errno(const char *what)
{
	char why[128];

	snprintf(why, sizeof(why), "%s: %m", what);
	fail(why);
}

/* Exactly what the next master needs, and what it would need to come back here. */
static int list_descriptors(const struct state *state, const struct launch *launch,
			    struct descriptors *list)
{
	size_t nparts;
	const int *parts = preflight_parts(&nparts);

	if (descriptors_list(reload.plan, state, nparts + 1, list) < 0)
		return -1;
	for (size_t i = 0; i < nparts; i++)
		descriptors_add(list, parts[i]);
	descriptors_add(list, launch->talk_fd);
	return 0;
}

/* Returns only when it cannot, with errno, and then nothing has changed. */
static void become(const struct state *state, int master_fd, const struct launch *launch)
{
	struct descriptors list;
	int error;

	if (list_descriptors(state, launch, &list) < 0)
		return;
	if (descriptors_set_cloexec(&list, false) == 0)
		(void)launch_master(master_fd, launch);
	error = errno;
	(void)descriptors_set_cloexec(&list, true); /* those that failed are not open */
	descriptors_fini(&list);
	errno = error;
}

/* begatd has the state, and sends what the next master starts with. */
static void finish(const struct state *state, int master_fd)
{
	struct launch launch = {
		.talk_fd = preflight_talk_fd(),
		.back = { reload.plan->global.master_fd, state->plan_fd, state->state_fd },
	};
	const char *why;

	if (preflight_receive_plan(STAND_STILL_MS, &launch.plan_fd, &launch.state_fd, &why) < 0) {
		fail(why);
		return;
	}
	become(state, master_fd, &launch);
	fail_errno("begat-master");
}

/* From here on we stand still: nobody is accepted and nobody is reaped until the next master does,
 * or until we know that it will not. */
static void hand_over(void)
{
	size_t nparts;
	const int *parts = preflight_parts(&nparts);
	struct state *state;
	int fd;

	if (nparts == 0) {
		fail("the preflight has sent no begat-master");
		return;
	}
	servings_flush();
	state = legacy_save(reload.legacy, parts, nparts, &fd);
	if (state == NULL) {
		fail_errno("cannot save the state");
		return;
	}
	if (preflight_send_state(reload.plan, state) < 0)
		fail_errno("cannot send the state");
	else
		finish(state, parts[0]);
	state_unmap(state);
	(void)close(fd); /* the next reload saves another */
}

static const struct preflight_events events = { .ready = hand_over, .failed = fail };

static void start(void)
{
	struct state *state;
	int fd, started;

	reload.running = true;
	reload.legacy->reload_again = false;
	preflight_reset();
	tell_reloading();
	make_room();
	state = legacy_save(reload.legacy, NULL, 0, &fd);
	started = state ? preflight_start(reload.plan, state, &events) : -1;
	if (state) {
		state_unmap(state); /* the child has its own */
		(void)close(fd);
	}
	if (started < 0)
		fail_errno("cannot start the preflight");
}

void reload_request(void)
{
	if (reload.running) {
		log_debug("reload", "one is running; another one comes after it");
		reload.legacy->reload_again = true;
		return;
	}
	log_line(LOG_NOTICE, "SIGHUP: reloading");
	start();
}

void reload_abort(void)
{
	if (!reload.running)
		return;
	log_line(LOG_NOTICE, "reload given up: stopping");
	preflight_stop();
	undo_room();
	reload.running = false;
	reload.legacy->reload_again = false;
}

void reload_returned(const char *why)
{
	char text[LEGACY_TEXT];

	snprintf(text, sizeof(text), "the new begat-master: %s", why);
	count_failure(text, "");
}

void reload_succeeded(const struct state *state)
{
	const struct state_summary *summary = &state->summary;

	log_line(LOG_NOTICE, "reload: kept %u, added %u, changed %u, removed %u, generation %u",
		 summary->kept, summary->added, summary->changed, summary->removed,
		 state->generation);
}
