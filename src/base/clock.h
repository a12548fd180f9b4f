/* SPDX-License-Identifier: ISC */
/* Time.  Deadlines and durations are monotonic; the wall clock is only ever shown. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define MS_IN_S	 1000LL
#define NS_IN_MS 1000000LL
#define NS_IN_S	 1000000000LL

/* CLOCK_MONOTONIC in nanoseconds.  Cannot fail. */
int64_t clock_now_ns(void);

#endif
