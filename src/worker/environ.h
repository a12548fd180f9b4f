/* SPDX-License-Identifier: ISC */
/* The environment of a program: what the plan has, and what is known of this connection. */
#ifndef ENVIRON_H
#define ENVIRON_H

#include "plan/plan.h"
#include "worker/worker.h"

#define ENVIRON_OWN 16 /* variables of the connection, at most */

struct environ_block {
	char *vector[PLAN_VECTOR_MAX + ENVIRON_OWN + 1];
	size_t count;
	char text[1024]; /* what the connection's variables point into */
	size_t used;
};

/* Fills a block on the caller's stack: begat.conf(5), ENVIRONMENT.  Child side only; allocates
 * nothing.  A variable for which there is no room is left out. */
void environ_build(const struct worker_task *task, struct environ_block *block);

#endif
