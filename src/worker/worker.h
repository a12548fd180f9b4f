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
	WORKER_STEP_SOURCES,	   /* of a standing worker: the table of its listener */
	WORKER_STEP_KEEPER,	   /* of a FIFO: to have the file */
	WORKER_STEP_RELAY,	   /* the pipe and the process that crlf needs */
	WORKER_STEP_EXEC,
	WORKER_STEP_TIMEOUT, /* none: a client's time is over; enum session_limit for errno */
	WORKER_STEPS
};

#define WORKER_STEP_EXIT 70

/* "exec", "uid", ...: for log lines. */
const char *worker_step_name(enum worker_step step);

/* What a worker is for. */
enum worker_role {
	WORKER_CONNECTION, /* one client */
	WORKER_MUX,	   /* one client, who may be handed over to another service */
	WORKER_STANDING,   /* the clients of one listener, whose socket it has */
	WORKER_KEEPER,	   /* the readers of one FIFO, whom it passes to the master */
};

/* Descriptors that it is born with besides 0, 1 and 2.  They come after these, in this order. */
enum worker_fd {
	WORKER_FD_TALK,	    /* a socket to the master */
	WORKER_FD_RULESET,  /* of the cage; closed before the service begins */
	WORKER_FD_RESOLVER, /* worker/resolve.h */
	WORKER_FD_SOURCES,  /* the table of sources of a standing worker */
};
#define WORKER_FDS (WORKER_FD_SOURCES + 1)

/* What it tells the master without a word: shared memory, at first all zero. */
struct worker_report {
	uint32_t failure; /* step << 16 | errno of a step that failed */
	uint32_t padding;
	uint64_t from_client, to_client; /* bytes, of a redirect */
};

/* What a worker is born with; everything is borrowed from memory that it inherits or shares. */
struct worker_task {
	const struct plan *plan;
	const struct plan_service *service;
	const struct plan_listener *listener;
	struct connection connection;
	enum worker_role role;
	int stderr_fd;	     /* becomes 2 when the service logs it; -1: none could be had */
	int fds[WORKER_FDS]; /* -1: none; WORKER_FD_TALK of one client: there is to be a header */
	pid_t parent;	     /* the master */
	bool shares_files;   /* the descriptor table is still the master's */
	int *own_files;	     /* set to 1 as soon as it is not; shared memory */
	struct worker_report *report;
};

/* The cage of its service; NULL: there is none. */
static inline const struct plan_cage *worker_cage(const struct worker_task *task)
{
	return plan_cage(task->plan, task->service);
}

/* Where one of the descriptors is when only what is needed is left open; -1: it has none. */
static inline int worker_fd(const struct worker_task *task, enum worker_fd which)
{
	int fd = 3;

	for (int i = 0; i < (int)which; i++)
		fd += task->fds[i] >= 0;
	return task->fds[which] >= 0 ? fd : -1;
}

/* Where the answer goes: a FIFO is 1 alone. */
static inline int worker_client_fd(const struct worker_task *task)
{
	return task->listener->kind == PLAN_FIFO ? 1 : 0;
}

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
