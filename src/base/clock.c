/* SPDX-License-Identifier: ISC */
/*
 * Time: the one place that asks the kernel for it.
 *
 * Every timer and every duration of begat is measured with CLOCK_MONOTONIC, so that a clock that
 * jumps by a day changes what is shown and nothing else.
 */
#include "config.h"

#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: valid clock, valid pointer */
	return now.tv_sec * NS_IN_S + now.tv_nsec;
}

int clock_left_ms(int64_t due_ns)
{
	const int64_t left_ns = due_ns - clock_now_ns();

	if (left_ns <= 0)
		return 0;
	return left_ns < INT_MAX * NS_IN_MS ? (int)((left_ns + NS_IN_MS - 1) / NS_IN_MS) : INT_MAX;
}

void clock_format_duration(int64_t ms, char text[static CLOCK_TEXT])
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
	size_t length = 0;

	strcpy(text, "0");
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (ms >= units[i].ms)
			length += (size_t)snprintf(text + length, CLOCK_TEXT - length, "%lld%s",
						   (long long)(ms / units[i].ms), units[i].name);
		ms %= units[i].ms;
	}
}
