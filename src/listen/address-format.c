/* SPDX-License-Identifier: ISC */
/*
 * Listening addresses once they are parsed: their canonical form, and whether two of them get in
 * each other's way.  The other half of address.h.
 */
#include "config.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/inet.h"
#include "listen/address.h"

bool address_is_wildcard(const struct address *address)
{
	if (address->sa.sa_family == AF_INET)
		return address->in.sin_addr.s_addr == INADDR_ANY;
	return address->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

static const char *protocol_of(const struct address *address)
{
	return address->type == SOCK_DGRAM ? "udp" : "tcp";
}

static void format_unix(const struct address *address, char *text, size_t size)
{
	size_t start = offsetof(struct sockaddr_un, sun_path);
	size_t length = address->length > start ? address->length - start : 0;
	const char *path = address->un.sun_path;

	if (length && path[0] == '\0')
		snprintf(text, size, "unix:@%.*s", (int)length - 1, path + 1);
	else
		snprintf(text, size, "%s:%.*s", address->type == 0 ? "fifo" : "unix",
			 (int)strnlen(path, length), path);
}

/* By the interface's name: its number may be another one after a reboot. */
static void format_link_local(const struct address *address, char *text, size_t size)
{
	const struct sockaddr_in6 *in6 = &address->in6;
	struct sockaddr_in6 plain = *in6;
	char host[INET_TEXT], name[IF_NAMESIZE];

	plain.sin6_scope_id = 0;
	inet_format_host((const struct sockaddr *)&plain, host, sizeof(host));
	if (if_indextoname(in6->sin6_scope_id, name) == NULL)
		snprintf(name, sizeof(name), "%u", (unsigned)in6->sin6_scope_id);
	snprintf(text, size, "%s:[%s%%%s]:%u", protocol_of(address), host, name,
		 (unsigned)ntohs(in6->sin6_port));
}

static void format_inet(const struct address *address, char *text, size_t size)
{
	const char *protocol = protocol_of(address);
	char inet[INET_TEXT];

	if (address->dual) {
		snprintf(text, size, "%s:%u", protocol, inet_port(&address->sa));
	} else if (address_is_wildcard(address)) {
		snprintf(text, size, "%s%c:%u", protocol,
			 address->sa.sa_family == AF_INET ? '4' : '6', inet_port(&address->sa));
	} else {
		inet_format(&address->sa, inet, sizeof(inet));
		snprintf(text, size, "%s:%s", protocol, inet);
	}
}

void address_format(const struct address *address, char *text, size_t size)
{
	if (address->sa.sa_family == AF_UNIX)
		format_unix(address, text, size);
	else if (address->sa.sa_family == AF_INET6 && address->in6.sin6_scope_id)
		format_link_local(address, text, size);
	else
		format_inet(address, text, size);
}

/* A FIFO and a socket are both files. */
static bool conflicts_unix(const struct address *a, const struct address *b)
{
	return a->length == b->length &&
	       memcmp(a->un.sun_path, b->un.sun_path,
		      a->length - offsetof(struct sockaddr_un, sun_path)) == 0;
}

static bool is_equal_host(const struct address *a, const struct address *b)
{
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool address_conflicts(const struct address *a, const struct address *b)
{
	bool is_unix = a->sa.sa_family == AF_UNIX;

	if (is_unix || b->sa.sa_family == AF_UNIX)
		return a->sa.sa_family == b->sa.sa_family && conflicts_unix(a, b);
	if (a->type != b->type || inet_port(&a->sa) != inet_port(&b->sa) || inet_port(&a->sa) == 0)
		return false;
	if (a->dual || b->dual)
		return true;
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	return address_is_wildcard(a) || address_is_wildcard(b) || is_equal_host(a, b);
}
