/* SPDX-License-Identifier: ISC */
/* The parent's half of a worker's birth. */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "worker/worker.h"

/* Makes the stacks of children that share our memory.  0, or -1 with errno. */
int spawn_init(void);

/* Starts a worker and takes over the task's connection in any case: it is closed here, at once or
 * by spawn_settle().  The pid, or -1 with errno of clone(2).  Never waits for the child. */
pid_t spawn_worker(const struct worker_task *task);

/* Closes what children have meanwhile made their own.  True when something is still left, so that
 * this should be called again soon.  Never blocks. */
bool spawn_settle(void);

#endif
