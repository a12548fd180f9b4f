/* SPDX-License-Identifier: ISC */
/* Monotonic time for a handler's own time limits: base/ is not in its reach. */
#ifndef NOW_H
#define NOW_H

#include <time.h>

static inline long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: valid clock, valid pointer */
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Until then, for poll(2): 0 when it has passed. */
static inline int left_ms(long long due_ms)
{
	const long long left = due_ms - now_ms();

	return left > 0 ? (int)left : 0;
}

#endif
