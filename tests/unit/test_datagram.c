/* SPDX-License-Identifier: ISC */
/* The rules of UDP: who is answered, and with how much. */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "suite.h"
#include "worker/datagram.h"

/* A plan that has two ports of its own. */
static struct {
	struct plan plan;
	uint16_t ports[2];
} own = { .ports = { 5353, 7013 } };

static const struct plan *plan(void)
{
	own.plan.ports = (uint32_t)offsetof(__typeof__(own), ports);
	own.plan.nports = 2;
	return &own.plan;
}

static void set(struct sockaddr_storage *address, const char *host, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
		memcpy(address, &in, sizeof(in));
	else if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1)
		memcpy(address, &in6, sizeof(in6));
	else
		ck_abort_msg("%s", host);
}

static enum refusal check(const char *from, uint16_t port, const char *to)
{
	struct connection connection = { .fd = -1 };

	set(&connection.peer, from, port);
	set(&connection.local, to, 0);
	return datagram_check(plan(), &connection);
}

/* CVE-1999-0103, CVE-2024-2169: one packet, and two services talk for ever. */
START_TEST(small_ports_are_not_answered)
{
	for (uint16_t port = 0; port < 1024; port++)
		ck_assert_int_eq(check("192.0.2.7", port, "192.0.2.1"), REFUSAL_PORT);
	ck_assert_int_eq(check("192.0.2.7", 1024, "192.0.2.1"), REFUSAL_NONE);
	ck_assert_int_eq(check("2001:db8::7", 1023, "2001:db8::1"), REFUSAL_PORT);
}
END_TEST

START_TEST(our_own_ports_are_not_answered)
{
	ck_assert_int_eq(check("192.0.2.7", 5353, "192.0.2.1"), REFUSAL_PORT);
	ck_assert_int_eq(check("192.0.2.7", 7013, "192.0.2.1"), REFUSAL_PORT);
	ck_assert_int_eq(check("192.0.2.7", 7012, "192.0.2.1"), REFUSAL_NONE);
	ck_assert_int_eq(check("192.0.2.7", 7014, "192.0.2.1"), REFUSAL_NONE);
}
END_TEST

START_TEST(only_single_hosts_are_answered)
{
	static const char *const many[] = { "0.0.0.0",	 "0.1.2.3",	    "224.0.0.1",
					    "239.1.2.3", "255.255.255.255", "240.0.0.1" };

	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++) {
		ck_assert_int_eq(check(many[i], 4711, "192.0.2.1"), REFUSAL_ADDRESS);
		ck_assert_int_eq(check("192.0.2.7", 4711, many[i]), REFUSAL_ADDRESS);
	}
	ck_assert_int_eq(check("ff02::1", 4711, "2001:db8::1"), REFUSAL_ADDRESS);
	ck_assert_int_eq(check("::", 4711, "2001:db8::1"), REFUSAL_ADDRESS);
	ck_assert_int_eq(check("2001:db8::7", 4711, "ff02::1"), REFUSAL_ADDRESS);
	ck_assert_int_eq(check("223.255.255.255", 4711, "1.0.0.0"), REFUSAL_NONE);
}
END_TEST

/* OpenBSD's rule to drop all of 127/8 makes local tests impossible. */
START_TEST(loopback_is_answered_on_loopback_alone)
{
	ck_assert_int_eq(check("127.0.0.1", 4711, "127.0.0.1"), REFUSAL_NONE);
	ck_assert_int_eq(check("127.0.0.1", 4711, "127.3.2.1"), REFUSAL_NONE);
	ck_assert_int_eq(check("127.0.0.1", 4711, "192.0.2.1"), REFUSAL_ADDRESS);
	ck_assert_int_eq(check("::1", 4711, "::1"), REFUSAL_NONE);
	ck_assert_int_eq(check("::1", 4711, "2001:db8::1"), REFUSAL_ADDRESS);
	ck_assert_int_eq(check("192.0.2.1", 4711, "127.0.0.1"), REFUSAL_NONE);
}
END_TEST

/* Without it nobody knows where the answer would have to come from. */
START_TEST(an_unknown_destination_is_not_answered)
{
	struct connection connection = { .fd = -1 };

	set(&connection.peer, "192.0.2.7", 4711);
	ck_assert_int_eq(datagram_check(plan(), &connection), REFUSAL_ADDRESS);
}
END_TEST

static size_t room(unsigned most, unsigned factor, size_t length)
{
	const struct plan_service service = { .reply_max = most, .reply_factor = factor };

	return datagram_room(&service, length);
}

/* The headers count on both sides: that is what an attacker pays, and what the victim gets. */
START_TEST(an_answer_has_its_measure)
{
	ck_assert_uint_eq(room(512, 0, 0), 512);
	ck_assert_uint_eq(room(512, 1, 0), 0);
	ck_assert_uint_eq(room(512, 1, 100), 100);
	ck_assert_uint_eq(room(512, 2, 1), 30);
	ck_assert_uint_eq(room(512, 4, 0), 84);
	ck_assert_uint_eq(room(512, 4, 512), 512);
	ck_assert_uint_eq(room(65507, 1000, 65507), 65507);
}
END_TEST

static void put_control4(struct msghdr *message, const char *to, const char *local)
{
	struct in_pktinfo info = { .ipi_ifindex = 1 };
	struct cmsghdr *control = CMSG_FIRSTHDR(message);

	inet_pton(AF_INET, to, &info.ipi_addr);
	inet_pton(AF_INET, local, &info.ipi_spec_dst);
	control->cmsg_level = IPPROTO_IP;
	control->cmsg_type = IP_PKTINFO;
	control->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(control), &info, sizeof(info));
	message->msg_controllen = CMSG_SPACE(sizeof(info));
}

static void read4(const char *to, const char *local, struct connection *connection)
{
	union datagram_control bytes = { { 0 } };
	struct sockaddr_storage peer = { 0 };
	struct msghdr message = { .msg_name = &peer,
				  .msg_namelen = sizeof(struct sockaddr_in),
				  .msg_control = &bytes,
				  .msg_controllen = sizeof(bytes) };

	set(&peer, "192.0.2.7", 4711);
	put_control4(&message, to, local);
	memset(connection, 0x55, sizeof(*connection));
	datagram_read(&message, connection);
}

START_TEST(the_destination_is_what_was_asked)
{
	struct connection connection;

	read4("192.0.2.1", "192.0.2.1", &connection);
	ck_assert_int_eq(datagram_check(plan(), &connection), REFUSAL_NONE);
	ck_assert_int_eq(connection.peer.ss_family, AF_INET);
	read4("192.0.2.255", "192.0.2.1", &connection); /* a subnet's broadcast */
	ck_assert_int_eq(datagram_check(plan(), &connection), REFUSAL_ADDRESS);
}
END_TEST

SUITE("datagram", small_ports_are_not_answered, our_own_ports_are_not_answered,
      only_single_hosts_are_answered, loopback_is_answered_on_loopback_alone,
      an_unknown_destination_is_not_answered, an_answer_has_its_measure,
      the_destination_is_what_was_asked)
