/* SPDX-License-Identifier: ISC */
/* How many at one time: of a service, and of all services together. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>

struct limit {
	unsigned active;
	unsigned max; /* from 1 */
};

bool limit_is_full(const struct limit *limit);

/* Takes one place, which must be there; gives one back. */
void limit_take(struct limit *limit);
void limit_give(struct limit *limit);

#endif
