/* SPDX-License-Identifier: ISC */
/* How many descriptors the master may have: RLIMIT_NOFILE, see setrlimit(2). */
#ifndef NOFILE_H
#define NOFILE_H

#include "config/config.h"
#include "plan/handover.h"
#include "plan/plan.h"

/* How many descriptors the master needs, but for connections whose PROXY header is missing yet. */
size_t nofile_count(const struct config *config);

/* For the first master: what workers get back is what was found, and the soft limit is raised to
 * what the listeners need.  Ends the program where the hard limit forbids that. */
void nofile_start(const struct config *config, struct plan_global *global);

/* For one after it.  Where somebody has lowered the hard limit meanwhile, that has to do. */
void nofile_reload(const struct config *config, const struct handover *old,
		   struct plan_global *global);

#endif
