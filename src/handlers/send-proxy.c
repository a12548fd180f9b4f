/* SPDX-License-Identifier: ISC */
/*
 * The PROXY header that tells a target who the client is.
 *
 * What the kernel, or a proxy before us, has said goes into it, and no byte of the client's.  A
 * client of a Unix socket has no address that the target could use: then version 1 says UNKNOWN,
 * and version 2 says LOCAL without a family, the one form of such a header that each receiver has
 * to accept (proxy-protocol.txt, 2.2), and the one that HAProxy sends.
 */
#include "config.h"

#include "handlers/send-proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define V2_FIXED 16 /* bytes before the addresses */

/* What a header has of an address. */
struct end {
	const void *host;
	size_t size;	/* of the host, in bytes */
	in_port_t port; /* network byte order */
};

static struct end end_of(const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;

	if (address->ss_family == AF_INET)
		return (struct end){ &in->sin_addr, sizeof(in->sin_addr), in->sin_port };
	return (struct end){ &in6->sin6_addr, sizeof(in6->sin6_addr), in6->sin6_port };
}

/* AF_UNSPEC: a header cannot name them. */
static int family_of(const struct sockaddr_storage *client, const struct sockaddr_storage *local)
{
	if (client->ss_family != local->ss_family ||
	    (client->ss_family != AF_INET && client->ss_family != AF_INET6))
		return AF_UNSPEC;
	return client->ss_family;
}

static size_t format_v1(int family, const struct end *from, const struct end *to, char *header)
{
	char client[INET6_ADDRSTRLEN] = "", local[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(family, from->host, client, sizeof(client)); /* fits: cannot fail */
	(void)inet_ntop(family, to->host, local, sizeof(local));
	return (size_t)snprintf(header, SEND_PROXY_MAX, "PROXY TCP%d %s %s %u %u\r\n",
				family == AF_INET ? 4 : 6, client, local, ntohs(from->port),
				ntohs(to->port));
}

static char *put(char *at, const void *bytes, size_t size)
{
	memcpy(at, bytes, size);
	return at + size;
}

static size_t format_v2(int family, const struct end *from, const struct end *to, char *header)
{
	char *at = header + V2_FIXED;

	header[12] = 0x21; /* version 2, PROXY */
	header[13] = family == AF_INET ? 0x11 : 0x21;
	header[15] = (char)(2 * (from->size + sizeof(from->port)));
	at = put(at, from->host, from->size);
	at = put(at, to->host, to->size);
	at = put(at, &from->port, sizeof(from->port));
	at = put(at, &to->port, sizeof(to->port));
	return (size_t)(at - header);
}

int send_proxy_parse(const char *text)
{
	static const char *const names[] = { "none", "v1", "v2" };

	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return -1;
}

size_t send_proxy_format(enum send_proxy version, const struct sockaddr_storage *client,
			 const struct sockaddr_storage *local, char header[static SEND_PROXY_MAX])
{
	static const char fixed[V2_FIXED] = "\r\n\r\n\0\r\nQUIT\n\x20";
	static const char unknown[] = "PROXY UNKNOWN\r\n";
	const struct end from = end_of(client), to = end_of(local);
	const int family = family_of(client, local);

	switch (version) {
	case SEND_PROXY_V1:
		memcpy(header, unknown, sizeof(unknown));
		return family ? format_v1(family, &from, &to, header) : sizeof(unknown) - 1;
	case SEND_PROXY_V2:
		memcpy(header, fixed, sizeof(fixed));
		return family ? format_v2(family, &from, &to, header) : sizeof(fixed);
	case SEND_PROXY_NONE:
		break;
	}
	return 0;
}
