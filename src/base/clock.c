/* SPDX-License-Identifier: ISC */
/*
 * Time: the one place that asks the kernel for it.
 *
 * Every timer and every duration of begat is measured with CLOCK_MONOTONIC, so that a clock that
 * jumps by a day changes what is shown and nothing else.
 */
#include "config.h"

#include "base/clock.h"

#include <time.h>

int64_t clock_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: valid clock, valid pointer */
	return now.tv_sec * NS_IN_S + now.tv_nsec;
}
