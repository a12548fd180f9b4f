/* SPDX-License-Identifier: ISC */
/* The reload: all or nothing, in the same process. */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "master/legacy.h"
#include "plan/plan.h"

/* Gets ready for reloads of what runs by this plan; both are borrowed. */
void reload_init(const struct plan *plan, struct legacy *legacy);

/* Starts one, or remembers that another one is wanted when the current one has ended. */
void reload_request(void);

/* Gives up the current one, if there is one: the daemon is to stop. */
void reload_abort(void);

/* This master has been put back, because the next one could not start. */
void reload_returned(const char *why);

/* This master is the next one, and serves. */
void reload_succeeded(const struct state *state);

#endif
