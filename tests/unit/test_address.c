/* SPDX-License-Identifier: ISC */
/* Listening addresses: begat.conf(5), "Listening addresses". */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "listen/address.h"
#include "suite.h"

static struct address parse(const char *text)
{
	struct address *list, address;
	char error[256];
	size_t count;

	ck_assert_msg(address_parse(text, &list, &count, error, sizeof(error)) == 0, "%s: %s", text,
		      error);
	ck_assert_uint_eq(count, 1);
	address = list[0];
	free(list);
	return address;
}

static void check_form(const char *text, const char *canonical)
{
	struct address address = parse(text), again;
	char formatted[ADDRESS_TEXT];

	address_format(&address, formatted, sizeof(formatted));
	ck_assert_str_eq(formatted, canonical);
	again = parse(formatted);
	ck_assert(again.length == address.length && again.dual == address.dual);
	ck_assert_int_eq(again.type, address.type);
	ck_assert_mem_eq(&again.sa, &address.sa, address.length);
}

static void check_error(const char *text, const char *expected)
{
	struct address *list;
	char error[256];
	size_t count;

	ck_assert_msg(address_parse(text, &list, &count, error, sizeof(error)) == -1, "%s", text);
	ck_assert_msg(strstr(error, expected) != NULL, "\"%s\" instead of \"%s\"", error, expected);
	ck_assert_msg(strchr(error, '\n') == NULL, "%s", error);
}

/* The canonical form of begatd -T loads again to the same address. */
START_TEST(canonical_forms)
{
	static const char *const forms[][2] = {
		{ "tcp:13", "tcp:13" },
		{ "tcp:0", "tcp:0" },
		{ "tcp:65535", "tcp:65535" },
		{ "tcp:daytime", "tcp:13" },
		{ "tcp4:13", "tcp4:13" },
		{ "tcp6:13", "tcp6:13" },
		{ "tcp:0.0.0.0:13", "tcp4:13" },
		{ "tcp:[::]:13", "tcp6:13" },
		{ "tcp:127.0.0.1:13", "tcp:127.0.0.1:13" },
		{ "tcp4:127.0.0.1:13", "tcp:127.0.0.1:13" },
		{ "tcp:[::1]:13", "tcp:[::1]:13" },
		{ "tcp6:[0:0::1]:13", "tcp:[::1]:13" },
		{ "tcp:[::ffff:192.0.2.1]:13", "tcp:192.0.2.1:13" },
		{ "tcp:[fe80::1%lo]:13", "tcp:[fe80::1%lo]:13" },
		{ "tcp:[fe80::1%1]:13", "tcp:[fe80::1%lo]:13" },
		{ "unix:/run/a.sock", "unix:/run/a.sock" },
		{ "unix:/run/with space:and,comma", "unix:/run/with space:and,comma" },
		{ "unix:@name", "unix:@name" },
		{ "unix:@@", "unix:@@" },
		{ "udp:13", "udp:13" },
		{ "udp:0", "udp:0" },
		{ "udp:tftp", "udp:69" },
		{ "udp4:13", "udp4:13" },
		{ "udp6:13", "udp6:13" },
		{ "udp:0.0.0.0:13", "udp4:13" },
		{ "udp:[::]:13", "udp6:13" },
		{ "udp4:127.0.0.1:13", "udp:127.0.0.1:13" },
		{ "udp6:[::1]:13", "udp:[::1]:13" },
		{ "udp:[::ffff:192.0.2.1]:13", "udp:192.0.2.1:13" },
		{ "udp:[fe80::1%lo]:13", "udp:[fe80::1%lo]:13" },
		{ "fifo:/home/x/.signature", "fifo:/home/x/.signature" },
		{ "fifo:/with space:and,comma", "fifo:/with space:and,comma" },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_form(forms[i][0], forms[i][1]);
}
END_TEST

START_TEST(kernel_forms)
{
	struct address address = parse("tcp:127.0.0.1:8013");

	ck_assert(address.sa.sa_family == AF_INET && !address.dual);
	ck_assert_uint_eq(ntohs(address.in.sin_port), 8013);
	ck_assert_uint_eq(ntohl(address.in.sin_addr.s_addr), INADDR_LOOPBACK);
	ck_assert_uint_eq(address.length, sizeof(struct sockaddr_in));
	address = parse("tcp:8013");
	ck_assert(address.sa.sa_family == AF_INET6 && address.dual);
	/* unix(7): the name is all bytes of the length, so none may follow it. */
	address = parse("unix:@abc");
	ck_assert_uint_eq(address.length, offsetof(struct sockaddr_un, sun_path) + 4);
	ck_assert_mem_eq(address.un.sun_path, "\0abc", 4);
	address = parse("unix:/abc");
	ck_assert_uint_eq(address.length, offsetof(struct sockaddr_un, sun_path) + 5);
}
END_TEST

START_TEST(types)
{
	ck_assert_int_eq(parse("tcp:13").type, SOCK_STREAM);
	ck_assert_int_eq(parse("tcp6:[::1]:13").type, SOCK_STREAM);
	ck_assert_int_eq(parse("unix:/a").type, SOCK_STREAM);
	ck_assert_int_eq(parse("udp:13").type, SOCK_DGRAM);
	ck_assert_int_eq(parse("udp4:127.0.0.1:13").type, SOCK_DGRAM);
	ck_assert_int_eq(parse("udp6:13").type, SOCK_DGRAM);
	ck_assert(parse("udp:13").dual && !parse("udp6:13").dual);
	ck_assert_int_eq(parse("fifo:/a").type, 0);
	ck_assert_str_eq(parse("fifo:/a").un.sun_path, "/a");
}
END_TEST

START_TEST(ranges)
{
	struct address *list;
	char error[256];
	size_t count;

	ck_assert_int_eq(address_parse("tcp:8000-8010", &list, &count, error, sizeof(error)), 0);
	ck_assert_uint_eq(count, 11);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(ntohs(list[i].in6.sin6_port), 8000 + i);
	free(list);
	ck_assert_int_eq(address_parse("tcp4:1-65535", &list, &count, error, sizeof(error)), 0);
	ck_assert_uint_eq(count, 65535);
	free(list);
	/* A dash is part of some names: "ftp-data" is 20. */
	check_form("tcp:ftp-data", "tcp:20");
	ck_assert_int_eq(address_parse("udp:8000-8001", &list, &count, error, sizeof(error)), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(list[1].type, SOCK_DGRAM);
	free(list);
}
END_TEST

/* A mistyped address is an error, never a wildcard. */
START_TEST(mistakes)
{
	static const char *const errors[][2] = {
		{ "", "the address is empty" },
		{ "13", "begins with tcp:" },
		{ "tcp", "begins with tcp:" },
		{ "TCP:13", "begins with tcp:" },
		{ "tcp:", "the port is missing" },
		{ "tcp:99999", "port 99999 is not between 0 and 65535" },
		{ "tcp:65536", "port 65536 is not between" },
		{ "tcp:4294967309", "port 4294967309 is not between" },
		{ "tcp:013", "begins with a zero" },
		{ "tcp:-13", "neither a port nor a name" },
		{ "tcp:+13", "neither a port nor a name" },
		{ "tcp: 13", "neither a port nor a name" },
		{ "tcp:13 ", "neither a port nor a name" },
		{ "tcp:80-", "neither a port nor a name" },
		{ "tcp:80-70", "ends before it begins" },
		{ "tcp:80-99999", "port 99999" },
		{ "tcp:0-5", "begins at 1" },
		{ "tcp:300.1.2.3:80", "\"300.1.2.3\" is not an IPv4 address" },
		{ "tcp:1.2.3:80", "not an IPv4 address" },
		{ "tcp:010.0.0.1:80", "not an IPv4 address" },
		{ "tcp:localhost:80", "host names are not looked up" },
		{ "tcp:127.0.0.1", "write tcp:127.0.0.1:PORT" },
		{ "tcp::80", "write the port alone" },
		{ "tcp:*:80", "write the port alone" },
		{ "tcp:::1:80", "in brackets" },
		{ "tcp:[::1]", "the port is missing" },
		{ "tcp:[::1]80", "the port is missing" },
		{ "tcp:[::1", "not closed" },
		{ "tcp:[]:80", "not an IPv6 address" },
		{ "tcp:[1.2.3.4]:80", "not an IPv6 address" },
		{ "tcp:[fe80::1]:80", "needs its interface" },
		{ "tcp:[fe80::1%nosuchif]:80", "no network interface" },
		{ "tcp:[fe80::1%0]:80", "no network interface" },
		{ "tcp:[2001:db8::1%lo]:80", "only a link-local" },
		{ "tcp:[ff02::1]:80", "multicast" },
		{ "tcp:224.0.0.1:80", "multicast" },
		{ "tcp:255.255.255.255:80", "broadcast" },
		{ "tcp4:[::1]:80", "not an address of the family" },
		{ "tcp6:127.0.0.1:80", "not an address of the family" },
		{ "tcp6:[::ffff:1.2.3.4]:80", "not an address of the family" },
		{ "unix:", "absolute path" },
		{ "unix:a.sock", "absolute path" },
		{ "unix:/run/", "directory" },
		{ "unix:@", "is missing" },
		{ "unix:/run/a\nb", "control character" },
		{ "udp", "begins with tcp:" },
		{ "udp:", "the port is missing" },
		{ "udp:65536", "port 65536 is not between" },
		{ "udp:053", "begins with a zero" },
		{ "udp:0-5", "begins at 1" },
		{ "udp:127.0.0.1", "write udp:127.0.0.1:PORT" },
		{ "udp:*:53", "write the port alone: udp:53" },
		{ "udp:::1:53", "in brackets: udp:[::1]:13" },
		{ "udp:224.0.0.1:53", "multicast" },
		{ "udp:255.255.255.255:53", "broadcast" },
		{ "udp:[ff02::1]:53", "multicast" },
		{ "udp4:[::1]:53", "not an address of the family" },
		{ "udp6:127.0.0.1:53", "not an address of the family" },
		{ "udp:ssh", "/etc/services has \"ssh\" for tcp alone: write udp:22" },
		{ "tcp:tftp", "/etc/services has \"tftp\" for udp alone: write tcp:69" },
		{ "udp:nosuchname", "neither a port nor a name" },
		{ "fifo:", "a FIFO needs an absolute path" },
		{ "fifo:a", "a FIFO needs an absolute path" },
		{ "fifo:@a", "a FIFO needs an absolute path" },
		{ "fifo:/", "directory, not the path of a FIFO" },
		{ "fifo:/run/", "directory, not the path of a FIFO" },
		{ "fifo:/run/a\nb", "control character" },
		{ "unixgram:/a", "not in this version" },
		{ "unixseq:/a", "not in this version" },
		{ "inherit:a", "not in this version" },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		check_error(errors[i][0], errors[i][1]);
}
END_TEST

/* F43: sun_path has 108 bytes, one for the NUL. */
START_TEST(long_unix_paths)
{
	char text[256], formatted[ADDRESS_TEXT];
	struct address address;

	memset(text, 'x', sizeof(text));
	memcpy(text, "unix:/", 6);
	text[5 + 107] = '\0';
	check_form(text, text);
	text[5 + 107] = 'x';
	text[5 + 108] = '\0';
	check_error(text, "108 bytes are too long");
	text[5 + 108] = 'x';
	text[5 + 200] = '\0';
	check_error(text, "200 bytes are too long");
	/* An abstract name has no NUL, and its first byte is one. */
	text[5] = '@';
	text[5 + 107] = '\0';
	check_form(text, text);
	address = parse(text);
	address_format(&address, formatted, sizeof(formatted));
	ck_assert_uint_eq(strlen(formatted), 112);
	/* As that of a Unix socket, since it is kept in the same place. */
	text[5] = '/';
	memcpy(text, "fifo", 4);
	check_form(text, text);
	text[5 + 107] = 'x';
	text[5 + 108] = '\0';
	check_error(text, "108 bytes are too long for the path of a FIFO");
}
END_TEST

/* Whether the kernel lets two sockets listen on both. */
static int listen_on(const struct address *address)
{
	int fd = socket(address->sa.sa_family, address->type | SOCK_CLOEXEC, 0), one = 1;
	int v6only = !address->dual;

	if (fd < 0)
		return -1;
	if (address->type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->sa.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	if (bind(fd, &address->sa, address->length) == 0 &&
	    (address->type == SOCK_DGRAM || listen(fd, 1) == 0))
		return fd;
	close(fd);
	return -1;
}

static const char *const hosts[] = {
	"tcp:", "tcp4:", "tcp6:", "tcp:127.0.0.1:", "tcp:127.0.0.2:", "tcp:[::1]:",
	"udp:", "udp4:", "udp6:", "udp:127.0.0.1:", "udp:127.0.0.2:", "udp:[::1]:"
};

static struct address with_port(const char *host, unsigned port)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%u", host, port);
	return parse(text);
}

/* The kernel's choice; 0 when there is no IPv6 to try with. */
static unsigned some_port(void)
{
	struct address address = parse("tcp:0");
	socklen_t length = sizeof(address.in6);
	int fd = listen_on(&address);

	if (fd < 0 || getsockname(fd, &address.sa, &length) < 0)
		return 0;
	close(fd);
	return ntohs(address.in6.sin6_port);
}

/* One that nobody uses for datagrams either. */
static unsigned free_port(void)
{
	for (int tries = 0; tries < 20; tries++) {
		const unsigned port = some_port();
		const struct address address = with_port("udp:", port);
		const int fd = listen_on(&address);

		if (fd < 0)
			continue;
		close(fd);
		return port;
	}
	return 0;
}

/* The verdict is the kernel's, for every pair. */
START_TEST(conflicts_are_the_kernels)
{
	unsigned port = free_port();

	for (size_t i = 0; port && i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		for (size_t k = 0; k < sizeof(hosts) / sizeof(hosts[0]); k++) {
			struct address a = with_port(hosts[i], port);
			struct address b = with_port(hosts[k], port);
			int first = listen_on(&a), second = listen_on(&b);

			ck_assert_msg(first >= 0, "%s%u", hosts[i], port);
			ck_assert_msg((second < 0) == address_conflicts(&a, &b), "%s and %s",
				      hosts[i], hosts[k]);
			close(first);
			if (second >= 0)
				close(second);
		}
	}
}
END_TEST

START_TEST(conflicts_elsewhere)
{
	struct address a = parse("tcp:0"), b = parse("tcp:127.0.0.1:0");
	struct address c = parse("unix:/a"), d = parse("unix:@a"), e = parse("unix:/ab");
	struct address f = parse("tcp:80"), g = parse("tcp:81");
	struct address h = parse("fifo:/a"), i = parse("fifo:/b"), u = parse("udp:0");

	ck_assert(!address_conflicts(&a, &a));
	ck_assert(!address_conflicts(&a, &b));
	ck_assert(address_conflicts(&c, &c));
	ck_assert(!address_conflicts(&c, &d));
	ck_assert(!address_conflicts(&c, &e));
	ck_assert(!address_conflicts(&c, &f));
	ck_assert(!address_conflicts(&f, &c));
	ck_assert(!address_conflicts(&f, &g));
	ck_assert(!address_conflicts(&u, &u));
	/* Of one name there is one file, whatever it is. */
	ck_assert(address_conflicts(&h, &h));
	ck_assert(address_conflicts(&h, &c) && address_conflicts(&c, &h));
	ck_assert(!address_conflicts(&h, &i));
	ck_assert(!address_conflicts(&h, &d));
	ck_assert(!address_conflicts(&h, &f));
}
END_TEST

/* A message that does not fit is cut, not written past its end. */
START_TEST(short_buffers)
{
	struct address *list;
	char error[8];
	size_t count;

	for (size_t size = 1; size <= sizeof(error); size++) {
		memset(error, 'X', sizeof(error));
		ck_assert_int_eq(address_parse("tcp:99999", &list, &count, error, size), -1);
		ck_assert_uint_eq(strlen(error), size - 1);
	}
}
END_TEST

SUITE("address", canonical_forms, kernel_forms, types, ranges, mistakes, long_unix_paths,
      conflicts_are_the_kernels, conflicts_elsewhere, short_buffers)
