/* SPDX-License-Identifier: ISC */
/*
 * Socket addresses of the Internet families as text.
 *
 * One form everywhere: IPv4-mapped addresses are unmapped as soon as they are seen, so access
 * lists, limits, logs and variables never meet the same client under two names.
 */
#include "config.h"

#include "base/inet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

void inet_unmap(struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (address->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		return;
	in.sin_port = in6->sin6_port;
	memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, sizeof(in.sin_addr));
	memcpy(address, &in, sizeof(in));
}

socklen_t inet_length(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

static void format_host6(const struct sockaddr_in6 *in6, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";

	(void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host)); /* fits: cannot fail */
	if (in6->sin6_scope_id)
		snprintf(text, size, "%s%%%u", host, (unsigned)in6->sin6_scope_id);
	else
		snprintf(text, size, "%s", host);
}

void inet_format_host(const struct sockaddr *address, char *text, size_t size)
{
	text[0] = '\0';
	if (address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text,
				(socklen_t)size); /* fits: cannot fail */
	else if (address->sa_family == AF_INET6)
		format_host6((const struct sockaddr_in6 *)address, text, size);
}

void inet_format(const struct sockaddr *address, char *text, size_t size)
{
	char host[INET_TEXT];

	inet_format_host(address, host, sizeof(host));
	snprintf(text, size, address->sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
		 inet_port(address));
}

unsigned inet_port(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	if (address->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return 0;
}
