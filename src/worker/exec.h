/* SPDX-License-Identifier: ISC */
/* Running a program on the connection.  Child side only. */
#ifndef EXEC_H
#define EXEC_H

#include "worker/worker.h"

/* Becomes the program.  Returns only on failure: -errno. */
long exec_program(const struct worker_task *task);

/* Writes the service's banner to the client, expanded: %h %p %s %t.  A client that is gone is no
 * error. */
void exec_banner(const struct worker_task *task);

#endif
