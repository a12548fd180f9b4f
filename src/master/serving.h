/* SPDX-License-Identifier: ISC */
/* A service at run time. */
#ifndef SERVING_H
#define SERVING_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "admit/admit.h"
#include "master/child.h"
#include "master/errlog.h"
#include "master/loop.h"
#include "master/throttle.h"
#include "plan/plan.h"
#include "plan/state.h"
#include "report/log.h"
#include "report/stats.h"

struct gate;

#define SERVING_WHY 64

/* What is seldom written to, and therefore apart: memory that nobody touches costs nothing. */
struct serving_record {
	struct service_stats stats;
	struct log_limit refused_log[REFUSALS];
	struct log_limit full_log, banned_log, unborn_log;
	char throttled_why[SERVING_WHY]; /* the last bad end of a throttle, or why none is born */
	int unborn_ms; /* the last pause because no worker could be born; 0: one could, since */
};

struct serving {
	const struct plan_service *plan;
	const char *name;
	struct quota quota;
	struct throttle throttle;
	struct timer pause;    /* the end of a throttle, of a trial, or until a birth is tried */
	struct timer refill;   /* the next token of its rate */
	struct errlog *errlog; /* NULL: not open */
	struct serving_record *record;
	uint32_t saved_as; /* its place in a state that is being saved */
	bool ghost;	   /* no longer in the plan: it is there until its last worker has ended */
	bool on_trial;	   /* after a throttle: one worker alone shows whether it goes well */
	bool waits;	   /* its clients wait when it is full; else they are refused */
	SLIST_HEAD(, gate) gates;
};

/* Makes one for every service of the plan, in its order and without gates, and after them one for
 * each that only a state (NULL: there is none) still has.  0, or -1 with errno. */
int servings_init(const struct plan *plan, const struct state *state);

/* The plan that they are made of. */
const struct plan *serving_plan(void);

/* The first of them, and how many there are. */
struct serving *servings_all(void);
size_t servings_count(void);

/* Goes on where a master before us was; workers are not counted yet, and the gates must be there.
 */
int serving_adopt(struct serving *serving, const struct state *state,
		  const struct state_service *left);

/* Counts a worker that a master before us has started. */
void serving_adopt_worker(struct serving *serving);

/* Logs the lines of workers that are not complete yet. */
void servings_flush(void);

/* Closes the gates of services whose adopted workers, or their throttle, ask for it. */
void servings_settle(void);

/* A worker of it has ended: counts it, gives its place back, throttles, opens the gates if there is
 * reason. */
void serving_ended(struct serving *serving, const struct child *child, const struct child_end *end);

/* The question whether a connection may come in to it now. */
struct admission serving_ask(struct serving *serving, const struct connection *connection);

/* A place is taken for a new worker, and a token for its client where there is one; closes the
 * gates when it was the last.  A place is given back. */
void serving_take(struct serving *serving, const struct admission *admission);
void serving_take_place(struct serving *serving);
void serving_give(struct serving *serving);

/* What a standing worker tells of those that it has refused: how many, and one of them. */
void serving_told(struct serving *serving, enum refusal refusal, uint64_t count, const char *peer);
void serving_told_ban(struct serving *serving, const char *peer);

/* Takes no clients for a while; why is said to whoever asks, cut to SERVING_WHY. */
void serving_pause(struct serving *serving, int64_t ms, const char *why);

/* A token has been given back: opens the gates where they were closed for want of one. */
void serving_refill(struct serving *serving);

/* Counts a refusal, logs it, and bans its source where that is due.  The connection is the one that
 * the admission asks for; it may be described here, and is otherwise left as it is. */
void serving_refused(struct serving *serving, struct connection *connection,
		     const struct admission *admission, enum refusal refusal);

#endif
