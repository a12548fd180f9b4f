/* SPDX-License-Identifier: ISC */
/* Socket addresses of the Internet families as text. */
#ifndef INET_H
#define INET_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

/* Rewrites an IPv4-mapped IPv6 address as IPv4, so that the whole program sees one form. */
void inet_unmap(struct sockaddr_storage *address);

/* Bytes of an Internet address: of the structure that is in there. */
socklen_t inet_length(const struct sockaddr_storage *address);

/* The address without its port: "192.0.2.7", "2001:db8::1", "fe80::1%2"; "" for other families.
 * Allocates nothing. */
void inet_format_host(const struct sockaddr *address, char *text, size_t size);

/* With it: "192.0.2.7:4711", "[2001:db8::1]:4711". */
void inet_format(const struct sockaddr *address, char *text, size_t size);

/* In host byte order; 0 for other families. */
unsigned inet_port(const struct sockaddr *address);

#define INET_TEXT 80 /* bytes that either needs at most */

#endif
