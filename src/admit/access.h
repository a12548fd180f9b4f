/* SPDX-License-Identifier: ISC */
/* Whether a peer may come in: by its address or its user, and by the time of the week. */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>
#include <time.h>

#include "admit/connection.h"
#include "plan/plan.h"

/* The longest prefix that fits decides; where only-from and no-access have the same one, it denies.
 * A Unix peer is judged by its user first, then by its groups (SO_PEERGROUPS of unix(7)), where one
 * that is denied outweighs all others.  No look-up of names.  Never blocks. */
bool access_is_allowed(const struct plan *plan, const struct plan_access *access,
		       const struct connection *connection);

/* Whether the local time is within access-times. */
bool access_is_time(const struct plan *plan, const struct plan_admission *admission, time_t now);

#endif
