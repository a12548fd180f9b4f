/* SPDX-License-Identifier: ISC */
/*
 * One lookup, in a process of its own: name services are libraries and servers of other people,
 * which hang, crash and lie.
 *
 * A client's name is what its address' owner says it is, and the owner may say anything.  So it
 * counts only when the name leads back to that address, when it is not itself written like an
 * address, and when it has no byte but those that names of hosts are made of.
 */
#include "config.h"

#include "start/lookup.h"

#include <bsd/string.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "base/inet.h"

void lookup_fail(const struct resolve_question *question, const char *why,
		 struct resolve_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	if (question->kind == RESOLVE_HOST)
		strlcpy(answer->name, why, sizeof(answer->name));
}

static void add_address(const struct addrinfo *found, uint16_t port, struct resolve_answer *answer)
{
	struct sockaddr_storage *address = &answer->addresses[answer->count];

	if ((found->ai_family != AF_INET && found->ai_family != AF_INET6) ||
	    found->ai_addrlen > sizeof(*address))
		return;
	memcpy(address, found->ai_addr, found->ai_addrlen);
	if (found->ai_family == AF_INET)
		((struct sockaddr_in *)address)->sin_port = htons(port);
	else
		((struct sockaddr_in6 *)address)->sin6_port = htons(port);
	answer->count++;
}

/* Without AI_ADDRCONFIG, which hides ::1 from machines that have no other address of IPv6: what
 * cannot be reached is sorted behind the rest, and is a refusal at once. */
static void look_up_host(const struct resolve_question *question, struct resolve_answer *answer)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = question->datagrams ? SOCK_DGRAM : SOCK_STREAM,
	};
	struct addrinfo *found;
	const int error = getaddrinfo(question->name, NULL, &hints, &found);

	if (error) {
		lookup_fail(question, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error),
			    answer);
		return;
	}
	for (const struct addrinfo *each = found; each && answer->count < RESOLVE_ADDRESSES;
	     each = each->ai_next)
		add_address(each, question->port, answer);
	freeaddrinfo(found);
}

static bool has_same_host(const struct sockaddr *a, const struct sockaddr_storage *b)
{
	if (a->sa_family != b->ss_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&((const struct sockaddr_in6 *)a)->sin6_addr,
				  &((const struct sockaddr_in6 *)b)->sin6_addr);
}

static bool leads_to(const char *name, const struct sockaddr_storage *address)
{
	const struct addrinfo hints = { .ai_family = address->ss_family,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	bool leads = false;

	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		return false;
	for (const struct addrinfo *each = found; each && !leads; each = each->ai_next)
		leads = has_same_host(each->ai_addr, address);
	freeaddrinfo(found);
	return leads;
}

/* "127.1" and "2130706433" are addresses, too. */
static bool is_address(const char *name)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found;

	if (getaddrinfo(name, NULL, &hints, &found) != 0)
		return false;
	freeaddrinfo(found);
	return true;
}

static void look_up_peer(const struct resolve_question *question, struct resolve_answer *answer)
{
	const struct sockaddr *address = (const struct sockaddr *)&question->address;
	char name[NI_MAXHOST];
	const size_t room = RESOLVE_NAME;

	if (getnameinfo(address, inet_length(&question->address), name, sizeof(name), NULL, 0,
			NI_NAMEREQD) != 0)
		return;
	if (strlen(name) >= room || !resolve_is_plain(name) || is_address(name) ||
	    !leads_to(name, &question->address))
		return;
	strlcpy(answer->name, name, sizeof(answer->name));
}

void lookup_run(const struct resolve_question *question, struct resolve_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	if (question->kind == RESOLVE_HOST)
		look_up_host(question, answer);
	else
		look_up_peer(question, answer);
}
