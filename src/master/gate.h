/* SPDX-License-Identifier: ISC */
/* A listener at run time: polled, or closed for one or more reasons. */
#ifndef GATE_H
#define GATE_H

#include <bsd/sys/queue.h>
#include <stddef.h>

#include "admit/limit.h"
#include "master/loop.h"
#include "plan/plan.h"

struct serving;

enum gate_reason {
	GATE_FULL = 1,	    /* the service has all its instances */
	GATE_ALL_FULL = 2,  /* all services together have theirs */
	GATE_THROTTLED = 4, /* its workers die at once */
	GATE_SHORT = 8,	    /* of descriptors, memory or processes */
	GATE_STOPPED = 16,  /* the daemon is stopping */
};

struct gate {
	struct watch watch;
	const struct plan_listener *plan;
	struct serving *serving;
	unsigned closed; /* enum gate_reason; 0: polled */
	unsigned futile; /* accepts in a row that gave no client */
	SLIST_ENTRY(gate) of_service;
};

/* Makes a gate for every listener of the plan, all of them open.  servings is indexed as the plan's
 * services.  0, or -1 with errno. */
int gates_init(const struct plan *plan, struct serving *servings);

/* One reason more, or less, for one gate.  A closed gate's clients wait in the kernel's queue. */
void gate_close(struct gate *gate, enum gate_reason reason);
void gate_open(struct gate *gate, enum gate_reason reason);

/* The same for all. */
void gates_close(enum gate_reason reason);
void gates_open(enum gate_reason reason);

/* The limit of all services together. */
struct limit *gates_limit(void);

/* Closes what the children of spawn_worker() have meanwhile made their own: to be called when one
 * has ended, so that its client sees the end of the connection. */
void gates_settle(void);

/* Removes the files of Unix sockets that are still ours: for a start that fails. */
void gates_remove_files(const struct plan *plan);

/* No more connections: closes the sockets and removes the files of Unix sockets that are still
 * ours.  Clients that wait in a queue are reset. */
void gates_fini(void);

#endif
