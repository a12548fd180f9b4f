/* SPDX-License-Identifier: ISC */
/*
 * How many at one time, and how many in how much time.
 *
 * A place is taken before a worker is spawned and given back when it is reaped, so a limit can
 * never be exceeded, whatever dies when.  Who is refused or made to wait is decided elsewhere.
 *
 * A token bucket is kept as the generic cell rate algorithm does it (ITU-T I.371, the virtual
 * scheduling form): how much is missing is the time that it takes to come back.  So a bucket needs
 * no timer, and one that has been left alone for its window is a full one without anybody touching
 * it.  The numbers may come from a master before us that went by another rate, or from a damaged
 * table: whatever they are, no sum overflows, and bucket_clip() lets a bucket lack no more than its
 * window, from then on.
 */
#include "config.h"

#include "admit/limit.h"

bool limit_is_full(const struct limit *limit)
{
	return limit->active >= limit->max;
}

void limit_take(struct limit *limit)
{
	limit->active++;
}

void limit_give(struct limit *limit)
{
	limit->active--;
}

/* How long the bucket needs until it is full.  Both are at most INT64_MAX / 2 where the plan is
 * sound, and so is the clock, so that two of them can be added. */
static int64_t missing_ns(int64_t full_ns, const struct plan_rate *rate, int64_t now_ns)
{
	if (full_ns <= now_ns)
		return 0;
	return full_ns - now_ns < rate->window_ns ? full_ns - now_ns : rate->window_ns;
}

bool bucket_has(int64_t full_ns, const struct plan_rate *rate, int64_t now_ns)
{
	return rate->step_ns == 0 ||
	       missing_ns(full_ns, rate, now_ns) <= rate->window_ns - rate->step_ns;
}

void bucket_take(int64_t *full_ns, const struct plan_rate *rate, int64_t now_ns)
{
	if (rate->step_ns != 0)
		*full_ns = now_ns + missing_ns(*full_ns, rate, now_ns) + rate->step_ns;
}

void bucket_give(int64_t *full_ns, const struct plan_rate *rate)
{
	*full_ns = *full_ns > rate->step_ns ? *full_ns - rate->step_ns : 0;
}

int64_t bucket_clip(int64_t full_ns, const struct plan_rate *rate, int64_t now_ns)
{
	return full_ns > now_ns ? now_ns + missing_ns(full_ns, rate, now_ns) : full_ns;
}

int64_t bucket_due_ns(int64_t full_ns, const struct plan_rate *rate, int64_t now_ns)
{
	if (rate->step_ns == 0)
		return now_ns;
	return now_ns + missing_ns(full_ns, rate, now_ns) - (rate->window_ns - rate->step_ns);
}
