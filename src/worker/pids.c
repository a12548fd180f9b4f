/* SPDX-License-Identifier: ISC */
/*
 * Process numbers of one's own.
 *
 * Three processes: the worker, which the master knows; the first of the new namespace, its init;
 * and the one that goes on to serve.  The kernel keeps signals from an init that has no handler for
 * them, so that a program must not be one: it could not be asked to end.  The init reaps what the
 * program leaves behind, and with it everything in the namespace ends.  The worker and the init
 * have given up all that they were before the program begins, and know nothing but how it ended.
 *
 * Signals are still blocked here, and stay so in the two that wait: a group's TERM is the
 * program's.
 */
#include "config.h"

#include "worker/pids.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/raw.h"
#include "base/title.h"
#include "worker/identity.h"
#include "worker/sandbox.h"

/* Nothing is left but one end of the pipe, as descriptor 0, and no right to do anything. */
static void retire(const struct worker_task *task, int end)
{
	static long (*const steps[])(const struct worker_task *task) = { identity_set_groups,
									 identity_set_gid,
									 identity_set_uid };
	long result = RAW(SYS_dup3, end, 0, 0);

	if (result >= 0)
		result = RAW(SYS_close_range, 1, ~0U, 0);
	for (size_t i = 0; result >= 0 && i < sizeof(steps) / sizeof(*steps); i++)
		result = steps[i](task);
	if (result >= 0)
		result = sandbox_give_up();
	if (result >= 0)
		result = identity_verify(task);
	if (result < 0)
		worker_fail(task, WORKER_STEP_PIDS, result);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* cannot fail */
	title_set(plan_text(task->plan, task->service->name), task->connection.text);
}

/* The worker outside holds the other end of the pipe. */
static bool is_alone(void)
{
	struct pollfd pipe = { .fd = 0 };

	return poll(&pipe, 1, 0) > 0 && (pipe.revents & POLLERR);
}

/* Its own end is everybody's: then the kernel kills what is left. */
static void be_init(const struct worker_task *task, int end, pid_t program)
	__attribute__((noreturn));
static void be_init(const struct worker_task *task, int end, pid_t program)
{
	int status = 0;
	pid_t pid;

	retire(task, end);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || is_alone())
		worker_exit(EXIT_FAILURE);
	do
		pid = waitpid(-1, &status, 0);
	while (pid != program && (pid > 0 || errno == EINTR));
	(void)!write(0, &status, sizeof(status)); /* else the worker sees the end of the pipe */
	worker_exit(0);
}

static void wait_outside(const struct worker_task *task, int end) __attribute__((noreturn));
static void wait_outside(const struct worker_task *task, int end)
{
	ssize_t length;
	int status;

	retire(task, end);
	if (sandbox_tie_to_master(task) < 0)
		worker_exit(EXIT_FAILURE);
	do
		length = read(0, &status, sizeof(status));
	while (length < 0 && errno == EINTR);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue; /* the init, so that the time of all of them is counted */
	if (length == (ssize_t)sizeof(status))
		worker_end_like(status);
	worker_fail(task, WORKER_STEP_PIDS, -ECHILD); /* or by what the init has noted */
}

/* Where it is seen from: a chroot may have one of its own. */
static long enter_proc(const struct plan *plan, const struct plan_cage *cage)
{
	const char *root = plan_text(plan, cage->chroot);
	char path[PATH_MAX] = "";
	long result;

	if (root && strlcpy(path, root, sizeof(path)) >= sizeof(path))
		return -ENAMETOOLONG;
	if (strlcat(path, "/proc", sizeof(path)) >= sizeof(path))
		return -ENAMETOOLONG;
	result = RAW(SYS_mount, "proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return root && result == -ENOENT ? 0 : result;
}

static long fork_twice(const struct worker_task *task, const int ends[2])
{
	pid_t init, program;

	init = _Fork();
	if (init < 0)
		return -errno;
	if (init > 0)
		wait_outside(task, ends[0]);
	program = _Fork();
	if (program < 0)
		worker_fail(task, WORKER_STEP_PIDS, -errno);
	if (program > 0)
		be_init(task, ends[1], program);
	(void)RAW(SYS_close, ends[0]); /* a pipe of others */
	(void)RAW(SYS_close, ends[1]);
	return enter_proc(task->plan, worker_cage(task));
}

long pids_enter(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	int ends[2];
	long result;

	if (cage == NULL || !cage->private_pids)
		return 0;
	result = RAW(SYS_unshare, CLONE_NEWPID);
	if (result == 0)
		result = RAW(SYS_pipe2, ends, O_CLOEXEC);
	return result < 0 ? result : fork_twice(task, ends);
}
