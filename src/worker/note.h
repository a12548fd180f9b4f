/* SPDX-License-Identifier: ISC */
/*
 * What a standing worker tells the master about its clients: how many there were, and who was
 * refused.  One packet over a socket pair of their own (SOCK_SEQPACKET), when there is something
 * new and at most once a second, and a last one at its end.  Numbers, and no byte that a client
 * sent.  The master shuts its side down when the worker shall finish; that it is gone says the
 * same.
 */
#ifndef NOTE_H
#define NOTE_H

#include <netinet/in.h>
#include <stdint.h>

#include "report/refusal.h"

struct note_refused {
	uint64_t count; /* since the note before */
	/* The first of them, or one that was banned: AF_INET (sin6_addr: IPv4-mapped), AF_INET6, or
	 * AF_UNIX, whose user is the scope; 0: nobody. */
	struct sockaddr_in6 peer;
	uint32_t banned; /* that one was banned by it */
	uint32_t padding;
};

struct note {
	uint64_t served; /* clients, or datagrams that were answered, since the note before */
	struct note_refused refused[REFUSALS];
};

#endif
