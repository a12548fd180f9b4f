/* SPDX-License-Identifier: ISC */
/*
 * The control groups of services.
 *
 * A process can leave its session and its process group, and be nobody's child; it cannot leave its
 * control group, unless it may write to a group beside it.  Where a service has one, nothing of it
 * outlives the daemon.  What a service leaves behind that a reload removes is not ended: its group
 * is no longer known here.
 *
 * A group that takes no process is its own service's trouble: the others go on.
 */
#include "config.h"

#include "master/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/log.h"

#define TRIES	      50 /* at removing groups whose processes have just been killed, ... */
#define TRY_MS	      5	 /* ... and the time between them */
#define FULL_FIRST_MS 100
#define FULL_LAST_MS  800
#define GONE_FIRST_MS 1000
#define GONE_LAST_MS  60000

static void kill_group(const struct plan *plan, const struct plan_service *service, int group_fd)
{
	int fd = openat(group_fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		log_line(LOG_WARNING, "%s: cgroup.kill: %m", plan_text(plan, service->name));
	if (fd >= 0)
		(void)close(fd); /* it has taken the byte, or not */
}

/* 0, or -1 with errno: EBUSY as long as there is a process in it. */
static int remove_group(int group_fd)
{
	char link[32], path[PATH_MAX], above[NAME_MAX + sizeof("../")];
	const char *name;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", group_fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return -1;
	path[length] = '\0';
	name = strrchr(path, '/');
	snprintf(above, sizeof(above), "..%.*s", NAME_MAX + 1, name ? name : "");
	return unlinkat(group_fd, above, AT_REMOVEDIR);
}

static int group_of(const struct plan *plan, const struct plan_service *service)
{
	const struct plan_cage *cage = plan_cage(plan, service);

	return cage ? cage->cgroup_fd : -1;
}

/* An empty one is only removed.  A killed one that stays is of no use to the next daemon: the
 * kernel kills at birth whoever is born into it. */
static bool end_group(const struct plan *plan, const struct plan_service *service, int group_fd)
{
	if (remove_group(group_fd) == 0 || errno == ENOENT)
		return false;
	kill_group(plan, service, group_fd);
	return true;
}

void cgroups_kill(const struct plan *plan)
{
	const struct timespec pause = { .tv_nsec = TRY_MS * NS_IN_MS };
	bool any = false;
	int fd;

	for (size_t i = 0; i < plan->nservices; i++) {
		fd = group_of(plan, plan_service(plan, i));
		if (fd >= 0 && end_group(plan, plan_service(plan, i), fd))
			any = true;
	}
	for (int tries = 0; any && tries < TRIES; tries++) {
		(void)nanosleep(&pause, NULL); /* signals are blocked */
		any = false;
		for (size_t i = 0; i < plan->nservices; i++) {
			fd = group_of(plan, plan_service(plan, i));
			any = any || (fd >= 0 && remove_group(fd) < 0 && errno == EBUSY);
		}
	}
}

bool cgroup_is_at_fault(const struct plan *plan, const struct plan_service *service, int error)
{
	switch (error) {
	case EACCES:
	case EAGAIN:
	case EBUSY:
	case ENODEV:
	case ENOENT:
	case EOPNOTSUPP:
		return group_of(plan, service) >= 0;
	default:
		return false;
	}
}

static const char *describe(int error)
{
	switch (error) {
	case EAGAIN:
		return "its control group is full";
	case ENODEV:
	case ENOENT:
		return "its control group is gone: reload";
	default:
		return "its control group takes no processes";
	}
}

static int next_ms(int last_ms, int error)
{
	const int least = error == EAGAIN ? FULL_FIRST_MS : GONE_FIRST_MS;
	const int most = error == EAGAIN ? FULL_LAST_MS : GONE_LAST_MS;

	if (last_ms < least)
		return least;
	return last_ms < most / 2 ? 2 * last_ms : most;
}

void cgroup_pause(struct serving *serving, int error)
{
	serving->record->unborn_ms = next_ms(serving->record->unborn_ms, error);
	errno = error;
	log_limited(&serving->record->unborn_log, LOG_ERR,
		    "%s: cannot start a worker: %s (%m); trying again in %d ms", serving->name,
		    describe(error), serving->record->unborn_ms);
	serving_pause(serving, serving->record->unborn_ms, describe(error));
}
