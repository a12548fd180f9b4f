/* SPDX-License-Identifier: ISC */
/* A list of peers: only-from, no-access, proxy-protocol. */
#ifndef PEERS_H
#define PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "config/value.h"

#define PEER_TEXT 64 /* bytes of a prefix as text */

enum peer_kind { PEER_INET, PEER_INET6, PEER_USER, PEER_GROUP };

struct peer {
	enum peer_kind kind;
	uint8_t address[16]; /* network byte order; PEER_INET: the first four; host bits are 0 */
	uint8_t length;	     /* bits of the prefix */
	uint32_t id;	     /* of a user or a group */
};

struct peers {
	struct peer *all; /* what the entries stand for; an interface stands for several */
	size_t count;
	unsigned kinds; /* which there are: 1 << enum peer_kind */
	char **texts;	/* the entries in canonical form, NULL-terminated */
	size_t ntexts;
	uint64_t checksum; /* of the texts */
};

/* "192.0.2.0/24", "2001:db8::/32", an address alone; "user:NAME", "group:NAME", "uid:N", "gid:N";
 * "@eth0": the networks that this interface is in now.  IPv4-mapped prefixes become IPv4 ones.
 * Adds what the entry stands for.  0, or -1 with the reason.  Reads NSS and the interfaces. */
int peers_add(struct peers *peers, const char *text, char why[static VALUE_WHY]);

/* One prefix, which is all that comes from anywhere: no NSS, no interface.  0, or -1 with the
 * reason. */
int peer_parse_prefix(const char *text, struct peer *peer, char why[static VALUE_WHY]);

/* Below 0, 0, above 0: some order in which equal ones are side by side. */
int peer_compare(const struct peer *a, const struct peer *b);

/* In canonical form: an address alone where the prefix is one. */
void peer_format_prefix(const struct peer *peer, char text[static PEER_TEXT]);

void peers_free(struct peers *peers);

#endif
