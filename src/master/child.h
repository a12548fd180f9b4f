/* SPDX-License-Identifier: ISC */
/* The table of live workers, and how they end. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/inet.h"
#include "master/loop.h"
#include "report/stats.h"
#include "worker/worker.h"

struct serving;
struct gate;

enum child_ending { CHILD_LIVES, CHILD_TERMINATED, CHILD_KILLED }; /* what we have sent it */

struct source; /* admit/source.h */

/* What a standing program was started for. */
struct child_woken {
	struct timespec when; /* a datagram came */
	unsigned waiting;     /* clients there were */
};

struct child {
	pid_t pid;     /* not reaped, so nobody else's; 0: free, or not spawned yet */
	uint32_t next; /* in its chain or the free list: place + 1; 0: none */
	struct serving *serving;
	int64_t started_ns;    /* monotonic */
	struct timer timer;    /* max-time, then kill-grace */
	struct source *source; /* that it is counted for; NULL: none */
	enum worker_role role;
	struct gate *gate; /* whose listener it has, or whose client; NULL: it does not matter */
	struct watch talk; /* by role: its client's introduction, its offer, its notes, its
			      readers; fd -1: there is nothing to be said, or no more */
	int offered_fd;	   /* of WORKER_MUX: its client's connection; -1: none, or handed over */
	uint64_t served;   /* clients, by a standing worker */
	uint64_t denied;   /* that it has refused */
	struct child_woken woken;
	int64_t notes;	      /* that it has sent */
	bool finishes;	      /* a standing worker was asked to, or is from before a reload */
	enum refusal refused; /* its client was introduced, and refused, ... */
	bool lingers;	      /* ... and hears why; its instance is given back */
	enum child_ending ending;
	bool timed_out;
	bool client_gone; /* it had reset before it was accepted, or is a health check */
	char peer[INET_TEXT];
};

struct child_end {
	enum worker_result result;
	int status; /* exit status or signal */
	enum worker_step step;
	int error;			 /* errno of the step, or the time limit */
	bool client_gone;		 /* so that a failure says nothing about the service */
	bool unread;			 /* a standing worker has left what it was started for */
	uint64_t from_client, to_client; /* bytes, where they were counted */
	int64_t duration_ns;
	int64_t cpu_us;	 /* user and system */
	long memory_kib; /* the most that was resident */
};

/* Told after a child was reaped and before its place is free again. */
typedef void child_ended(struct child *child, struct child_end *end);

/* Told of a process that is in no table: an orphan that init gave us, or the preflight. */
typedef void child_stranger(pid_t pid, int status);

/* Makes a table for so many children, and the memory for their reports, or takes that of a
 * descriptor that a master before us has left.  0, or -1 with errno.  Nothing else here allocates.
 */
int children_init(size_t capacity, int reports_fd, child_ended *ended, child_stranger *stranger);

/* The descriptor of the reports' memory. */
int children_reports_fd(void);

/* A place for a child that is about to be spawned, or NULL when the table is full. */
struct child *child_add(struct serving *serving, const char *peer);

/* Where its worker reports: memory that forked workers share. */
struct worker_report *child_report(const struct child *child);

/* It lives; it ends after max_time_ms unless that is 0.  Or it does not: the place is free again.
 */
void child_start(struct child *child, pid_t pid, int64_t max_time_ms);
void child_del(struct child *child);

/* One that a master before us has started: in the same place, with what is left of its time
 * (due_ns; 0: it has no end).  NULL when that place is not free or not there.  When all are adopted
 * the places between them are made free by children_adopted(). */
struct child *child_adopt(struct serving *serving, pid_t pid, uint32_t place, int64_t due_ns);
void children_adopted(void);

uint32_t child_place(const struct child *child);

/* The next one in the table, from NULL on; NULL at its end. */
struct child *child_next(const struct child *child);

/* NULL for a pid that is none of ours. */
struct child *child_find(pid_t pid);

/* After SIGCHLD for a pid: reaps it and, a moment later, all others that have ended; or all at
 * once.
 */
void children_reap(pid_t pid);
void children_reap_all(void);

/* TERM and CONT to the group of every child, and KILL after its kill-grace; or KILL at once. */
void children_terminate(void);
void children_kill(void);

size_t children_count(void);

#endif
