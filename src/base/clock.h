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

/* How long it is until then, for poll(2): rounded up, so that it does not come back a little early
 * and spin; 0 when it has passed. */
int clock_left_ms(int64_t due_ns);

/* "500ms", "30s", "1h30m", "0": as begat.conf(5) has it. */
#define CLOCK_TEXT 32
void clock_format_duration(int64_t ms, char text[static CLOCK_TEXT]);

#endif
