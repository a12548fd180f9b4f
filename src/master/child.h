/* SPDX-License-Identifier: ISC */
/* The table of live workers, and how they end. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/inet.h"
#include "master/loop.h"
#include "worker/worker.h"

struct serving;

enum child_ending { CHILD_LIVES, CHILD_TERMINATED, CHILD_KILLED }; /* what we have sent it */

struct child {
	pid_t pid;     /* not reaped, so nobody else's; 0: free, or not spawned yet */
	uint32_t next; /* in its chain or the free list: place + 1; 0: none */
	struct serving *serving;
	int64_t started_ns; /* monotonic */
	struct timer timer; /* max-time, then kill-grace */
	enum child_ending ending;
	bool timed_out;
	bool client_gone; /* it had reset before it was accepted */
	char peer[INET_TEXT];
};

enum child_result {
	CHILD_OK,	 /* exit status 0 */
	CHILD_EXITED,	 /* another one */
	CHILD_SIGNALLED, /* died of a signal */
	CHILD_CORE,	 /* and dumped core */
	CHILD_STEP,	 /* a step before the service failed */
	CHILD_TIMED_OUT, /* ended by max-time */
};

struct child_end {
	enum child_result result;
	int status; /* exit status or signal */
	enum worker_step step;
	int error;	  /* errno of the step */
	bool client_gone; /* so that a failure says nothing about the service */
	int64_t duration_ns;
	int64_t cpu_us;	 /* user and system */
	long memory_kib; /* the most that was resident */
};

/* Told after a child was reaped and before its place is free again. */
typedef void child_ended(const struct child *child, const struct child_end *end);

/* Makes a table for so many children.  0, or -1 with errno.  Nothing else here allocates. */
int children_init(size_t capacity, child_ended *ended);

/* A place for a child that is about to be spawned, or NULL when the table is full. */
struct child *child_add(struct serving *serving, const char *peer);

/* Where its worker reports a failing step: memory that forked workers share. */
uint32_t *child_failure(const struct child *child);

/* It lives; it ends after max_time_ms unless that is 0.  Or it does not: the place is free again.
 */
void child_start(struct child *child, pid_t pid, int64_t max_time_ms);
void child_del(struct child *child);

/* NULL for a pid that is none of ours. */
struct child *child_find(pid_t pid);

/* After SIGCHLD for a pid: reaps it and, a moment later, all others that have ended. */
void children_reap(pid_t pid);

/* TERM and CONT to the group of every child, and KILL after its kill-grace; or KILL at once. */
void children_terminate(void);
void children_kill(void);

size_t children_count(void);

#endif
