/* SPDX-License-Identifier: ISC */
/*
 * One datagram: where it came from and went to, and what speaks against an answer.
 *
 * Nobody can know whether the sender of a datagram is who it says it is.  So a small service must
 * not be made to send much to somebody who never asked, nor to talk to another small service for
 * ever: what may be such a trick is dropped without a word.  The rules are those of this file,
 * whatever the handler.  Called in standing workers; knows no descriptor.
 */
#include "config.h"

#include "worker/datagram.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/inet.h"

#define HEADERS		 28 /* bytes before those of a datagram: IPv4 and UDP */

#define PRIVILEGED_PORTS 1024 /* below it small services live, and nobody who asks them */

static void set_ipv4(struct sockaddr_storage *address, struct in_addr host)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = host };

	memcpy(address, &in, sizeof(in));
}

/* A mapped address is not unmapped yet: inet_unmap() does it. */
static void set_ipv6(struct sockaddr_storage *address, const struct in6_addr *host)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = *host };

	memcpy(address, &in6, sizeof(in6));
	inet_unmap(address);
}

/* Where the two addresses of the packet differ it was sent to more than one host: ip(7). */
static void read_control(const struct cmsghdr *control, struct connection *connection)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info4;

	if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
		memcpy(&info4, CMSG_DATA(control), sizeof(info4));
		set_ipv4(&connection->local, info4.ipi_addr);
		if (info4.ipi_addr.s_addr != info4.ipi_spec_dst.s_addr)
			set_ipv4(&connection->local, (struct in_addr){ INADDR_BROADCAST });
	} else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
		memcpy(&info6, CMSG_DATA(control), sizeof(info6));
		set_ipv6(&connection->local, &info6.ipi6_addr);
	}
}

void datagram_read(const struct msghdr *message, struct connection *connection)
{
	struct msghdr *heads = (struct msghdr *)(uintptr_t)message; /* CMSG_NXTHDR() is not const */

	memset(&connection->peer, 0, sizeof(connection->peer));
	memcpy(&connection->peer, message->msg_name, message->msg_namelen);
	inet_unmap(&connection->peer);
	connection->local.ss_family = AF_UNSPEC;
	for (struct cmsghdr *each = CMSG_FIRSTHDR(heads); each; each = CMSG_NXTHDR(heads, each))
		read_control(each, connection);
}

static bool is_local_host4(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;

	return address->ss_family == AF_INET && ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

static bool is_local_host(const struct sockaddr_storage *address)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

	return is_local_host4(address) ||
	       (address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr));
}

/* One host alone: neither nobody, nor many, nor what is not in use. */
static bool is_single4(in_addr_t host)
{
	return host >> 24 != 0 && host < 0xe0000000; /* 224.0.0.0 and above: RFC 5771, RFC 1112 */
}

static bool is_single(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return is_single4(ntohl(in->sin_addr.s_addr));
	return address->ss_family == AF_INET6 && !IN6_IS_ADDR_MULTICAST(&in6->sin6_addr) &&
	       !IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
}

enum refusal datagram_check(const struct plan *plan, const struct connection *connection)
{
	const unsigned port = inet_port((const struct sockaddr *)&connection->peer);

	if (port < PRIVILEGED_PORTS || plan_has_port(plan, (uint16_t)port))
		return REFUSAL_PORT;
	if (!is_single(&connection->peer) || !is_single(&connection->local))
		return REFUSAL_ADDRESS;
	if (is_local_host(&connection->peer) && !is_local_host(&connection->local))
		return REFUSAL_ADDRESS;
	return REFUSAL_NONE;
}

static void forget_interface(struct cmsghdr *control)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info4;

	if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
		memcpy(&info4, CMSG_DATA(control), sizeof(info4));
		info4.ipi_ifindex = 0;
		memcpy(CMSG_DATA(control), &info4, sizeof(info4));
	} else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
		memcpy(&info6, CMSG_DATA(control), sizeof(info6));
		if (!IN6_IS_ADDR_LINKLOCAL(&info6.ipi6_addr))
			info6.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(control), &info6, sizeof(info6));
	}
}

void datagram_forget_interface(struct msghdr *message)
{
	struct cmsghdr *each;

	for (each = CMSG_FIRSTHDR(message); each; each = CMSG_NXTHDR(message, each))
		forget_interface(each);
}

size_t datagram_room(const struct plan_service *service, size_t length)
{
	const size_t most = service->reply_max;
	const size_t fair = service->reply_factor * (HEADERS + length);

	if (service->reply_factor == 0)
		return most;
	if (fair <= HEADERS)
		return 0;
	return fair - HEADERS < most ? fair - HEADERS : most;
}
