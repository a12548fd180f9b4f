/* SPDX-License-Identifier: ISC */
/* A connection that has been accepted, and who is at its other end. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/inet.h"

struct connection {
	int fd;			       /* close-on-exec, blocking: a program gets it as it is */
	struct sockaddr_storage peer;  /* IPv4-mapped addresses unmapped */
	struct ucred credentials;      /* of a Unix peer, SO_PEERCRED; uid -1: not known */
	struct sockaddr_storage proxy; /* who speaks for the peer; AF_UNSPEC: nobody */
	struct sockaddr_storage local; /* where the peer thinks it is, as a proxy says; likewise */
	char text[INET_TEXT];	       /* by connection_describe() */
};

enum connection_result {
	CONNECTION_OK,
	CONNECTION_NONE,  /* nothing waits */
	CONNECTION_AGAIN, /* that one is gone; there may be another */
	CONNECTION_SHORT, /* of descriptors or memory: errno says which; try later */
	CONNECTION_BROKEN /* an error that should not be; errno */
};

/* Takes one connection from a non-blocking listening socket: accept4(2).  Never blocks. */
enum connection_result connection_accept(int listening_fd, struct connection *connection);

/* Puts the peer into words: "192.0.2.7:4711", "unix:uid=1000", "fifo".  Most that are refused do
 * without.
 */
void connection_describe(struct connection *connection);

/* The groups of a Unix peer, its primary one first, and how many: SO_PEERGROUPS of unix(7).  Where
 * the kernel does not say more it is that one alone, and not all.  They stand there until the next
 * call.
 */
size_t connection_groups(const struct connection *connection, const gid_t **groups, bool *are_all);

/* Whether the client has reset already; what it had sent before can still be read. */
bool connection_is_reset(const struct connection *connection);

#endif
