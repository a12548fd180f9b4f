/* SPDX-License-Identifier: ISC */
/* A listening address as the administrator writes it: begat.conf(5), "Listening addresses". */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
	int type;  /* SOCK_STREAM, SOCK_DGRAM; 0: a FIFO, whose path is that of the Unix address */
	bool dual; /* "tcp:PORT", "udp:PORT": both families, IPv4 alone where IPv6 is off */
	socklen_t length; /* of the socket address; an abstract Unix name has no closing NUL */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};

#define ADDRESS_TEXT 128 /* bytes that address_format() needs at most */

/* Parses one text, which a port range turns into up to 65,535 addresses, into a list that the
 * caller frees.  0, or -1 with one line of what is wrong in error.  Numeric addresses only; port
 * names by getservbyname(3), so it may read files; never asks DNS. */
int address_parse(const char *text, struct address **list, size_t *count, char *error, size_t size);

/* The canonical form, which address_parse() reads back to the same. */
void address_format(const struct address *address, char *text, size_t size);

/* Whether it is all addresses of a family. */
bool address_is_wildcard(const struct address *address);

/* Whether there could not be both: the same path, or the same port of one protocol and the same
 * address or a wildcard that covers the other.  Port 0 conflicts with nothing. */
bool address_conflicts(const struct address *a, const struct address *b);

#endif
