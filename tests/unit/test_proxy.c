/* SPDX-License-Identifier: ISC */
/* proxy, proxy-header: who the client is, and not a byte more (F35). */
#include "config.h"

#include "worker/proxy.h"

#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inet.h"
#include "suite.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define INET	  "\xc0\0\2\7\xc6\x33\x64\1\x12\x67\0\x50"
#define INET6                                                                                      \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                                                   \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\x12\x67\0\x50"
#define MAPPED                                                                                     \
	"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7"                                                   \
	"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\1\x12\x67\0\x50"
#define TEN "//////////"
#define UNIX                                                                                       \
	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "////" \
											    "//"
#define HEADER(text)                                                                               \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

struct bytes {
	const char *at;
	size_t length;
};

struct good {
	struct bytes header;
	enum introduction_kind kind;
	const char *client, *destination;
};

/* The sums were made by another implementation. */
static const struct good goods[] = {
	{ HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"), INTRODUCTION_CLIENT,
	  "192.0.2.7:4711", "198.51.100.1:80" },
	{ HEADER("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), INTRODUCTION_CLIENT, "1.2.3.4:1",
	  "5.6.7.8:2" },
	{ HEADER("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), INTRODUCTION_CLIENT,
	  "255.255.255.255:65535", "255.255.255.255:65535" },
	{ HEADER("PROXY TCP6 2001:db8::1 2001:DB8:0:0:0:0:0:2 4711 80\r\n"), INTRODUCTION_CLIENT,
	  "[2001:db8::1]:4711", "[2001:db8::2]:80" },
	{ HEADER("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  INTRODUCTION_CLIENT, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	{ HEADER("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:c633:6401 4711 80\r\n"), INTRODUCTION_CLIENT,
	  "192.0.2.7:4711", "198.51.100.1:80" },
	/* The protocol's ports are 0 to 65535. */
	{ HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 0 80\r\n"), INTRODUCTION_CLIENT, "192.0.2.7:0",
	  "198.51.100.1:80" },
	{ HEADER("PROXY TCP6 2001:db8::1 2001:db8::2 4711 0\r\n"), INTRODUCTION_CLIENT,
	  "[2001:db8::1]:4711", "[2001:db8::2]:0" },
	{ HEADER(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\0\0\0\0"), INTRODUCTION_CLIENT,
	  "192.0.2.7:0", "198.51.100.1:0" },
	{ HEADER("PROXY UNKNOWN\r\n"), INTRODUCTION_UNKNOWN, NULL, NULL },
	{ HEADER("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  INTRODUCTION_UNKNOWN, NULL, NULL },
	{ HEADER("PROXY UNKNOWN \r\0\t what\rever \r\r\n"), INTRODUCTION_UNKNOWN, NULL, NULL },
	{ HEADER(SIGNATURE "\x21\x11\0\x0c" INET), INTRODUCTION_CLIENT, "192.0.2.7:4711",
	  "198.51.100.1:80" },
	{ HEADER(SIGNATURE "\x21\x21\0\x24" INET6), INTRODUCTION_CLIENT, "[2001:db8::1]:4711",
	  "[2001:db8::2]:80" },
	{ HEADER(SIGNATURE "\x21\x21\0\x24" MAPPED), INTRODUCTION_CLIENT, "192.0.2.7:4711",
	  "198.51.100.1:80" },
	{ HEADER(SIGNATURE "\x21\x31\0\xd8" UNIX), INTRODUCTION_UNKNOWN, NULL, NULL },
	{ HEADER(SIGNATURE "\x21\0\0\0"), INTRODUCTION_UNKNOWN, NULL, NULL },
	{ HEADER(SIGNATURE "\x21\0\0\5junk\n"), INTRODUCTION_UNKNOWN, NULL, NULL },
	{ HEADER(SIGNATURE "\x20\0\0\0"), INTRODUCTION_LOCAL, NULL, NULL },
	{ HEADER(SIGNATURE "\x20\x11\0\x0c" INET), INTRODUCTION_LOCAL, NULL, NULL },
	{ HEADER(SIGNATURE "\x20\xff\0\3ab\n"), INTRODUCTION_LOCAL, NULL, NULL },
	/* NOOP, NOOP, ALPN */
	{ HEADER(SIGNATURE "\x21\x11\0\x19" INET "\4\0\0"
			   "\4\0\2\n\n"
			   "\1\0\2h2"),
	  INTRODUCTION_CLIENT, "192.0.2.7:4711", "198.51.100.1:80" },
	{ HEADER(SIGNATURE "\x21\x11\0\x13" INET "\3\0\4\x24\x8d\x9b\x28"), INTRODUCTION_CLIENT,
	  "192.0.2.7:4711", "198.51.100.1:80" },
	{ HEADER(SIGNATURE "\x21\x21\0\x31" INET6 "\4\0\0"
			   "\3\0\4\x34\x99\x35\x65"
			   "\4\0\0"),
	  INTRODUCTION_CLIENT, "[2001:db8::1]:4711", "[2001:db8::2]:80" },
};
#define GOODS (sizeof(goods) / sizeof(*goods))

static const struct bytes bads[] = {
	/* Not the protocol at all: what other ports hear. */
	HEADER("GET / HTTP/1.0\r\n\r\n"),
	HEADER("\x16\3\1\2\0\1\0\1\xfc\3\3\0\0\0\0\0"),
	HEADER("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n"),
	HEADER("proxy tcp4 192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER(" PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"),
	/* Version 1: the word. */
	HEADER("PROXY\r\n"),
	HEADER("PROXY \r\n"),
	HEADER("PROXY TCP4\r\n"),
	HEADER("PROXY UNKNOW\r\n"),
	HEADER("PROXY UNKNOWNS\r\n"),
	HEADER("PROXY UNKNOWN\0\r\n"),
	HEADER("PROXY UNKNOWN\t\r\n"),
	HEADER("PROXY UDP4 192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY tcp4 192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP 192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP44 192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY\tTCP4 192.0.2.7 198.51.100.1 4711 80\r\n"),
	/* Its end. */
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\n\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\r\n"),
	HEADER("PROXY UNKNOWN\n"),
	HEADER("PROXY UNKNOWN \n\r\n"),
	/* Its spaces. */
	HEADER("PROXY  TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4  192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7  198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1  4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711  80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80 \r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80 90\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n"),
	/* Its addresses. */
	HEADER("PROXY TCP4 2001:db8::1 2001:db8::2 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 2001:db8::2 4711 80\r\n"),
	HEADER("PROXY TCP6 192.0.2.7 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP6 2001:db8::1 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.07 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.256 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7\0 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7/8 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP4 localhost 198.51.100.1 4711 80\r\n"),
	HEADER("PROXY TCP6 fe80::1%lo fe80::2 4711 80\r\n"),
	HEADER("PROXY TCP6 [2001:db8::1] 2001:db8::2 4711 80\r\n"),
	HEADER("PROXY TCP6 2001:db8::1::2 2001:db8::2 4711 80\r\n"),
	/* Its ports. */
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 00 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 -0 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 04711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 +4711 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 -1 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 65536 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 70000 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4294967297 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 0x50 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 http 80\r\n"),
	HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\0\r\n"),
	/* Its length: 108. */
	HEADER("PROXY UNKNOWN  ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	HEADER("PROXY UNKNOWN " TEN TEN TEN TEN TEN TEN TEN TEN TEN "/////"),
	/* Version 2: version, command, family. */
	HEADER(SIGNATURE "\x11\x11\0\x0c" INET),
	HEADER(SIGNATURE "\x31\x11\0\x0c" INET),
	HEADER(SIGNATURE "\x22\x11\0\x0c" INET),
	HEADER(SIGNATURE "\x2f\x11\0\x0c" INET),
	HEADER(SIGNATURE "\x21\x10\0\x0c" INET),
	HEADER(SIGNATURE "\x21\x12\0\x0c" INET),
	HEADER(SIGNATURE "\x21\x13\0\x0c" INET),
	HEADER(SIGNATURE "\x21\x01\0\x0c" INET),
	HEADER(SIGNATURE "\x21\x22\0\x24" INET6),
	HEADER(SIGNATURE "\x21\x32\0\xd8" UNIX),
	HEADER(SIGNATURE "\x21\x41\0\x0c" INET),
	/* Its length: shorter than the addresses. */
	HEADER(SIGNATURE "\x21\x11\0\x0b" INET),
	HEADER(SIGNATURE "\x21\x11\0\0" INET),
	HEADER(SIGNATURE "\x21\x21\0\x23" INET6),
	HEADER(SIGNATURE "\x21\x21\0\x0c" INET6),
	HEADER(SIGNATURE "\x21\x31\0\xd7" UNIX),
	/* Its fields: cut short, longer than the header, wrong sums. */
	HEADER(SIGNATURE "\x21\x11\0\x0d" INET "\4"),
	HEADER(SIGNATURE "\x21\x11\0\x0e" INET "\4\0"),
	HEADER(SIGNATURE "\x21\x11\0\x0f" INET "\4\0\1"),
	HEADER(SIGNATURE "\x21\x11\0\x0f" INET "\4\xff\xff"),
	HEADER(SIGNATURE "\x21\x11\0\x12" INET "\4\0\0\4\0\1"),
	HEADER(SIGNATURE "\x21\x31\0\xd9" UNIX "\4"),
	HEADER(SIGNATURE "\x21\x11\0\x13" INET "\3\0\4\0\0\0\0"),
	HEADER(SIGNATURE "\x21\x11\0\x1a" INET "\3\0\4\0\0\0\0"
			 "\3\0\4\x63\x32\x4b\xad"),
	HEADER(SIGNATURE "\x21\x11\0\x12" INET "\3\0\3\0\0\0"),
	HEADER(SIGNATURE "\x21\x11\0\x14" INET "\3\0\5\0\0\0\0\0"),
	HEADER(SIGNATURE "\x21\x11\0\x0f" INET "\3\0\0"),
};
#define BADS (sizeof(bads) / sizeof(*bads))

/* More than each of the test's own steps can take. */
static int64_t soon(void)
{
	return clock_now_ns() + 30 * NS_IN_S;
}

struct pair {
	int proxy, worker;
};

static struct pair pair_open(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	return (struct pair){ ends[0], ends[1] };
}

static void pair_close(struct pair *pair)
{
	close(pair->proxy);
	close(pair->worker);
}

static void send_all(int fd, const void *bytes, size_t length)
{
	ck_assert_int_eq(send(fd, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void check_address(const struct sockaddr_storage *address, const char *expected)
{
	char text[INET_TEXT];

	inet_format((const struct sockaddr *)address, text, sizeof(text));
	ck_assert_str_eq(text, expected);
}

static void check_good(const struct good *good, enum introduction_kind kind,
		       const struct proxy_header *header)
{
	ck_assert_msg(kind == good->kind, "%zu: %d", (size_t)(good - goods), kind);
	if (kind != INTRODUCTION_CLIENT)
		return;
	check_address(&header->client, good->client);
	check_address(&header->destination, good->destination);
}

/* Something that is neither text nor a header, and begins like one. */
static const char payload[] = "PROXY \r\n\0\xff\n";

static void check_payload(int fd)
{
	char bytes[sizeof(payload)];

	ck_assert_int_eq(recv(fd, bytes, sizeof(bytes), MSG_WAITALL), sizeof(bytes));
	ck_assert_mem_eq(bytes, payload, sizeof(payload));
}

static void check_empty(int fd)
{
	char byte;

	ck_assert_int_lt(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
}

/* -- the parser -- */

START_TEST(takes_what_keeps_to_the_rules)
{
	struct proxy_header header;

	for (size_t i = 0; i < GOODS; i++)
		check_good(&goods[i],
			   proxy_header_parse((const uint8_t *)goods[i].header.at,
					      goods[i].header.length, &header),
			   &header);
}
END_TEST

START_TEST(refuses_what_does_not)
{
	struct proxy_header header;

	for (size_t i = 0; i < BADS; i++)
		ck_assert_msg(proxy_header_parse((const uint8_t *)bads[i].at, bads[i].length,
						 &header) == INTRODUCTION_BAD,
			      "%zu", i);
}
END_TEST

START_TEST(a_part_of_a_header_and_more_than_one_are_bad)
{
	struct proxy_header header;
	uint8_t bytes[512];

	for (size_t i = 0; i < GOODS; i++) {
		const size_t length = goods[i].header.length;

		memset(bytes, '\n', sizeof(bytes));
		memcpy(bytes, goods[i].header.at, length);
		ck_assert_int_eq(proxy_header_parse(bytes, length + 1, &header), INTRODUCTION_BAD);
		for (size_t part = 0; part < length; part++)
			ck_assert_int_eq(proxy_header_parse(bytes, part, &header),
					 INTRODUCTION_BAD);
	}
}
END_TEST

START_TEST(never_asks_for_a_byte_behind_the_header)
{
	for (size_t i = 0; i < GOODS; i++)
		for (size_t part = 0; part <= goods[i].header.length; part++) {
			const struct proxy_need need =
				proxy_header_need((const uint8_t *)goods[i].header.at, part);

			ck_assert_int_eq(need.count == 0, part == goods[i].header.length);
			if (!need.to_newline)
				ck_assert_uint_le(part + need.count, goods[i].header.length);
			else
				ck_assert_uint_eq(part + need.count, 107);
		}
}
END_TEST

/* 107 bytes without a newline are no line, and more of them neither. */
START_TEST(a_line_has_an_end)
{
	uint8_t bytes[200];

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "PROXY ", 6);
	ck_assert_uint_eq(proxy_header_need(bytes, 106).count, 1);
	for (size_t length = 107; length <= sizeof(bytes); length++)
		ck_assert_uint_eq(proxy_header_need(bytes, length).count, 0);
}
END_TEST

/* Each bit of a header with a sum counts: either it is not the same header any more, or bad. */
START_TEST(a_sum_finds_every_bit_that_is_wrong)
{
	const struct bytes *good = &goods[GOODS - 1].header;
	struct proxy_header header;
	uint8_t bytes[128];

	memcpy(bytes, good->at, good->length);
	for (size_t bit = 16 * 8; bit < good->length * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* The sum's own type: without it nothing is checked. */
		if (bit / 8 != good->length - 10)
			ck_assert_msg(proxy_header_parse(bytes, good->length, &header) ==
					      INTRODUCTION_BAD,
				      "bit %zu", bit);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

/* -- the socket -- */

START_TEST(leaves_what_follows_in_the_socket)
{
	struct proxy_header header;
	struct pair pair = pair_open();

	for (size_t i = 0; i < GOODS; i++) {
		send_all(pair.proxy, goods[i].header.at, goods[i].header.length);
		send_all(pair.proxy, payload, sizeof(payload));
		check_good(&goods[i], proxy_read(pair.worker, soon(), &header), &header);
		check_payload(pair.worker);
		check_empty(pair.worker);
	}
	pair_close(&pair);
}
END_TEST

/* Waits until the other end has taken all. */
static void wait_taken(int fd)
{
	int waiting = 1;

	while (waiting > 0) {
		ck_assert_int_eq(ioctl(fd, TIOCOUTQ, &waiting), 0);
		sched_yield();
	}
}

/* Its parts up to each place, one after the other; then all again in single bytes. */
static void send_in_parts(int fd, const struct bytes *header)
{
	for (size_t part = 1; part < header->length; part++) {
		send_all(fd, header->at, part);
		wait_taken(fd);
		send_all(fd, header->at + part, header->length - part);
		send_all(fd, payload, sizeof(payload));
		wait_taken(fd);
	}
	for (size_t at = 0; at < header->length; at++) {
		send_all(fd, header->at + at, 1);
		wait_taken(fd);
	}
	send_all(fd, payload, sizeof(payload));
	exit(0);
}

START_TEST(it_does_not_matter_how_the_network_cuts)
{
	struct pair pair = pair_open();
	struct proxy_header header;
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(pair.worker);
		send_in_parts(pair.proxy, &goods[_i].header);
	}
	for (size_t part = 1; part <= goods[_i].header.length; part++) {
		check_good(&goods[_i], proxy_read(pair.worker, soon(), &header), &header);
		check_payload(pair.worker);
	}
	check_empty(pair.worker);
	pair_close(&pair);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* At once, without waiting for more: the proxy has to notice. */
START_TEST(what_is_bad_is_bad_at_once)
{
	struct proxy_header header;

	for (size_t i = 0; i < BADS; i++) {
		struct pair pair = pair_open();

		send_all(pair.proxy, bads[i].at, bads[i].length);
		ck_assert_msg(proxy_read(pair.worker, soon(), &header) == INTRODUCTION_BAD, "%zu",
			      i);
		pair_close(&pair);
	}
}
END_TEST

START_TEST(one_wrong_byte_is_enough)
{
	static const struct bytes starts[] = { HEADER("G"),
					       HEADER("PROXY\t"),
					       HEADER("\r\nx"),
					       HEADER("PROXY \n"),
					       HEADER(SIGNATURE "\x11\x11\xff\xff"),
					       HEADER(SIGNATURE "\x21\x12\xff\xff"),
					       HEADER(SIGNATURE "\x21\x11\0\x0b") };
	struct proxy_header header;

	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		struct pair pair = pair_open();

		send_all(pair.proxy, starts[i].at, starts[i].length);
		ck_assert_int_eq(proxy_read(pair.worker, soon(), &header), INTRODUCTION_BAD);
		pair_close(&pair);
	}
}
END_TEST

START_TEST(who_closes_early_is_gone)
{
	struct proxy_header header;

	for (size_t i = 0; i < GOODS; i++)
		for (size_t part = 0; part < goods[i].header.length; part++) {
			struct pair pair = pair_open();

			send_all(pair.proxy, goods[i].header.at, part);
			ck_assert_int_eq(shutdown(pair.proxy, SHUT_WR), 0);
			ck_assert_int_eq(proxy_read(pair.worker, soon(), &header),
					 INTRODUCTION_GONE);
			pair_close(&pair);
		}
}
END_TEST

static struct pair pair_open_tcp(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t length = sizeof(in);
	struct pair pair;

	ck_assert_int_eq(bind(listening, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&in, &length), 0);
	pair.proxy = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(pair.proxy, (struct sockaddr *)&in, sizeof(in)), 0);
	pair.worker = accept(listening, NULL, NULL);
	ck_assert_int_ge(pair.worker, 0);
	close(listening);
	return pair;
}

START_TEST(who_resets_is_gone)
{
	const struct linger linger = { .l_onoff = 1 };
	struct pair pair = pair_open_tcp();
	struct proxy_header header;

	send_all(pair.proxy, "PROXY TCP4", 10);
	ck_assert_int_eq(setsockopt(pair.proxy, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(pair.proxy);
	ck_assert_int_eq(proxy_read(pair.worker, soon(), &header), INTRODUCTION_GONE);
	close(pair.worker);
}
END_TEST

START_TEST(tcp_is_read_as_exactly)
{
	struct proxy_header header;

	for (size_t i = 0; i < GOODS; i++) {
		struct pair pair = pair_open_tcp();

		send_all(pair.proxy, goods[i].header.at, goods[i].header.length);
		send_all(pair.proxy, payload, sizeof(payload));
		check_good(&goods[i], proxy_read(pair.worker, soon(), &header), &header);
		check_payload(pair.worker);
		pair_close(&pair);
	}
}
END_TEST

/* -- time -- */

START_TEST(who_does_not_go_on_is_late)
{
	struct proxy_header header;

	for (size_t i = 0; i < GOODS; i++)
		for (size_t part = 0; part < goods[i].header.length; part++) {
			struct pair pair = pair_open();

			send_all(pair.proxy, goods[i].header.at, part);
			ck_assert_int_eq(proxy_read(pair.worker, clock_now_ns(), &header),
					 INTRODUCTION_LATE);
			pair_close(&pair);
		}
}
END_TEST

static int64_t used_ns(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * NS_IN_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

/* A line that has been looked at and left in the socket would be readable all the time. */
START_TEST(waiting_costs_nothing)
{
	static const struct bytes parts[] = { HEADER(""), HEADER("PROXY UNKNOWN "),
					      HEADER("PROXY UNKNOWN\r"),
					      HEADER(SIGNATURE "\x21\x11\0\x0c\1") };
	struct proxy_header header;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct pair pair = pair_open();
		const int64_t deadline_ns = clock_now_ns() + 300 * NS_IN_MS, used = used_ns();

		send_all(pair.proxy, parts[i].at, parts[i].length);
		ck_assert_int_eq(proxy_read(pair.worker, deadline_ns, &header), INTRODUCTION_LATE);
		ck_assert_int_ge(clock_now_ns(), deadline_ns);
		ck_assert_int_lt(used_ns() - used, 100 * NS_IN_MS);
		pair_close(&pair);
	}
}
END_TEST

/* F23: a byte now and then does not move the deadline. */
START_TEST(there_is_one_deadline_for_all_of_it)
{
	static const struct bytes head = HEADER(SIGNATURE "\x20\0\xff\xff");
	struct pair pair = pair_open();
	struct proxy_header header;
	int64_t began_ns;
	pid_t pid;

	send_all(pair.proxy, head.at, head.length);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		for (;;) {
			send_all(pair.proxy, "x", 1);
			usleep(2000);
		}
	began_ns = clock_now_ns();
	ck_assert_int_eq(proxy_read(pair.worker, began_ns + 200 * NS_IN_MS, &header),
			 INTRODUCTION_LATE);
	ck_assert_int_lt(clock_now_ns() - began_ns, 20 * NS_IN_S);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	pair_close(&pair);
}
END_TEST

START_TEST(the_longest_header_is_taken)
{
	static char bytes[PROXY_HEADER_MAX];
	struct pair pair = pair_open();
	struct proxy_header header;
	int size = 4 * PROXY_HEADER_MAX;

	ck_assert_int_eq(setsockopt(pair.proxy, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	memcpy(bytes, SIGNATURE "\x21\x11\xff\xff" INET "\4\xff\xf0", 31);
	send_all(pair.proxy, bytes, sizeof(bytes));
	send_all(pair.proxy, payload, sizeof(payload));
	ck_assert_int_eq(proxy_read(pair.worker, soon(), &header), INTRODUCTION_CLIENT);
	check_address(&header.client, "192.0.2.7:4711");
	check_payload(pair.worker);
	pair_close(&pair);
}
END_TEST

/* -- the master -- */

static struct pair pair_open_talk(void)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	return (struct pair){ ends[0], ends[1] };
}

/* What the worker makes of an answer that has come already. */
static enum refusal hear(const void *answer, size_t length)
{
	const struct introduction said = { .kind = INTRODUCTION_LOCAL };
	struct pair pair = pair_open_talk();
	struct introduction heard;
	enum refusal refusal;

	send_all(pair.proxy, answer, length);
	refusal = (enum refusal)proxy_introduce(pair.worker, &said).refusal;
	ck_assert_int_eq(recv(pair.proxy, &heard, sizeof(heard), MSG_TRUNC), sizeof(heard));
	ck_assert_mem_eq(&heard, &said, sizeof(said));
	pair_close(&pair);
	return refusal;
}

START_TEST(the_master_decides)
{
	struct introduction_answer answer;

	for (answer.refusal = 0; answer.refusal < REFUSALS; answer.refusal++)
		ck_assert_uint_eq(hear(&answer, sizeof(answer)), answer.refusal);
}
END_TEST

START_TEST(an_answer_that_is_none_lets_nobody_in)
{
	struct introduction_answer answer = { .refusal = REFUSALS };
	const char long_answer[2 * sizeof(answer)] = { 0 };

	ck_assert_uint_eq(hear(&answer, sizeof(answer)), REFUSAL_SHORTAGE);
	answer.refusal = UINT32_MAX;
	ck_assert_uint_eq(hear(&answer, sizeof(answer)), REFUSAL_SHORTAGE);
	ck_assert_uint_eq(hear(long_answer, 1), REFUSAL_SHORTAGE);
	ck_assert_uint_eq(hear(long_answer, sizeof(long_answer)), REFUSAL_SHORTAGE);
}
END_TEST

/* It has ended, or its next one does not know us. */
START_TEST(a_master_that_is_gone_lets_nobody_in)
{
	const struct introduction said = { .kind = INTRODUCTION_LOCAL };
	struct pair pair = pair_open_talk();

	ck_assert_int_eq(shutdown(pair.proxy, SHUT_WR), 0); /* hears, but says nothing */
	ck_assert_uint_eq(proxy_introduce(pair.worker, &said).refusal, REFUSAL_SHORTAGE);
	close(pair.proxy);
	ck_assert_uint_eq(proxy_introduce(pair.worker, &said).refusal, REFUSAL_SHORTAGE);
	close(pair.worker);
	ck_assert_uint_eq(proxy_introduce(pair.worker, &said).refusal, REFUSAL_SHORTAGE);
}
END_TEST

/* A reload lies between question and answer. */
START_TEST(the_answer_is_waited_for)
{
	const struct introduction_answer answer = { .refusal = REFUSAL_ACCESS };
	const struct introduction said = { .kind = INTRODUCTION_LOCAL };
	struct pair pair = pair_open_talk();
	struct introduction heard;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (recv(pair.proxy, &heard, sizeof(heard), 0) != sizeof(heard))
			exit(1);
		usleep(200000);
		send_all(pair.proxy, &answer, sizeof(answer));
		exit(0);
	}
	ck_assert_uint_eq(proxy_introduce(pair.worker, &said).refusal, REFUSAL_ACCESS);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	pair_close(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		takes_what_keeps_to_the_rules,
		refuses_what_does_not,
		a_part_of_a_header_and_more_than_one_are_bad,
		never_asks_for_a_byte_behind_the_header,
		a_line_has_an_end,
		a_sum_finds_every_bit_that_is_wrong,
		leaves_what_follows_in_the_socket,
		what_is_bad_is_bad_at_once,
		one_wrong_byte_is_enough,
		who_closes_early_is_gone,
		who_resets_is_gone,
		tcp_is_read_as_exactly,
		who_does_not_go_on_is_late,
		waiting_costs_nothing,
		there_is_one_deadline_for_all_of_it,
		the_longest_header_is_taken,
		the_master_decides,
		an_answer_that_is_none_lets_nobody_in,
		a_master_that_is_gone_lets_nobody_in,
		the_answer_is_waited_for,
	};
	TCase *all = tcase_create("all");

	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(all, tests[i]);
	tcase_add_loop_test(all, it_does_not_matter_how_the_network_cuts, 0, GOODS);
	tcase_set_timeout(all, 60); /* on a busy machine */
	return suite_finish("proxy", all);
}
