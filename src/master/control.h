/* SPDX-License-Identifier: ISC */
/* The control socket: what begat(1) asks a running daemon. */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

#include "master/legacy.h"
#include "plan/plan.h"

/* Listens on the plan's control socket, if it has one; legacy is what status tells of.  0, or -1
 * with errno. */
int control_init(const struct plan *plan, const struct legacy *legacy);

/* Removes the file of the socket if it is still ours: for a start that fails. */
void control_remove_file(const struct plan *plan);

/* Nobody is answered any more: closes everything and removes the file. */
void control_fini(void);

/* Told of a process that is no worker: whether it was ours. */
bool control_reaped(pid_t pid, int status);

#endif
