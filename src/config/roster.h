/* SPDX-License-Identifier: ISC */
/* The lists of peers while they are loaded: whose are they, and what stands in them twice. */
#ifndef ROSTER_H
#define ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "config/peers.h"

struct builder;
struct setting;

struct roster_entry {
	struct peer peer;
	uint32_t item; /* of the setting, and the place of its text */
};

struct roster {
	const struct setting *setting; /* NULL: nothing is here */
	struct peers *peers;	       /* owned by the configuration */
	struct roster_entry *sorted;   /* by peer, then by item; none where an entry is wrong */
	size_t count;
};

/* only-from, no-access and proxy-protocol. */
#define ROSTERS 3

/* Makes the list of each of these keys that is set, and adds what is wrong or odd about it to the
 * problems. */
void rosters_load(const struct builder *builder);

void rosters_fini(struct roster rosters[static ROSTERS]);

#endif
