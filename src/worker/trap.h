/* SPDX-License-Identifier: ISC */
/* Which system call a handler was ended for: seccomp(2), SECCOMP_RET_TRAP. */
#ifndef TRAP_H
#define TRAP_H

#include "worker/worker.h"

/* From now on a call that the filter does not let in is noted where failing steps are, as
 * WORKER_STEP_FILTER, and the worker dies of SIGSYS.  Only in memory of one's own.  0 or -errno. */
long trap_set(const struct worker_task *task);

#endif
