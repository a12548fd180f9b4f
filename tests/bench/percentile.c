/* SPDX-License-Identifier: ISC */
/*
 * What many measurements come down to: the value that most of them do not exceed.
 *
 * For the latencies of load.c, crowd.c and probe.c.
 */
#include "config.h"

#include "percentile.h"

#include <err.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

double percentile(float *values, size_t count, double percent)
{
	size_t place = (size_t)((double)count * percent / 100);

	if (count == 0)
		errx(1, "not one answer");
	qsort(values, count, sizeof(*values), compare);
	return values[place < count ? place : count - 1];
}
