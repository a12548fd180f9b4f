/* SPDX-License-Identifier: ISC */
/* The descriptors that cross an exec: named one by one, and all others are closed. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdbool.h>

#include "plan/plan.h"
#include "plan/state.h"

struct descriptors {
	int *all; /* owned */
	size_t count;
};

/* Those that a plan and a state (NULL: none) speak of, with room for so many more.  What the state
 * has received is not among them: it is the next master's, and not needed on the way back.  0, or
 * -1 with errno ENOMEM. */
int descriptors_list(const struct plan *plan, const struct state *state, size_t more,
		     struct descriptors *list);

/* One more; negative ones stand for none. */
void descriptors_add(struct descriptors *list, int fd);

/* Sets close-on-exec on all of them, or clears it.  0, or -1 with errno; tries all in any case. */
int descriptors_set_cloexec(const struct descriptors *list, bool on);

void descriptors_fini(struct descriptors *list);

#endif
