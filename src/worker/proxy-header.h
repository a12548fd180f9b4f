/* SPDX-License-Identifier: ISC */
/*
 * The PROXY header of the protocol's versions 1 and 2 (proxy-protocol.txt of HAProxy): bytes in,
 * addresses out, and no socket.  Each function can be asked about any bytes.
 */
#ifndef PROXY_HEADER_H
#define PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "worker/introduction.h"

#define PROXY_HEADER_MAX (16 + 65535) /* bytes */

/* Both unmapped, AF_INET or AF_INET6. */
struct proxy_header {
	struct sockaddr_storage client;
	struct sockaddr_storage destination; /* where the client has connected to */
};

/* How many bytes are to be taken from the socket next, and no more: behind the header begins what
 * is for the service.  0: the header is whole, or cannot become one. */
struct proxy_need {
	size_t count;
	bool to_newline; /* only up to the first newline among them */
};
struct proxy_need proxy_header_need(const uint8_t *bytes, size_t length);

/* INTRODUCTION_CLIENT, and only then is there a result, _LOCAL, _UNKNOWN or _BAD.  A header that is
 * not whole, or has something behind it, is bad. */
enum introduction_kind proxy_header_parse(const uint8_t *bytes, size_t length,
					  struct proxy_header *header);

#endif
