/* SPDX-License-Identifier: ISC */
/*
 * How many at one time.
 *
 * A place is taken before a worker is spawned and given back when it is reaped, so a limit can
 * never be exceeded, whatever dies when.  Who is refused or made to wait is decided elsewhere.
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
