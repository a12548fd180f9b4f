/* SPDX-License-Identifier: ISC */
/* The text of a configuration file made safe for libconfuse: begat.conf(5), "Grammar". */
#ifndef SCRUB_H
#define SCRUB_H

#include <stddef.h>

#include "config/problem.h"

/* What an empty list holds in the scrubbed text, because libconfuse says nothing about `key = {}`.
 * No value can be written that equals it. */
#define SCRUB_EMPTY "\001"

struct scrubbed {
	char *text; /* NUL-terminated; owned */
	int *lines; /* of each section's name, in their order; owned */
	size_t nlines;
};

/* Checks what libconfuse 3.3 gets wrong and blanks comments, so that each byte that is left stands
 * on its line.  0, or -1 when the text must not be parsed: every reason is in problems then.  The
 * text may hold any byte.  fini in both cases. */
int scrub_text(const char *text, size_t length, const char *file, struct scrubbed *scrubbed,
	       struct problem_list *problems);
void scrub_fini(struct scrubbed *scrubbed);

#endif
