/* SPDX-License-Identifier: ISC */
/* The master: from the plan to the last worker. */
#ifndef MASTER_H
#define MASTER_H

#include "plan/plan.h"

/* Takes over the descriptors that the plan names, serves, and returns the exit status when it has
 * been told to stop and has drained. */
int master_run(const struct plan *plan);

#endif
