/* SPDX-License-Identifier: ISC */
/* The PROXY header that tells a target who the client is: proxy-protocol.txt of HAProxy. */
#ifndef SEND_PROXY_H
#define SEND_PROXY_H

#include <stddef.h>
#include <sys/socket.h>

enum send_proxy { SEND_PROXY_NONE, SEND_PROXY_V1, SEND_PROXY_V2 };

#define SEND_PROXY_MAX 108 /* bytes: a line of version 1 with its NUL */

/* "none", "v1", "v2"; -1 for anything else. */
int send_proxy_parse(const char *text);

/* The header of a connection between two addresses, and its length.  Where they are not both of
 * one Internet family, it is one that says so and names nobody.  0 bytes of SEND_PROXY_NONE. */
size_t send_proxy_format(enum send_proxy version, const struct sockaddr_storage *client,
			 const struct sockaddr_storage *local, char header[static SEND_PROXY_MAX]);

#endif
