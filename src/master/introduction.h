/* SPDX-License-Identifier: ISC */
/* The other half of worker/introduction.h: a worker names its client, and hears whether it may come
 * in. */
#ifndef MASTER_INTRODUCTION_H
#define MASTER_INTRODUCTION_H

#include <stdbool.h>

#include "master/child.h"
#include "plan/plan.h"

/* Refused clients that workers may tell why without being an instance; each has a place in the
 * table of children. */
#define INTRODUCTIONS_LINGERING 32

/* To be called first. */
void introductions_init(const struct plan *plan);

/* Makes the pair of sockets: ours is watched, the worker's is the caller's to close.  0, or -1 with
 * errno. */
int introduction_open(struct child *child, int *worker_fd);

/* Goes on with ours, which a master before us has left.  0, or -1 with errno. */
int introduction_adopt(struct child *child, int fd);

/* One whose client has been refused, and that is no instance any more. */
void introduction_adopt_lingering(struct child *child);

/* As many headers are missing as there are descriptors for; gates_feed() follows. */
bool introductions_are_full(void);

/* Nothing more is to be said; does nothing when it was never opened. */
void introduction_close(struct child *child);

/* The child has ended: the same, and what it may have lingered for is over. */
void introduction_ended(struct child *child);

#endif
