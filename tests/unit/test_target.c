/* SPDX-License-Identifier: ISC */
/* The targets of a redirect, as begatd takes them and as the worker reads them. */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/inet.h"
#include "config/targets.h"
#include "handlers/target.h"
#include "suite.h"

static char why[256];

static void check_canonical(const char *text, const char *expected)
{
	char *target = target_parse(text, why, sizeof(why));

	ck_assert_msg(target, "%s", why);
	ck_assert_str_eq(target, expected);
	free(target);
}

static void check_refused(const char *text, const char *expected)
{
	char *target = target_parse(text, why, sizeof(why));

	ck_assert_msg(target == NULL, "%s is taken", text);
	ck_assert_str_eq(why, expected);
}

START_TEST(canonical)
{
	check_canonical("tcp:192.0.2.7:80", "tcp:192.0.2.7:80");
	check_canonical("udp:192.0.2.7:domain", "udp:192.0.2.7:53");
	check_canonical("tcp:[2001:DB8:0::1]:80", "tcp:[2001:db8::1]:80");
	check_canonical("tcp:[::ffff:192.0.2.7]:80", "tcp:192.0.2.7:80");
	check_canonical("tcp:Www.Example.com:http", "tcp:www.example.com:80");
	check_canonical("udp:ns_1.example.:53", "udp:ns_1.example.:53");
	check_canonical("tcp:localhost:1", "tcp:localhost:1");
	check_canonical("tcp:3com.example:65535", "tcp:3com.example:65535");
	check_canonical("unix:/run/a socket", "unix:/run/a socket");
	check_canonical("unix:@name", "unix:@name");
	/* The worker may not ask which number an interface has. */
	check_canonical("tcp:[fe80::1%lo]:80", "tcp:[fe80::1%1]:80");
}
END_TEST

/* What a library would take for an address that nobody has written: "127.1", "0x7f.1", "010.0.0.1".
 */
START_TEST(no_address)
{
	check_refused("tcp:127.1:80", "tcp:127.1:80: \"127.1\" is not an IPv4 address");
	check_refused("tcp:010.0.0.1:80", "tcp:010.0.0.1:80: \"010.0.0.1\" is not an IPv4 address");
	check_refused("tcp:0x7f.0.0.1:80",
		      "tcp:0x7f.0.0.1:80: \"0x7f.0.0.1\" is not an IPv4 address");
	check_refused("tcp:a.0x7f:80", "tcp:a.0x7f:80: \"a.0x7f\" is not an IPv4 address");
	check_refused("tcp:2130706433:80",
		      "tcp:2130706433:80: \"2130706433\" is not an IPv4 address");
	check_refused("tcp:::1:80", "tcp:::1:80: an IPv6 address stands in brackets: tcp:[::1]:13");
	check_refused("tcp:[::1:80", "tcp:[::1:80: \"[\" is not closed by \"]\"");
}
END_TEST

/* What only a listener can be. */
START_TEST(no_host)
{
	check_refused("tcp:0.0.0.0:80", "tcp:0.0.0.0:80: this is the address of no host: for this "
					"one write 127.0.0.1");
	check_refused("tcp:[::]:80",
		      "tcp:[::]:80: this is the address of no host: for this one write [::1]");
	check_refused("tcp:80", "tcp:80: a target needs a host and a port: tcp:HOST:PORT");
	check_refused("tcp::80", "tcp::80: a target needs a host and a port: tcp:HOST:PORT");
	check_refused("tcp:host", "tcp:host: a target needs a host and a port: tcp:HOST:PORT");
	check_refused("tcp:127.0.0.1:80-81",
		      "tcp:127.0.0.1:80-81: a target has one port, not a range");
	check_refused("tcp:host:80-81", "tcp:host:80-81: a target has one port, not a range");
	check_refused("tcp:127.0.0.1:0",
		      "tcp:127.0.0.1:0: port 0 is nobody's: write one between 1 and 65535");
	check_refused("tcp:224.0.0.1:80",
		      "tcp:224.0.0.1:80: 224.0.0.1 is a multicast or broadcast address");
}
END_TEST

START_TEST(no_port)
{
	check_refused("tcp:host:", "tcp:host:: the port is missing");
	check_refused("tcp:host:0", "tcp:host:0: port 0 is not between 1 and 65535");
	check_refused("tcp:host:65536", "tcp:host:65536: port 65536 is not between 1 and 65535");
	check_refused("tcp:host:99999999999999999999",
		      "tcp:host:99999999999999999999: port 99999999999999999999 is not between 1 "
		      "and 65535");
	check_refused("tcp:host:080",
		      "tcp:host:080: port 080 begins with a zero: write it without");
	check_refused("tcp:host:nosuchport",
		      "tcp:host:nosuchport: \"nosuchport\" is neither a port "
		      "nor a name in /etc/services for tcp");
}
END_TEST

START_TEST(no_name)
{
	char text[400], label[80];

	check_refused("tcp:a b:80", "tcp:a b:80: a host name has letters, digits, \"-\", \"_\" and "
				    "\".\" only");
	check_refused("tcp:a\n:80", "tcp:a?:80: a host name has letters, digits, \"-\", \"_\" and "
				    "\".\" only");
	check_refused("tcp:a..b:80",
		      "tcp:a..b:80: \"a..b\" has two dots in a row, or begins with one");
	check_refused("tcp:.a:80", "tcp:.a:80: \".a\" has two dots in a row, or begins with one");
	memset(label, 'a', 64);
	label[64] = '\0';
	snprintf(text, sizeof(text), "tcp:%s:80", label);
	ck_assert_ptr_null(target_parse(text, why, sizeof(why)));
	ck_assert_ptr_nonnull(strstr(why, "64 bytes between two dots"));
	text[4 + 63] = '.';
	check_canonical(text, text);
	snprintf(text, sizeof(text), "tcp:%.63s.%.63s.%.63s.%.62s:80", label, label, label, label);
	ck_assert_ptr_null(target_parse(text, why, sizeof(why)));
	ck_assert_ptr_nonnull(strstr(why, "254 bytes are too long"));
}
END_TEST

START_TEST(no_scheme)
{
	check_refused("", "the target is empty");
	check_refused("host:80", "host:80: a target begins with tcp: udp: or unix:");
	check_refused("http://host/", "http://host/: a target begins with tcp: udp: or unix:");
	check_refused("unix:run/x", "unix:run/x: a Unix socket needs an absolute path, or @name");
	check_refused("unix:@", "unix:@: the name after \"@\" is missing");
}
END_TEST

START_TEST(questions)
{
	ck_assert(target_is_datagram("udp:192.0.2.7:53"));
	ck_assert(!target_is_datagram("tcp:192.0.2.7:53"));
	ck_assert(target_has_name("tcp:host:80"));
	ck_assert(!target_has_name("tcp:192.0.2.7:80"));
	ck_assert(!target_has_name("tcp:[::1]:80"));
	ck_assert(!target_has_name("unix:/run/host:80"));
	ck_assert_uint_eq(target_port("tcp:[2001:db8::1]:80"), 80);
	ck_assert_uint_eq(target_port("tcp:host:65535"), 65535);
	ck_assert_uint_eq(target_port("unix:/run/x:80"), 0);
}
END_TEST

static void check_read(const char *text, const char *expected)
{
	struct target target;
	char shown[INET_TEXT];

	ck_assert_int_eq(target_read(text, &target), 0);
	ck_assert_uint_gt(target.length, 0);
	inet_format((struct sockaddr *)&target.address, shown, sizeof(shown));
	ck_assert_str_eq(shown, expected);
}

START_TEST(read_addresses)
{
	struct target target;

	check_read("tcp:192.0.2.7:80", "192.0.2.7:80");
	check_read("udp:[2001:db8::1]:53", "[2001:db8::1]:53");
	check_read("tcp:[fe80::1%2]:80", "[fe80::1%2]:80");
	ck_assert_int_eq(target_read("udp:[::1]:53", &target), 0);
	ck_assert(target.datagrams);
	ck_assert_uint_eq(target.length, sizeof(struct sockaddr_in6));
	ck_assert_int_eq(target_read("tcp:127.0.0.1:53", &target), 0);
	ck_assert(!target.datagrams);
	ck_assert_uint_eq(target.length, sizeof(struct sockaddr_in));
}
END_TEST

START_TEST(read_name)
{
	struct target target;

	ck_assert_int_eq(target_read("tcp:www.example.com:80", &target), 0);
	ck_assert_uint_eq(target.length, 0);
	ck_assert_str_eq(target.host, "www.example.com");
	ck_assert_uint_eq(target.port, 80);
}
END_TEST

START_TEST(read_unix)
{
	struct target target;
	const struct sockaddr_un *un = (const struct sockaddr_un *)&target.address;

	ck_assert_int_eq(target_read("unix:/run/x", &target), 0);
	ck_assert_uint_eq(target.length, 2 + sizeof("/run/x"));
	ck_assert_str_eq(un->sun_path, "/run/x");
	ck_assert_int_eq(target_read("unix:@x", &target), 0);
	ck_assert_uint_eq(target.length, 2 + 2);
	ck_assert_mem_eq(un->sun_path, "\0x", 2);
}
END_TEST

/* What the one writes the other reads: a plan is made by one program and used by another. */
START_TEST(read_what_was_parsed)
{
	static const char *const texts[] = {
		"tcp:1.2.3.4:5", "tcp:[::1]:5", "udp:a-b.c:5", "unix:/a", "unix:@b", "tcp:x.:5",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *text = target_parse(texts[i], why, sizeof(why));
		struct target target;

		ck_assert_msg(text, "%s", why);
		ck_assert_int_eq(target_read(text, &target), 0);
		ck_assert_int_eq(target_has_name(text), target.length == 0);
		ck_assert_int_eq(target_is_datagram(text), target.datagrams);
		free(text);
	}
}
END_TEST

/* A damaged plan. */
START_TEST(read_nonsense)
{
	static const char *const texts[] = {
		"",
		"tcp:",
		"tcp:x",
		"tcp:x:",
		"tcp::5",
		"tcp:x:0",
		"tcp:x:65536",
		"tcp:x:y",
		"tcp:a:b:5",
		"tcp:[::1:5",
		"tcp:[::1]x:5",
		"tcp:[]:5",
		"tcp:[::1%]:5",
		"tcp:[::1%x]:5",
		"sctp:x:5",
		"unix:",
		"unix:x",
		"unix:@",
	};
	char longest[400] = "unix:/";
	struct target target;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(target_read(texts[i], &target) < 0, "%s", texts[i]);
	memset(longest + 6, 'x', 107);
	ck_assert_int_eq(target_read(longest, &target), -1);
	longest[5 + 107] = '\0';
	ck_assert_int_eq(target_read(longest, &target), 0);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "tcp:", 4);
	memcpy(longest + 390, ":5", 3);
	ck_assert_int_eq(target_read(longest, &target), -1);
}
END_TEST

SUITE("target", canonical, no_address, no_host, no_port, no_name, no_scheme, questions,
      read_addresses, read_name, read_unix, read_what_was_parsed, read_nonsense)
