/* SPDX-License-Identifier: ISC */
/* Where redirected datagrams may go: the addresses of all targets, in their order. */
#ifndef RELAY_TARGETS_H
#define RELAY_TARGETS_H

#include <stdint.h>

#include "worker/session.h"

#define RELAY_ADDRESSES 64

struct relay_targets {
	struct begat_session *session;
	char *const *all; /* NULL-terminated, as config/targets.h writes them */
	struct sockaddr_storage addresses[RELAY_ADDRESSES];
	unsigned count; /* of addresses; 0: no name could be looked up */
	int64_t looked_up_ns, complained_ns;
};

/* Blocks while names are looked up, as everything here may. */
void relay_targets_init(struct relay_targets *targets, struct begat_session *session);

/* Looks names up again, at most every few seconds.  When nothing is found, what was known stays. */
void relay_targets_renew(struct relay_targets *targets);

/* The same, and says so, when none of the addresses has answered. */
void relay_targets_doubt(struct relay_targets *targets, int error);

#endif
