/* SPDX-License-Identifier: ISC */
/*
 * The parent's half of a worker's birth.
 *
 * A handler needs memory of its own and is forked.  A program does not: its child shares our memory
 * until the exec (CLONE_VM), on a stack of its own, so that nothing has to be copied however big we
 * are; and our descriptor table until its first step (CLONE_FILES), so that the price is the same
 * with one listener or ten thousand.  We do not wait for it (no CLONE_VFORK): a process of the
 * service's user could stop the child between its change of identity and its exec, and hold us up
 * for ever.
 *
 * So two things are given back later.  The connection must stay open here until the child has
 * its own table: it sets own_files, and spawn_settle() closes.  The stack is busy until the kernel
 * clears alive, at the child's exec or end (CLONE_CHILD_CLEARTID, clone(2)).  When all stacks are
 * busy, somebody stops children on purpose, and the worker is forked instead, which is only slower.
 *
 * While memory is shared the change of user makes it non-dumpable, so that the service's user can
 * neither trace nor read it.  Who stays root keeps root's capabilities, or is forked.
 */
#include "config.h"

#include "worker/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/raw.h"

/* Their shadow of a stack that an exec leaves is wrong for the next child. */
#ifdef ENABLE_SANITIZERS
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

#define STACKS	   64
#define STACK_SIZE (32 * 1024) /* the steps and exec_program() use a third of it */

struct stack {
	pid_t alive;   /* written by the kernel: 0 when the stack is free */
	int own_files; /* written by the child */
	bool unsettled;
	int connection, stderr_fd, ruleset_fd; /* to be closed; the last two may be -1 */
	struct worker_task task;
};

/* Not in forked children. */
static struct stack *stacks;
static char *stack_memory; /* STACKS times STACK_SIZE */
static unsigned unsettled;
static bool may_share;

/* Before Linux 5.16 a process that dumps core takes all that share its memory with it. */
static bool is_safe_kernel(void)
{
	struct utsname kernel;
	int major, minor;

	return uname(&kernel) == 0 && sscanf(kernel.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 16));
}

/* With fs.suid_dumpable = 1 (proc(5)) a change of identity protects no memory. */
static bool is_dumpable(void)
{
	char value = '1';
	int fd = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0) {
		(void)!read(fd, &value, 1); /* not known counts as 1 */
		(void)close(fd);	    /* only read from */
	}
	return value == '1';
}

int spawn_init(void)
{
	may_share = RAW_IS_PURE && !IS_SANITIZED && is_safe_kernel() && !is_dumpable();
	stacks = map_unforked(STACKS * sizeof(*stacks));
	stack_memory = map_unforked(STACKS * STACK_SIZE);
	return stacks && stack_memory ? 0 : -1;
}

static void close_copy(int fd)
{
	if (fd >= 0)
		(void)close(fd); /* a copy: nothing to lose */
}

static void settle(struct stack *stack)
{
	(void)close(stack->connection); /* the child has it; nothing was written here */
	close_copy(stack->stderr_fd);
	close_copy(stack->ruleset_fd);
	stack->unsettled = false;
	unsettled--;
}

bool spawn_settle(void)
{
	for (size_t i = 0; i < STACKS && unsettled; i++)
		if (stacks[i].unsettled &&
		    (__atomic_load_n(&stacks[i].own_files, __ATOMIC_ACQUIRE) ||
		     __atomic_load_n(&stacks[i].alive, __ATOMIC_ACQUIRE) == 0))
			settle(&stacks[i]);
	return unsettled > 0;
}

static struct stack *find_stack(void)
{
	for (size_t i = 0; i < STACKS; i++)
		if (!stacks[i].unsettled &&
		    __atomic_load_n(&stacks[i].alive, __ATOMIC_ACQUIRE) == 0)
			return &stacks[i];
	return NULL;
}

static int run_shared(void *task)
{
	worker_run(task);
}

/* Log sockets and rulesets lie where the child's table ends; the child needs a copy below. */
static int lower(int fd)
{
	return fd < FD_PARKED ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Whether the child will have it, too. */
static bool is_low(int copy, int original)
{
	return copy < FD_PARKED && (copy >= 0 || original < 0);
}

static void fill(struct stack *stack, const struct worker_task *task)
{
	stack->task = *task;
	stack->task.shares_files = true;
	stack->task.own_files = &stack->own_files;
	stack->task.stderr_fd = lower(task->stderr_fd);
	stack->task.fds[WORKER_FD_RULESET] = lower(task->fds[WORKER_FD_RULESET]);
	stack->connection = task->connection.fd;
	stack->stderr_fd = stack->task.stderr_fd;
	stack->ruleset_fd = stack->task.fds[WORKER_FD_RULESET];
	stack->own_files = 0;
	stack->alive = 1; /* until the kernel says otherwise */
}

static pid_t start_sharing(struct stack *stack)
{
	char *top = stack_memory + (size_t)(stack - stacks + 1) * STACK_SIZE;
	pid_t pid = clone(run_shared, top, CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD,
			  &stack->task, NULL, NULL, &stack->alive);

	stack->unsettled = true;
	unsettled++;
	if (pid < 0) {
		stack->alive = 0;
		settle(stack);
	}
	return pid;
}

/* A fork into a control group: clone3(2), for which there is no function. */
static pid_t fork_into(int cgroup_fd)
{
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)cgroup_fd,
	};
	long pid = RAW(SYS_clone3, &arguments, sizeof(arguments));

	if (pid < 0)
		errno = (int)-pid;
	return pid < 0 ? -1 : (pid_t)pid;
}

static bool has_cgroup(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	return cage && cage->cgroup_fd >= 0 && task->role != WORKER_KEEPER;
}

/* No locks are held, and there are no handlers to run: fork(3) does more. */
static pid_t start_forked(const struct worker_task *task)
{
	pid_t pid = has_cgroup(task) ? fork_into(worker_cage(task)->cgroup_fd) : _Fork();

	if (pid == 0)
		worker_run(task);
	(void)close(task->connection.fd); /* the child has it; nothing was written here */
	return pid;
}

/* Then memory stays readable for that user's other processes, and with fewer capabilities than ours
 * they are not kept from it: ptrace(2). */
static bool keeps_user(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	return cage->set_capabilities && (!task->service->set_identity || task->service->uid == 0);
}

/* Sharing works for what can be left behind with one close_range(2) at FD_PARKED.  What memory may
 * be used for is a matter of the memory, and this is ours. */
static bool can_share(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	if (cage && (cage->cgroup_fd >= 0 || cage->deny_write_execute || keeps_user(task)))
		return false;
	return may_share && worker_is_plain(task) && task->connection.fd < FD_PARKED;
}

pid_t spawn_worker(const struct worker_task *task)
{
	struct stack *stack = can_share(task) ? find_stack() : NULL;

	if (stack == NULL)
		return start_forked(task);
	fill(stack, task);
	if (!is_low(stack->stderr_fd, task->stderr_fd) ||
	    !is_low(stack->ruleset_fd,
		    task->fds[WORKER_FD_RULESET])) { /* so many connections are on their way */
		close_copy(stack->stderr_fd);
		close_copy(stack->ruleset_fd);
		stack->alive = 0;
		return start_forked(task);
	}
	return start_sharing(stack);
}
