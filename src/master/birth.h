/* SPDX-License-Identifier: ISC */
/* The birth of a worker, whatever it is for. */
#ifndef BIRTH_H
#define BIRTH_H

#include "admit/connection.h"
#include "master/child.h"
#include "plan/plan.h"

/* Makes the worker of a child that has its place, role, and gate.  The connection's descriptor is
 * taken over in any case; the one to talk by (-1: none) is not.  0, or -1 with errno: then the
 * child is to be deleted.  Never blocks. */
int birth_give(const struct plan *plan, struct child *child, const struct plan_listener *listener,
	       const struct connection *connection, int talk_fd);

#endif
