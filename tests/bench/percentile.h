/* SPDX-License-Identifier: ISC */
#ifndef PERCENTILE_H
#define PERCENTILE_H

#include <stddef.h>

/* Sorts them, and returns the one that so many of a hundred do not exceed.  Exits 1 with a message
 * when there are none. */
double percentile(float *values, size_t count, double percent);

#endif
