/* SPDX-License-Identifier: ISC */
/* base/inet: one text for one client, whatever socket it came in through. */
#include "config.h"

#include "base/inet.h"

#include <arpa/inet.h>
#include <string.h>

#include "suite.h"

static struct sockaddr_storage make(int family, const char *host, unsigned port)
{
	struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
	struct sockaddr_in *in = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

	if (family == AF_INET) {
		in->sin_port = htons((uint16_t)port);
		ck_assert_int_eq(inet_pton(family, host, &in->sin_addr), 1);
	} else {
		in6->sin6_port = htons((uint16_t)port);
		ck_assert_int_eq(inet_pton(family, host, &in6->sin6_addr), 1);
	}
	return address;
}

START_TEST(formats_ipv4)
{
	struct sockaddr_storage address = make(AF_INET, "192.0.2.7", 4711);
	char text[INET_TEXT];

	inet_format((struct sockaddr *)&address, text, sizeof(text));
	ck_assert_str_eq(text, "192.0.2.7:4711");
	ck_assert_uint_eq(inet_port((struct sockaddr *)&address), 4711);
}
END_TEST

START_TEST(formats_ipv6_in_brackets)
{
	struct sockaddr_storage address = make(AF_INET6, "2001:db8::1", 1);
	char text[INET_TEXT];

	inet_format((struct sockaddr *)&address, text, sizeof(text));
	ck_assert_str_eq(text, "[2001:db8::1]:1");
}
END_TEST

/* The longest text there is must fit, scope and all. */
START_TEST(longest_fits)
{
	struct sockaddr_storage address =
		make(AF_INET6, "1111:2222:3333:4444:5555:6666:7777:8888", 65535);
	char text[INET_TEXT];

	((struct sockaddr_in6 *)&address)->sin6_scope_id = 4294967295U;
	inet_format((struct sockaddr *)&address, text, sizeof(text));
	ck_assert_str_eq(text, "[1111:2222:3333:4444:5555:6666:7777:8888%4294967295]:65535");
}
END_TEST

/* F34: xinetd before 2.3.13 did not match IPv4 clients of an IPv6 socket. */
START_TEST(unmaps_mapped)
{
	struct sockaddr_storage address = make(AF_INET6, "::ffff:192.0.2.7", 4711);
	char text[INET_TEXT];

	inet_unmap(&address);
	ck_assert_int_eq(address.ss_family, AF_INET);
	inet_format((struct sockaddr *)&address, text, sizeof(text));
	ck_assert_str_eq(text, "192.0.2.7:4711");
}
END_TEST

START_TEST(leaves_others_alone)
{
	struct sockaddr_storage address = make(AF_INET6, "::1", 7);
	struct sockaddr_storage nothing = { .ss_family = AF_UNIX };
	char text[INET_TEXT];

	inet_unmap(&address);
	ck_assert_int_eq(address.ss_family, AF_INET6);
	inet_format_host((struct sockaddr *)&nothing, text, sizeof(text));
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(inet_port((struct sockaddr *)&nothing), 0);
}
END_TEST

SUITE("inet", formats_ipv4, formats_ipv6_in_brackets, longest_fits, unmaps_mapped,
      leaves_others_alone)
