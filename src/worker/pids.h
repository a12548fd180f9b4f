/* SPDX-License-Identifier: ISC */
/* Process numbers of one's own: private-pids, pid_namespaces(7). */
#ifndef PIDS_H
#define PIDS_H

#include "worker/worker.h"

/* Returns in a new process, the second of its namespace; the first one is its init, and the worker
 * waits outside and ends as the new process does.  Only in memory of one's own.  0 or -errno. */
long pids_enter(const struct worker_task *task);

#endif
