/* SPDX-License-Identifier: ISC */
/* The master: from the plan to the last worker. */
#ifndef MASTER_H
#define MASTER_H

#include <stdbool.h>

#include "plan/launch.h"
#include "plan/plan.h"

/* Takes over the descriptors that the plan and the state of a master before it name, serves, and
 * returns the exit status when it has been told to stop and has drained. */
int master_run(const struct plan *plan, const struct launch *launch);

/* From here on no failure ends it. */
bool master_is_ready(void);

/* Until then: becomes the master before it.  Returns when that fails, which is logged. */
void master_leave(int master_fd, const struct launch *back);

#endif
