/* SPDX-License-Identifier: ISC */
/* A worker: from the moment it exists to the moment it serves. */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "admit/connection.h"
#include "plan/plan.h"

/* The steps of a worker, in their order.  One that fails ends it with WORKER_STEP_EXIT + the step.
 */
enum worker_step {
	WORKER_STEP_NONE,
	WORKER_STEP_NETWORK,	 /* an empty one; while all descriptors are there */
	WORKER_STEP_FILES,	 /* a descriptor table of its own */
	WORKER_STEP_SESSION,	 /* a session, or at least a process group, of its own */
	WORKER_STEP_STDIO,	 /* 0 and 1 the connection, 2 as configured */
	WORKER_STEP_DESCRIPTORS, /* nothing else */
	WORKER_STEP_UMASK,
	WORKER_STEP_NICE,
	WORKER_STEP_LIMITS,
	WORKER_STEP_MOUNTS, /* files of its own */
	WORKER_STEP_PIDS,   /* process numbers of its own */
	WORKER_STEP_CHROOT,
	WORKER_STEP_DIRECTORY,
	WORKER_STEP_BOUNDING, /* capabilities that no exec may give */
	WORKER_STEP_GROUPS,
	WORKER_STEP_GID,
	WORKER_STEP_UID,
	WORKER_STEP_CAPABILITIES,
	WORKER_STEP_VERIFY,	   /* that these hold and cannot be taken back */
	WORKER_STEP_DEATH,	   /* of the master, which may be its own */
	WORKER_STEP_PRIVILEGES,	   /* no_new_privs */
	WORKER_STEP_WRITE_EXECUTE, /* no memory is both */
	WORKER_STEP_LANDLOCK,	   /* files and ports */
	WORKER_STEP_SIGNALS,	   /* an empty mask; the dispositions are the default already */
	WORKER_STEP_FILTER,	   /* system calls; later, one that it does not let in */
	WORKER_STEP_CLIENT,	   /* to learn whether the client of a proxy may come in */
	WORKER_STEP_RELAY,	   /* the pipe and the process that crlf needs */
	WORKER_STEP_EXEC,
	WORKER_STEP_TIMEOUT, /* none: a client's time is over; enum session_limit for errno */
	WORKER_STEPS
};

#define WORKER_STEP_EXIT 70

/* "exec", "uid", ...: for log lines. */
const char *worker_step_name(enum worker_step step);

/* What a worker is born with; everything is borrowed from memory that it inherits or shares. */
struct worker_task {
	const struct plan *plan;
	const struct plan_service *service;
	const struct plan_listener *listener;
	struct connection connection;
	int talk_fd;	/* where the client is introduced when its header has come; -1: none will */
	int stderr_fd;	/* becomes 2 when the service logs it; -1: none could be had */
	int ruleset_fd; /* of the cage; -1: none */
	pid_t parent;	/* the master */
	bool shares_files; /* the descriptor table is still the master's */
	int *own_files;	   /* set to 1 as soon as it is not; shared memory */
	uint32_t *failure; /* gets step << 16 | errno when a step fails; shared memory */
};

/* The cage of its service; NULL: there is none. */
static inline const struct plan_cage *worker_cage(const struct worker_task *task)
{
	return plan_cage(task->plan, task->service);
}

/* Where the cage's ruleset is when only what is needed is left open: behind the socket to the
 * master, worker/introduction.h. */
#define WORKER_RULESET_FD(task) ((task)->talk_fd >= 0 ? 4 : 3)

/* Runs the steps and serves.  Child side only; allocates nothing, takes no lock and writes to no
 * global before the last step, since memory may still be the master's. */
void worker_run(const struct worker_task *task) __attribute__((noreturn));

/* Ends a worker whose step has failed. */
void worker_fail(const struct worker_task *task, enum worker_step step, long error)
	__attribute__((noreturn));

/* Ends a worker without running anything that was registered with atexit(3). */
void worker_exit(int status) __attribute__((noreturn));

/* Ends it as a process of its own has ended, by waitpid(2)'s status. */
void worker_end_like(int status) __attribute__((noreturn));

/* Whether the way to exec needs none of our code that allocates or loops, so that memory may be
 * shared until then. */
bool worker_is_plain(const struct worker_task *task);

#endif
