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
	GATE_RATE = 2,	    /* it has used up its rate */
	GATE_STARVED = 4,   /* it has a client, but all services together, or headers, are full */
	GATE_THROTTLED = 8, /* its workers die at once */
	GATE_SHORT = 16,    /* of descriptors, memory or processes */
	GATE_STOPPED = 32,  /* the daemon is stopping */
	GATE_LENT = 64,	    /* a standing worker has the listener */
};

struct gate {
	struct watch watch;
	const struct plan_listener *plan;
	struct serving *serving;
	unsigned closed; /* enum gate_reason; 0: polled */
	unsigned futile; /* accepts in a row that gave no client */
	SLIST_ENTRY(gate) of_service;
	SLIST_ENTRY(gate) starved; /* while it is closed for GATE_STARVED */
};

/* Makes a gate for every listener of the plan, all of them open.  servings is indexed as the plan's
 * services.  0, or -1 with errno. */
int gates_init(const struct plan *plan, struct serving *servings);

/* One reason more, or less, for one gate.  A closed gate's clients wait in the kernel's queue. */
void gate_close(struct gate *gate, enum gate_reason reason);
void gate_open(struct gate *gate, enum gate_reason reason);

/* The gate of a listener, by its place in the plan; NULL: it has none. */
struct gate *gates_find(uint32_t listener);

/* The place of its listener in the plan. */
uint32_t gate_place(const struct gate *gate);

/* A worker for it could not be made, errno says why: its clients wait, or everybody's. */
void gate_fail(struct gate *gate);

/* It was readable, and nobody was there: too often in a row it is closed for a while. */
void gate_futile(struct gate *gate);

/* All services together, or PROXY headers, have a place again: opens the gates that had a client
 * for it meanwhile. */
void gates_feed(void);

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
