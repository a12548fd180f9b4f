/* SPDX-License-Identifier: ISC */
/* begatd, which a child of the master becomes: the preflight, the resolver. */
#ifndef MASTER_BEGATD_H
#define MASTER_BEGATD_H

#include <stdbool.h>

#include "plan/plan.h"

/* Whether its path leads nowhere any more; the program that was started is still there. */
bool begatd_is_gone(const struct plan *plan);

/* Becomes it: by its path, or the very program that was started.  Child side only; returns only
 * when it cannot, with errno. */
void begatd_execute(const struct plan *plan, bool by_descriptor, char **arguments);

#endif
