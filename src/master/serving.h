/* SPDX-License-Identifier: ISC */
/* A service at run time. */
#ifndef SERVING_H
#define SERVING_H

#include <bsd/sys/queue.h>
#include <stdbool.h>

#include "admit/limit.h"
#include "master/child.h"
#include "master/errlog.h"
#include "master/loop.h"
#include "master/throttle.h"
#include "plan/plan.h"
#include "report/log.h"

struct gate;

struct serving {
	const struct plan_service *plan;
	const char *name;
	struct limit limit;
	struct throttle throttle;
	struct timer pause; /* the end of a throttle */
	struct errlog errlog;
	struct log_limit full_limit;
	SLIST_HEAD(, gate) gates;
};

/* Fills it in, without gates.  Never fails. */
void serving_init(struct serving *serving, const struct plan *plan,
		  const struct plan_service *planned);

/* A worker of it has ended: gives its place back, throttles, opens the gates if there is reason. */
void serving_ended(struct serving *serving, const struct child_end *end);

/* A place is taken for a new worker; closes the gates when it was the last. */
void serving_take(struct serving *serving);
void serving_give(struct serving *serving);

#endif
