/* SPDX-License-Identifier: ISC */
/* Lists of peers, made by hand, without what reads a configuration. */
#ifndef PEERING_H
#define PEERING_H

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "config/peers.h"
#include "random.h"

static inline void add_peer(struct peers *peers, struct peer peer)
{
	if ((peers->count & (peers->count - 1)) == 0) /* 0, 1, 2, 4 ... */
		peers->all = realloc(peers->all, (2 * peers->count + 1) * sizeof(peer));
	ck_assert_ptr_nonnull(peers->all);
	peers->all[peers->count++] = peer;
}

/* "192.0.2.0/24", "2001:db8::/32": host bits are not looked at. */
static inline void add_prefix(struct peers *peers, const char *text)
{
	struct peer peer = { .kind = strchr(text, ':') ? PEER_INET6 : PEER_INET };
	char *address = strdup(text), *length = strchr(address, '/');

	*length++ = '\0';
	peer.length = (uint8_t)atoi(length);
	ck_assert_int_eq(
		inet_pton(peer.kind == PEER_INET ? AF_INET : AF_INET6, address, peer.address), 1);
	free(address);
	add_peer(peers, peer);
}

static inline void add_user(struct peers *peers, uint32_t uid)
{
	add_peer(peers, (struct peer){ .kind = PEER_USER, .id = uid });
}

static inline void add_group(struct peers *peers, uint32_t gid)
{
	add_peer(peers, (struct peer){ .kind = PEER_GROUP, .id = gid });
}

#endif
