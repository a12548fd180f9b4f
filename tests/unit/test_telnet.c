/* SPDX-License-Identifier: ISC */
/*
 * F122: telnet's commands, however they are cut, repeated, left unfinished or made up.  The rows of
 * faults.md that broke other servers: CVE-2022-39028 (ff f7, ff f8), CVE-2020-10188 and
 * CVE-2026-32746 (long subnegotiations).
 */
#include "config.h"

#include "handlers/telnet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/session.h"
#include "suite.h"

#define IAC  "\xff"
#define DONT "\xfe"
#define DO   "\xfd"
#define WONT "\xfc"
#define WILL "\xfb"
#define SB   "\xfa"
#define SE   "\xf0"

struct bytes {
	unsigned char at[70000];
	size_t length;
};

static struct begat_session session;
static struct telnet telnet;
static struct bytes data, answers; /* what is left of the input, and what is sent */
static int client;

static void setup(void)
{
	const struct session_settings settings = { .crlf = true };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	session_init(&session, &settings);
	session.set.fd = ends[1];
	client = ends[0];
	telnet_init(&telnet);
	data.length = answers.length = 0;
}

static void teardown(void)
{
	close(client);
	close(session.set.fd);
}

static void collect_answers(void)
{
	ssize_t got;

	ck_assert_int_eq(begat_flush(&session), 0);
	while ((got = recv(client, answers.at + answers.length, sizeof(answers.at) - answers.length,
			   MSG_DONTWAIT)) > 0)
		answers.length += got;
}

static void filter(const void *bytes, size_t length)
{
	/* Exactly so large, so that the sanitizer sees one byte too much. */
	unsigned char *piece = malloc(length ? length : 1);
	size_t kept;

	memcpy(piece, bytes, length);
	kept = telnet_filter(&telnet, &session, piece, length);
	ck_assert_uint_le(kept, length);
	memcpy(data.at + data.length, piece, kept);
	data.length += kept;
	free(piece);
	collect_answers();
}

static void expect(const struct bytes *bytes, const char *expected, size_t length)
{
	ck_assert_uint_eq(bytes->length, length);
	ck_assert_mem_eq(bytes->at, expected, length);
}

#define FILTER(literal)	       filter(literal, sizeof(literal) - 1)
#define EXPECT(bytes, literal) expect(&(bytes), literal, sizeof(literal) - 1)

START_TEST(plain_data)
{
	FILTER("date\r\nwho\r\0\x80\xfe\0");
	EXPECT(data, "date\r\nwho\r\0\x80\xfe\0");
	EXPECT(answers, "");
}
END_TEST

START_TEST(escaped_255)
{
	FILTER("a" IAC IAC "b" IAC IAC IAC IAC);
	EXPECT(data, "a\xff"
		     "b\xff\xff");
	EXPECT(answers, "");
}
END_TEST

START_TEST(refuse_once)
{
	FILTER(IAC WILL "\x18" IAC DO "\x01" IAC WILL "\x18" IAC DO "\x18" IAC DO "\x01");
	EXPECT(data, "");
	EXPECT(answers, IAC DONT "\x18" IAC WONT "\x01" IAC WONT "\x18");
}
END_TEST

/* RFC 1143: an answer to a refusal is the beginning of a loop. */
START_TEST(refusals_unanswered)
{
	FILTER(IAC WONT "\x01" IAC DONT "\x01" IAC WONT "\x03" IAC DONT "\x06");
	EXPECT(data, "");
	EXPECT(answers, "");
}
END_TEST

/* RFC 860: after an interrupt the client drops our output until this is answered, each time. */
START_TEST(timing_mark)
{
	FILTER(IAC DO "\x06" IAC DO "\x06");
	EXPECT(answers, IAC WONT "\x06" IAC WONT "\x06");
}
END_TEST

START_TEST(are_you_there)
{
	FILTER("da" IAC "\xf6"
	       "te\n");
	EXPECT(data, "date\n");
	EXPECT(answers, "\r\n[yes]\r\n");
}
END_TEST

/* Every two-byte command that there is, defined or not, the erase commands of the CVE too. */
START_TEST(all_commands)
{
	for (int byte = 0; byte < 250; byte++) {
		const char command[] = { 'a', '\xff', (char)byte, 'b' };

		data.length = 0;
		filter(command, sizeof(command));
		EXPECT(data, "ab");
	}
	EXPECT(answers, "\r\n[yes]\r\n");
}
END_TEST

START_TEST(subnegotiation)
{
	FILTER("a" IAC SB "\x18"
	       "\0xterm" IAC IAC "\n" IAC SE "b");
	EXPECT(data, "ab");
	EXPECT(answers, "");
}
END_TEST

START_TEST(slc_triplets)
{
	unsigned char bytes[3 + 1 + 300 + 2] = { 0xff, 0xfa, 34, 3 };

	for (int i = 0; i < 300; i++)
		bytes[4 + i] = i % 3 == 0 ? i % 31 : 2;
	bytes[304] = 0xff;
	bytes[305] = 0xf0;
	filter(bytes, sizeof(bytes));
	FILTER("ok");
	EXPECT(data, "ok");
	EXPECT(answers, "");
}
END_TEST

START_TEST(new_environ)
{
	FILTER(IAC WILL "\x27" IAC SB "\x27"
			"\0\0USER\1-f root" IAC SE "x");
	EXPECT(data, "x");
	EXPECT(answers, IAC DONT "\x27");
}
END_TEST

/* Another command ends a subnegotiation whose end was forgotten. */
START_TEST(subnegotiation_cut_short)
{
	FILTER(IAC SB "\x18"
		      "abc" IAC DO "\x01"
		      "data");
	EXPECT(data, "data");
	EXPECT(answers, IAC WONT "\x01");
}
END_TEST

/* One that never ends takes a bounded number of bytes, no memory, and not the session. */
START_TEST(subnegotiation_endless)
{
	static unsigned char bytes[65536];

	memset(bytes, 'x', sizeof(bytes));
	FILTER(IAC SB);
	filter(bytes, sizeof(bytes));
	ck_assert_uint_eq(data.length, sizeof(bytes) - TELNET_SUBNEGOTIATION - 1);
}
END_TEST

/* However it is cut, it is the same. */
START_TEST(split_everywhere)
{
	static const char bytes[] = "a" IAC IAC "b" IAC WILL "\x01" IAC DO "\xff" IAC DO "\x06"
				    "c" IAC SB "\x18"
				    "\0x" IAC IAC IAC SE "d" IAC "\xf6"
				    "e" IAC "\xf7" IAC "\xf8"
				    "\r\n" IAC SB "zz" IAC WONT "\x01"
				    "f" IAC SE IAC "\xf9"
				    "g";
	static const char left[] = "a\xff"
				   "bcde\r\nfg";
	static const char sent[] = IAC DONT "\x01" IAC WONT "\xff" IAC WONT "\x06"
					    "\r\n[yes]\r\n";
	const size_t length = sizeof(bytes) - 1;

	for (size_t first = 0; first <= length; first++)
		for (size_t second = first; second <= length; second++) {
			telnet_init(&telnet);
			data.length = answers.length = 0;
			filter(bytes, first);
			filter(bytes + first, second - first);
			filter(bytes + second, length - second);
			EXPECT(data, left);
			EXPECT(answers, sent);
		}
}
END_TEST

/* A storm of every request there is gets a bounded answer. */
START_TEST(storms)
{
	for (int round = 0; round < 20; round++)
		for (int option = 0; option < 256; option++) {
			const unsigned char request[] = { 255, 253, option, 255, 251, option };

			filter(request, sizeof(request));
		}
	ck_assert_uint_eq(answers.length, 3 * (512 + 19));
	for (int i = 0; i < 5000; i++)
		FILTER(IAC "\xf6" IAC DO "\x06"
			   "x");
	ck_assert_uint_le(answers.length, 9 * TELNET_ANSWERS);
	ck_assert_uint_eq(telnet.answers, TELNET_ANSWERS);
	ck_assert_uint_eq(data.length, 5000);
}
END_TEST

/* Through a session: an answer leaves though no data came, and lines are put together around it. */
START_TEST(in_a_session)
{
	static const char bytes[] = "da" IAC DO "\x01"
				    "te"
				    "\r" IAC "\xf1"
				    "\0"
				    "x\n";
	char line[16];
	size_t length;

	begat_set_filter(&session, telnet_filter, &telnet);
	ck_assert_int_eq(send(client, bytes, sizeof(bytes) - 1, 0), sizeof(bytes) - 1);
	ck_assert_int_eq(begat_read_line(&session, line, sizeof(line), &length), BEGAT_INPUT_OK);
	ck_assert_str_eq(line, "date");
	ck_assert_int_eq(begat_read_line(&session, line, sizeof(line), &length), BEGAT_INPUT_OK);
	ck_assert_str_eq(line, "x");
	collect_answers();
	EXPECT(answers, IAC WONT "\x01");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("telnet");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, plain_data);
	tcase_add_test(tcase, escaped_255);
	tcase_add_test(tcase, refuse_once);
	tcase_add_test(tcase, refusals_unanswered);
	tcase_add_test(tcase, timing_mark);
	tcase_add_test(tcase, are_you_there);
	tcase_add_test(tcase, all_commands);
	tcase_add_test(tcase, subnegotiation);
	tcase_add_test(tcase, slc_triplets);
	tcase_add_test(tcase, new_environ);
	tcase_add_test(tcase, subnegotiation_cut_short);
	tcase_add_test(tcase, subnegotiation_endless);
	tcase_add_test(tcase, split_everywhere);
	tcase_add_test(tcase, storms);
	tcase_add_test(tcase, in_a_session);
	return suite_finish("telnet", tcase);
}
