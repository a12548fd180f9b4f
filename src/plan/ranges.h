/* SPDX-License-Identifier: ISC */
/* Two lists of peers as ranges without overlap, which is how a plan tells who may come. */
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/peers.h"
#include "plan/plan.h"

/* What struct plan_access is made of. */
struct ranges {
	struct plan_span4 *spans4;
	struct plan_span6 *spans6;
	struct plan_id *users;
	struct plan_id *groups;
	size_t nspans4, nspans6, nusers, ngroups;
	bool others_allowed;
};

/* The longest prefix that fits decides; a prefix, a user or a group that is in both lists is
 * denied. What fits nowhere may come, unless only_from is given.  Either list may be NULL: not
 * given, which is not the same as empty.  n peers take n log n steps. */
void ranges_init(struct ranges *ranges, const struct peers *only_from,
		 const struct peers *no_access);
void ranges_fini(struct ranges *ranges);

#endif
