/* SPDX-License-Identifier: ISC */
/* "Did you mean ...?" */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

struct nearest {
	const char *wanted;
	const char *name; /* the best so far; NULL: nothing is near */
	size_t distance;
};

#define NEAREST_SUFFIX 96 /* bytes */

/* Start with { .wanted = what was written }, offer each name, then ask for the text to append to a
 * message: "; did you mean "name"?" or nothing. */
void nearest_offer(struct nearest *nearest, const char *name);
void nearest_format(const struct nearest *nearest, char text[static NEAREST_SUFFIX]);

#endif
