/* SPDX-License-Identifier: ISC */
/* Where a service is redirected to: begat.conf(5), "redirect". */
#ifndef TARGETS_H
#define TARGETS_H

#include <stdbool.h>
#include <stddef.h>

/* Checks one target, "tcp:HOST:PORT", "udp:HOST:PORT", "unix:/path", "unix:@name", and gives it in
 * the canonical form that the handler "redirect" reads: a port by number, IPv6 in brackets.  HOST
 * is a name or an address; names are not looked up.  NULL with what is wrong in why.  To be freed.
 */
char *target_parse(const char *text, char *why, size_t size);

/* Of a canonical one. */
bool target_is_datagram(const char *target);
bool target_has_name(const char *target);
unsigned target_port(const char *target); /* 0: a Unix socket */

#endif
