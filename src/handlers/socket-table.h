/* SPDX-License-Identifier: ISC */
/* The kernel's table of TCP connections. */
#ifndef HANDLERS_SOCKET_TABLE_H
#define HANDLERS_SOCKET_TABLE_H

#include <sys/socket.h>
#include <sys/types.h>

/* Whose the connection is that has just these ends, addresses and ports, both IPv4 or both IPv6; of
 * addresses with a scope, that interface.  0, or -1 with errno: ENOENT when there is none, or none
 * that a process has; EAFNOSUPPORT for other addresses; EPROTONOSUPPORT when the kernel has no
 * tcp_diag; or another error of netlink(7).  Never blocks, needs no privilege. */
int socket_table_find(const struct sockaddr_storage *local, const struct sockaddr_storage *foreign,
		      uid_t *owner);

#endif
