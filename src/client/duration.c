/* SPDX-License-Identifier: ISC */
/*
 * How long something takes, for people, who want to know how large it is rather than all of it.
 */
#include "config.h"

#include "client/duration.h"

#include <stdio.h>

#include "base/clock.h"

#define MINUTE 60LL
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const char *duration_format(int64_t seconds, char text[static DURATION_TEXT])
{
	const long long s = seconds < 0 ? 0 : seconds;

	if (s >= DAY)
		snprintf(text, DURATION_TEXT, "%lldd %lldh", s / DAY, s % DAY / HOUR);
	else if (s >= HOUR)
		snprintf(text, DURATION_TEXT, "%lldh %lldm", s / HOUR, s % HOUR / MINUTE);
	else if (s >= MINUTE)
		snprintf(text, DURATION_TEXT, "%lld min", s / MINUTE);
	else
		snprintf(text, DURATION_TEXT, "%lld s", s);
	return text;
}

const char *duration_format_left(int64_t until_ns, int64_t now_ns, char text[static DURATION_TEXT])
{
	int64_t left_ns;

	if (__builtin_sub_overflow(until_ns, now_ns, &left_ns) || left_ns <= NS_IN_S)
		return duration_format(1, text); /* what makes no sense as well */
	return duration_format(left_ns / NS_IN_S + (left_ns % NS_IN_S > 0), text);
}
