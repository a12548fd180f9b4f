/* SPDX-License-Identifier: ISC */
/*
 * The keeper of a FIFO.
 *
 * A process of the daemon's own user, one for each FIFO.  Every reader shall have a pipe of its
 * own, so there are always two FIFOs: the open one, which has the name, and one that is shut, and
 * takes its place as soon as somebody has found the open one.  What that reader has is then a pipe
 * without a name (worker/pour.h).
 *
 * Where something else has got the name we end, and leave it to the master to try again.  A name
 * that was removed gets its FIFO back, at most every REMAKE_MS.  The temporary name of the shut one
 * can be seen; who opens that has come early, and gets an answer as well.
 *
 * It waits in poll(2), without a timer unless something is under way, and hears nobody but the
 * kernel and the master.
 */
#include "config.h"

#include "worker/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fifo.h"
#include "base/title.h"
#include "worker/lookout.h"
#include "worker/place.h"
#include "worker/pour.h"
#include "worker/spout.h"

#define SPOUTS	   64 /* readers at a time, until they have their workers */
#define SPARE	   3  /* of them: the two, and one that was there before */
#define SETTLE_MS  2  /* for who has just found a FIFO to have opened it, too */
#define ADOPT_MS   20 /* for who has waited for a writer to wake up */
#define REMAKE_MS  100
#define FAILED_MAX 50 /* tries in a row to make a FIFO, REMAKE_MS apart */

static struct {
	const struct worker_task *task;
	int talk_fd;
	struct place place;
	struct lookout lookout;
	struct lookout_mark directory_mark;
	struct spout all[SPOUTS];
	struct spout *open, *shut; /* NULL: there is none */
	bool must_check;	   /* what the name leads to */
	int64_t make_ns, put_ns;   /* not before are they made, and put where nothing is */
	unsigned failed;	   /* times in a row that none could be made */
} keeper;

static void remove_shut(void)
{
	if (keeper.shut == NULL)
		return;
	place_remove_temporary(&keeper.place, keeper.shut);
	spout_free(keeper.shut, &keeper.lookout);
	keeper.shut = NULL;
}

static void remove_open(void)
{
	if (keeper.open)
		spout_remove(keeper.open, keeper.place.directory_fd, keeper.place.name);
}

static void finish(void) __attribute__((noreturn));
static void finish(void)
{
	remove_shut();
	worker_exit(0);
}

static void fail(int error) __attribute__((noreturn));
static void fail(int error)
{
	remove_shut();
	worker_fail(keeper.task, WORKER_STEP_KEEPER, -(long)error);
}

static struct spout *find_free(void)
{
	for (size_t i = 0; i < SPOUTS; i++)
		if (keeper.all[i].stage == SPOUT_FREE)
			return &keeper.all[i];
	return NULL;
}

static bool is_crowded(void)
{
	size_t spare = 0;

	for (size_t i = 0; i < SPOUTS && spare < SPARE; i++)
		spare += keeper.all[i].stage == SPOUT_FREE;
	return spare < SPARE;
}

static int make_shut(void)
{
	struct spout *spout = find_free();

	errno = EAGAIN;
	if (spout == NULL || place_make(&keeper.place, spout, &keeper.lookout) < 0)
		return -1;
	keeper.shut = spout;
	return 0;
}

static int64_t after(int64_t ms)
{
	return clock_now_ns() + ms * NS_IN_MS;
}

/* The shut one has got the name. */
static void open_shut(void)
{
	if (keeper.open)
		pour_begin(keeper.open, SETTLE_MS, clock_now_ns());
	keeper.open = keeper.shut;
	keeper.open->stage = SPOUT_OPEN;
	keeper.shut = NULL;
}

/* One that was left by a keeper before us may have readers who wait for a writer.  They must not be
 * taken for ours, so it loses its name first. */
static void wake_old(struct spout *old, int path_fd)
{
	if (spout_adopt(old, path_fd, &keeper.lookout) == 0)
		pour_begin(old, ADOPT_MS, clock_now_ns());
}

static void start_file(void)
{
	struct spout *old;
	int old_fd;

	if (make_shut() < 0)
		fail(errno);
	/* Of a directory that we may not read nothing is told. */
	(void)lookout_add(&keeper.lookout, keeper.place.directory_fd, true, &keeper.directory_mark);
	old = find_free();
	if (place_look(&keeper.place, old, &old_fd) < 0)
		fail(errno);
	if (place_put(&keeper.place, keeper.shut, old_fd < 0 ? NULL : old) < 0)
		fail(errno);
	open_shut();
	if (old_fd >= 0)
		wake_old(old, old_fd);
}

/* The name may have been taken away from our FIFO, or lead to something else. */
static void check_name(void)
{
	const int at = spout_is_at(keeper.open, keeper.place.directory_fd, keeper.place.name);

	keeper.must_check = false;
	if (at == 1)
		return;
	if (at == 0 || errno != ENOENT)
		fail(at == 0 ? EEXIST : errno);
	pour_begin(keeper.open, SETTLE_MS, clock_now_ns());
	keeper.open = NULL;
}

static void make_another(void)
{
	if (make_shut() == 0) {
		keeper.failed = 0;
		return;
	}
	/* EAGAIN: all are in use, and one of them will be free. */
	if ((errno != EAGAIN && ++keeper.failed == FAILED_MAX) || errno == ENOENT || errno == EROFS)
		fail(errno);
	keeper.make_ns = after(REMAKE_MS);
}

static void put(void)
{
	const bool was_gone = keeper.open == NULL;

	if (place_put(&keeper.place, keeper.shut, keeper.open) == 0) {
		open_shut();
		if (was_gone)
			keeper.put_ns = after(REMAKE_MS);
		return;
	}
	if (errno != ENOENT)
		fail(errno);
	remove_shut(); /* its temporary name is gone, or the directory */
	keeper.make_ns = after(REMAKE_MS);
}

/* When the next step is to be taken towards one that is open and has no reader yet, and one that is
 * shut; INT64_MAX: both are there. */
static int64_t find_due(void)
{
	if (keeper.shut == NULL)
		return keeper.make_ns;
	if (keeper.open == NULL)
		return keeper.put_ns;
	return keeper.open->is_found ? 0 : INT64_MAX;
}

static void tend(void)
{
	if (keeper.must_check && keeper.open)
		check_name();
	while (find_due() <= clock_now_ns()) {
		if (keeper.shut == NULL)
			make_another();
		else
			put();
	}
}

/* Somebody has found it by its temporary name. */
static void give_away_shut(void)
{
	place_remove_temporary(&keeper.place, keeper.shut);
	pour_begin(keeper.shut, SETTLE_MS, clock_now_ns());
	keeper.shut = NULL;
}

/* Who opens and closes before we look leaves one event of both, in whatever order: then it is seen
 * from the pipe whether anybody is there. */
static void count(struct spout *spout, const struct lookout_event *event)
{
	spout->is_found |= event->opened;
	if (spout->has_begun || event->opened == event->closed)
		return;
	if (event->opened)
		spout_count(spout, event->pid);
	else
		spout_uncount(spout, event->pid);
}

static void note(struct spout *spout, const struct lookout_event *event)
{
	if (event->changed && spout == keeper.open)
		keeper.must_check = true;
	count(spout, event);
	if (spout == keeper.shut && spout->is_found)
		give_away_shut();
	else if (spout == keeper.open)
		tend(); /* before anything else: who comes now still finds the same pipe */
}

static void handle(const struct lookout_event *event)
{
	if (event->changed && lookout_is_of(event, &keeper.directory_mark)) {
		remove_open(); /* the path leads elsewhere now */
		fail(ESTALE);
	}
	keeper.must_check |= event->lost;
	if (event->lost && keeper.open)
		keeper.open->is_found = true;
	for (size_t i = 0; i < SPOUTS; i++)
		if (keeper.all[i].stage != SPOUT_FREE &&
		    lookout_is_of(event, &keeper.all[i].mark)) {
			note(&keeper.all[i], event);
			return;
		}
}

static void watch(void)
{
	struct lookout_event event;

	while (!is_crowded() && lookout_next(&keeper.lookout, &event))
		handle(&event);
}

static void change_owner(const char *packet)
{
	memcpy(&keeper.place.owner, packet, sizeof(keeper.place.owner));
	remove_shut();
	if (make_shut() == 0)
		put();
	else if (errno != EAGAIN)
		fail(errno);
	else
		keeper.make_ns =
			after(REMAKE_MS); /* and readers find the one of before until then */
}

static void hear(void)
{
	char packet[1 + sizeof(struct fifo_owner)];
	const ssize_t length = recv(keeper.talk_fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0)
		finish();
	if (packet[0] == KEEPER_REMOVE) {
		remove_open();
		finish();
	}
	if (packet[0] == KEEPER_OWNER && length == sizeof(packet))
		change_owner(packet + 1);
}

static void serve(int64_t now_ns)
{
	for (size_t i = 0; i < SPOUTS; i++)
		if (keeper.all[i].stage >= SPOUT_SETTLES &&
		    !pour_on(&keeper.all[i], keeper.talk_fd, now_ns))
			spout_free(&keeper.all[i], &keeper.lookout);
}

static int find_timeout(void)
{
	int64_t due_ns = find_due();

	if (!is_crowded() && lookout_has_more(&keeper.lookout))
		return 0;
	for (size_t i = 0; i < SPOUTS; i++)
		if (keeper.all[i].stage >= SPOUT_SETTLES && keeper.all[i].due_ns &&
		    keeper.all[i].due_ns < due_ns)
			due_ns = keeper.all[i].due_ns;
	return due_ns == INT64_MAX ? -1 : clock_left_ms(due_ns);
}

/* Its readers, until all have gone, and what it gathers. */
static nfds_t watch_spout(const struct spout *spout, struct pollfd *polled)
{
	if (spout->stage <= SPOUT_SETTLES)
		return 0;
	polled[0] = (struct pollfd){ .fd = spout->fd };
	polled[1] = (struct pollfd){ .fd = spout->answer_fd, .events = POLLIN };
	return 2;
}

static bool is_held_up(const struct spout *spout)
{
	return spout->stage == SPOUT_ASKS && spout->due_ns == 0;
}

static void wait_for_news(void)
{
	struct pollfd polled[2 + 2 * SPOUTS] = {
		{ .fd = keeper.talk_fd, .events = POLLIN },
		{ .fd = is_crowded() ? -1 : keeper.lookout.fd, .events = POLLIN },
	};
	nfds_t count = 2;

	for (size_t i = 0; i < SPOUTS; i++) {
		if (is_held_up(&keeper.all[i]))
			polled[0].events = POLLIN | POLLOUT;
		count += watch_spout(&keeper.all[i], polled + count);
	}
	if (poll(polled, count, find_timeout()) < 0 && errno != EINTR && errno != ENOMEM)
		fail(errno);
}

/* Nothing of the master's stays but the socket.  0 is /dev/null there. */
static int isolate(void)
{
	int keep[] = { keeper.talk_fd };
	sigset_t pipe;

	if (setsid() < 0 || dup2(0, 1) < 0 || dup2(0, 2) < 0 || fd_close_others(keep, 1) < 0)
		return -1;
	(void)umask(0); /* cannot fail; what is made has its mode from us */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	return sigprocmask(SIG_SETMASK, &pipe, NULL);
}

static void start(const struct worker_task *task)
{
	const struct plan_listener *listener = task->listener;
	const char *path = plan_text(task->plan, listener->path);
	const struct fifo_owner owner = { listener->socket_uid, listener->socket_gid,
					  listener->socket_mode };

	keeper.task = task;
	keeper.talk_fd = task->fds[WORKER_FD_TALK];
	keeper.lookout.fd = -1;
	if (isolate() < 0)
		fail(errno);
	title_set("keeper of", path);
	if (place_open(&keeper.place, path, &owner) < 0)
		fail(errno);
	start_file();
}

void keeper_run(const struct worker_task *task)
{
	start(task);
	for (;;) {
		tend();
		wait_for_news();
		watch();
		hear();
		serve(clock_now_ns());
	}
}
