/* SPDX-License-Identifier: ISC */
/*
 * A worker: from the moment it exists to the moment it serves.
 *
 * One table of steps, the same for every way in which a worker can be born and for everything that
 * it can become, so that none of them can forget one (CVE-2013-4342).  A step that fails ends the
 * worker; it never goes on half-caged.  Until the last step the memory may still be the master's:
 * steps use raw system calls and their stack.  Signals are let in late for the same reason: until
 * then nobody's but SIGKILL and SIGSTOP can reach a process that shares the master's memory.  Only
 * the filter comes after, so that it need not let that happen.
 */
#include "config.h"

#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/title.h"
#include "handlers/handler.h"
#include "worker/client.h"
#include "worker/exec.h"
#include "worker/identity.h"
#include "base/raw.h"
#include "worker/keeper.h"
#include "worker/pids.h"
#include "worker/relay.h"
#include "worker/sandbox.h"
#include "worker/session.h"
#include "worker/standing.h"
#include "worker/trap.h"

#define KERNEL_SIGSET (_NSIG / 8) /* bytes of the kernel's signal set, not of glibc's */

/* Everything of the master's lies at FD_PARKED or above, up to the end of the table, which makes
 * the private copy as cheap as if there were no listeners: close_range(2). */
static long step_files(const struct worker_task *task)
{
	long result;

	if (!task->shares_files)
		return 0;
	result = RAW(SYS_close_range, FD_PARKED, ~0U, CLOSE_RANGE_UNSHARE);
	if (result == 0)
		__atomic_store_n(task->own_files, 1, __ATOMIC_RELEASE);
	return result;
}

/* For a session of its own the kernel makes a scheduling group, a tenth of what a connection costs.
 * A handler can do with a process group, where there is no terminal that it could share. */
static long step_session(const struct worker_task *task)
{
	long result;

	if (task->service->handler >= 0 && !task->plan->global.has_terminal)
		return RAW(SYS_setpgid, 0, 0);
	result = RAW(SYS_setsid, 0);
	return result < 0 ? result : 0;
}

/* 0 is /dev/null in the master, and stays it where the connection is a pipe to be written to. */
static int stderr_source(const struct worker_task *task)
{
	switch (task->service->stderr_to) {
	case PLAN_STDERR_CLIENT:
		return task->connection.fd;
	case PLAN_STDERR_LOG:
		return task->stderr_fd >= 0 ? task->stderr_fd : 0;
	case PLAN_STDERR_NULL:
		break;
	}
	return 0;
}

static long step_stdio(const struct worker_task *task)
{
	long result = RAW(SYS_dup3, stderr_source(task), 2, 0);

	if (result >= 0 && worker_client_fd(task) == 0)
		result = RAW(SYS_dup3, task->connection.fd, 0, 0);
	if (result >= 0)
		result = RAW(SYS_dup3, task->connection.fd, 1, 0);
	for (int i = 0; i < WORKER_FDS && result >= 0; i++)
		if (task->fds[i] >= 0 && task->fds[i] != worker_fd(task, (enum worker_fd)i))
			result = RAW(SYS_dup3, task->fds[i], worker_fd(task, (enum worker_fd)i),
				     O_CLOEXEC);
	return result < 0 ? result : 0;
}

/* A program gets none of those that are left: it is closed before it, or at its exec. */
static long step_descriptors(const struct worker_task *task)
{
	unsigned first = 3;

	for (int i = 0; i < WORKER_FDS; i++)
		first += task->fds[i] >= 0;
	return RAW(SYS_close_range, first, ~0U, 0);
}

static long step_umask(const struct worker_task *task)
{
	(void)RAW(SYS_umask, task->service->umask); /* returns the old one; cannot fail */
	return 0;
}

static long step_directory(const struct worker_task *task)
{
	const char *directory = plan_text(task->plan, task->service->directory);

	return directory ? RAW(SYS_chdir, directory) : 0;
}

/* With process numbers of its own its init dies with the worker, and takes it along. */
static long step_death(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	return cage && cage->private_pids ? 0 : sandbox_tie_to_master(task);
}

/* A handler says which call it was that it must not make.  A program's filter is the program's: it
 * is put on by exec.c, when nothing of ours is still to be done. */
static long step_filter(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	long result;

	if (cage == NULL || cage->nfilter == 0 || task->service->handler < 0)
		return 0;
	result = trap_set(task);
	return result < 0 ? result : sandbox_filter(task);
}

/* A handler that writes to a pipe finds out by EPIPE that its reader has gone. */
static long step_signals(const struct worker_task *task)
{
	unsigned long mask[KERNEL_SIGSET / sizeof(long)] = { 0 }; /* on the stack: it is touched */

	if (task->service->handler >= 0 && task->listener->kind == PLAN_FIFO)
		mask[0] |= 1UL << (SIGPIPE - 1);
	return RAW(SYS_rt_sigprocmask, SIG_SETMASK, mask, NULL, KERNEL_SIGSET);
}

static const struct {
	const char *name;
	long (*run)(const struct worker_task *task); /* 0 or -errno; NULL: run by worker_run() */
} steps[WORKER_STEPS] = {
	[WORKER_STEP_NETWORK] = { "network", sandbox_enter_network },
	[WORKER_STEP_FILES] = { "files", step_files },
	[WORKER_STEP_SESSION] = { "session", step_session },
	[WORKER_STEP_STDIO] = { "stdio", step_stdio },
	[WORKER_STEP_DESCRIPTORS] = { "descriptors", step_descriptors },
	[WORKER_STEP_UMASK] = { "umask", step_umask },
	[WORKER_STEP_NICE] = { "nice", sandbox_set_nice },
	[WORKER_STEP_LIMITS] = { "limits", sandbox_set_limits },
	[WORKER_STEP_MOUNTS] = { "mounts", sandbox_make_mounts },
	[WORKER_STEP_PIDS] = { "pids", pids_enter },
	[WORKER_STEP_CHROOT] = { "chroot", sandbox_change_root },
	[WORKER_STEP_DIRECTORY] = { "directory", step_directory },
	[WORKER_STEP_BOUNDING] = { "bounding", sandbox_drop_bounding },
	[WORKER_STEP_GROUPS] = { "groups", identity_set_groups },
	[WORKER_STEP_GID] = { "gid", identity_set_gid },
	[WORKER_STEP_UID] = { "uid", identity_set_uid },
	[WORKER_STEP_CAPABILITIES] = { "capabilities", sandbox_set_capabilities },
	[WORKER_STEP_VERIFY] = { "verify", identity_verify },
	[WORKER_STEP_DEATH] = { "death", step_death },
	[WORKER_STEP_PRIVILEGES] = { "privileges", sandbox_refuse_privileges },
	[WORKER_STEP_WRITE_EXECUTE] = { "write-execute", sandbox_deny_write_execute },
	[WORKER_STEP_LANDLOCK] = { "landlock", sandbox_restrict },
	[WORKER_STEP_SIGNALS] = { "signals", step_signals },
	[WORKER_STEP_FILTER] = { "filter", step_filter },
	[WORKER_STEP_CLIENT] = { "client", NULL },
	[WORKER_STEP_SOURCES] = { "sources", NULL },
	[WORKER_STEP_KEEPER] = { "fifo", NULL },
	[WORKER_STEP_RELAY] = { "relay", NULL },
	[WORKER_STEP_EXEC] = { "exec", NULL },
	[WORKER_STEP_TIMEOUT] = { "timeout", NULL },
};

const char *worker_step_name(enum worker_step step)
{
	return step > WORKER_STEP_NONE && step < WORKER_STEPS ? steps[step].name : "unknown";
}

void worker_exit(int status)
{
#ifdef ENABLE_COVERAGE
	extern void __gcov_dump(void);
	__gcov_dump();
#endif
	for (;;)
		(void)RAW(SYS_exit_group, status);
}

void worker_fail(const struct worker_task *task, enum worker_step step, long error)
{
	uint32_t noted = 0;

	/* Of several processes of one worker, the first has the say. */
	if (__atomic_compare_exchange_n(&task->report->failure, &noted,
					(uint32_t)step << 16 | (uint32_t)-error, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		noted = (uint32_t)step << 16;
	for (;;)
		(void)RAW(SYS_exit_group, WORKER_STEP_EXIT + (int)(noted >> 16));
}

/* Dumping core again for its signal would only overwrite its own. */
void worker_end_like(int status)
{
	struct rlimit none = { 0, 0 };
	sigset_t empty;

	if (!WIFSIGNALED(status))
		worker_exit(WEXITSTATUS(status));
	(void)setrlimit(RLIMIT_CORE, &none); /* lowering to 0 cannot fail */
	sigemptyset(&empty);
	(void)signal(WTERMSIG(status), SIG_DFL);      /* a sanitizer may have it; KILL needs none */
	(void)sigprocmask(SIG_SETMASK, &empty, NULL); /* cannot fail */
	(void)raise(WTERMSIG(status));
	worker_exit(128 + WTERMSIG(status)); /* not reached: dispositions are the default */
}

bool worker_is_plain(const struct worker_task *task)
{
	const struct plan_service *service = task->service;
	const struct plan_cage *cage = worker_cage(task);

	return service->handler < 0 && task->role != WORKER_KEEPER && service->banner == 0 &&
	       !service->crlf && task->fds[WORKER_FD_TALK] < 0 &&
	       (cage == NULL || !cage->private_pids);
}

/* The worker's memory is its own by now, and it may allocate. */
static char **copy_vector(const struct plan *plan, uint32_t offset)
{
	const uint32_t *count = plan_at(plan, offset);
	char **vector = count ? calloc(*count + 1, sizeof(*vector)) : NULL;

	if (vector)
		plan_vector(plan, offset, vector);
	return vector;
}

static struct begat_value *copy_values(const struct worker_task *task)
{
	const struct plan_value *planned = plan_at(task->plan, task->service->values);
	struct begat_value *values = calloc(task->service->nvalues + 1, sizeof(*values));

	if (values == NULL)
		worker_exit(EXIT_FAILURE);
	for (size_t i = 0; i < task->service->nvalues; i++)
		values[i] = (struct begat_value){
			.name = plan_text(task->plan, planned[i].name),
			.string = plan_text(task->plan, planned[i].string),
			.number = planned[i].number,
			.argv = copy_vector(task->plan, planned[i].argv),
		};
	return values;
}

static void serve_handler(const struct worker_task *task) __attribute__((noreturn));
static void serve_handler(const struct worker_task *task)
{
	const struct plan_service *service = task->service;
	const struct begat_handler *handler = handler_at((size_t)service->handler);
	static struct begat_session session;
	const struct session_settings settings = {
		.fd = worker_client_fd(task),
		.is_pipe = task->listener->kind == PLAN_FIFO,
		.crlf = task->listener->internet,
		.service = plan_text(task->plan, service->name),
		.peer = task->connection.text,
		.first_byte_ms = service->first_byte_ms,
		.idle_ms = service->idle_ms,
		.values = service->nvalues ? copy_values(task) : NULL,
		.nvalues = service->nvalues,
		.task = task,
	};
	int status;

	session_init(&session, &settings);
	if (task->role == WORKER_STANDING)
		standing_run(task, &session);
	status = handler->serve(&session);
	if (session.timed_out)
		worker_fail(task, WORKER_STEP_TIMEOUT, -(long)session.timed_out);
	worker_exit(status);
}

static void run_steps(const struct worker_task *task)
{
	long result;

	for (int step = WORKER_STEP_NONE + 1; step <= WORKER_STEP_FILTER; step++) {
		result = steps[step].run(task);
		if (result < 0)
			worker_fail(task, (enum worker_step)step, result);
	}
}

static void set_title(const struct worker_task *task)
{
	title_set(plan_text(task->plan, task->service->name), task->connection.text);
}

/* Who sends a PROXY header is not the client yet. */
static bool must_meet(const struct worker_task *task)
{
	return task->role == WORKER_CONNECTION && task->fds[WORKER_FD_TALK] >= 0;
}

/* Whom a handler may ask is up to the handler; for a banner it is done. */
static void greet(const struct worker_task *task)
{
	const int resolver_fd = worker_fd(task, WORKER_FD_RESOLVER);

	exec_banner(task);
	if (resolver_fd >= 0 && handler_at((size_t)task->service->handler) != &redirect_handler)
		(void)RAW(SYS_close, resolver_fd);
}

void worker_run(const struct worker_task *task)
{
	if (task->role == WORKER_KEEPER)
		keeper_run(task);
	run_steps(task);
	if (!worker_is_plain(task))
		set_title(task);
	if (must_meet(task)) {
		task = client_meet(task);
		set_title(task);
	}
	if (task->service->banner)
		greet(task);
	if (task->service->handler >= 0)
		serve_handler(task);
	if (task->service->crlf)
		relay_run(task);
	worker_fail(task, WORKER_STEP_EXEC, exec_program(task));
}
