/* SPDX-License-Identifier: ISC */
/* How many at one time, and how many in how much time. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

struct limit {
	unsigned active;
	unsigned max; /* from 1 */
};

bool limit_is_full(const struct limit *limit);

/* Takes one place, which must be there; gives one back. */
void limit_take(struct limit *limit);
void limit_give(struct limit *limit);

/* A token bucket, known by one number: the point of monotonic time at which it is full again; in
 * the past, or 0: it is full.  A rate without a step has no limit. */
bool bucket_has(int64_t full_ns, const struct plan_rate *rate, int64_t now_ns);

/* Takes one token, which must be there; gives one back. */
void bucket_take(int64_t *full_ns, const struct plan_rate *rate, int64_t now_ns);
void bucket_give(int64_t *full_ns, const struct plan_rate *rate);

/* A bucket of another rate, as it was before a reload: it lacks no more than this one's window. */
int64_t bucket_clip(int64_t full_ns, const struct plan_rate *rate, int64_t now_ns);

/* When the next token is there, of an empty one; of any other, a point in the past or now. */
int64_t bucket_due_ns(int64_t full_ns, const struct plan_rate *rate, int64_t now_ns);

#endif
