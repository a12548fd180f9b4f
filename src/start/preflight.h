/* SPDX-License-Identifier: ISC */
/* begatd as the preflight of a reload: started by the running master, it checks and opens all that
 * the next one needs, so that nothing can fail when that takes over. */
#ifndef PREFLIGHT_H
#define PREFLIGHT_H

#include "config/config.h"
#include "plan/build.h"
#include "plan/handover.h"

/* The master's state, when we were started for a reload, and the argument that says so is taken
 * out; NULL when this is an ordinary start.  To be called first: what it reads is closed later.
 * Ends the program when the state cannot be read. */
struct handover *preflight_begin(int *argc, char **argv);

/* The descriptors that must stay open: their number, and they themselves in keep. */
#define PREFLIGHT_KEEPS 2
void preflight_keeps(const struct handover *old, int keep[PREFLIGHT_KEEPS]);

/* Checks, opens, hands over; returns when the new master has taken over.  global holds what follows
 * from the configuration, and the text in effect; the rest is filled in.  Ends the program with a
 * message on standard error when anything is wrong, and then nothing has changed.  Blocks, and has
 * no time limit of its own.
 */
void preflight_run(const struct handover *old, const struct config *config,
		   struct plan_global *global, const struct build_texts *texts);

#endif
