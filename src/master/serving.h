/* SPDX-License-Identifier: ISC */
/* A service at run time. */
#ifndef SERVING_H
#define SERVING_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>

#include "admit/limit.h"
#include "master/child.h"
#include "master/errlog.h"
#include "master/loop.h"
#include "master/throttle.h"
#include "plan/plan.h"
#include "plan/state.h"
#include "report/log.h"
#include "report/stats.h"

struct gate;

struct serving {
	const struct plan_service *plan;
	const char *name;
	struct limit limit;
	struct throttle throttle;
	struct timer pause;    /* the end of a throttle */
	struct errlog *errlog; /* NULL: not open */
	struct log_limit full_limit;
	struct service_stats stats;
	uint32_t saved_as; /* its place in a state that is being saved */
	bool ghost;	   /* no longer in the plan: it is there until its last worker has ended */
	SLIST_HEAD(, gate) gates;
};

/* Makes one for every service of the plan, in its order and without gates, and after them one for
 * each that only a state (NULL: there is none) still has.  0, or -1 with errno. */
int servings_init(const struct plan *plan, const struct state *state);

/* The first of them, and how many there are. */
struct serving *servings_all(void);
size_t servings_count(void);

/* Goes on where a master before us was; workers are not counted yet, and the gates must be there.
 */
int serving_adopt(struct serving *serving, const struct state_service *state);

/* Counts a worker that a master before us has started. */
void serving_adopt_worker(struct serving *serving);

/* Logs the lines of workers that are not complete yet. */
void servings_flush(void);

/* Closes the gates of services whose adopted workers, or their throttle, ask for it. */
void servings_settle(void);

/* A worker of it has ended: counts it, gives its place back, throttles, opens the gates if there is
 * reason. */
void serving_ended(struct serving *serving, const struct child_end *end);

/* A place is taken for a new worker; closes the gates when it was the last. */
void serving_take(struct serving *serving);
void serving_give(struct serving *serving);

#endif
