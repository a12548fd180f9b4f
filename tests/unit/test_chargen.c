/* SPDX-License-Identifier: ISC */
/*
 * RFC 864: lines of 72 characters for as long as the client stays, and 0 to 512 characters for a
 * datagram.  xinetd sends 1,024, and lacks the space and the tilde.
 */
#include "config.h"

#include <signal.h>
#include <string.h>

#include "handlers/handler.h"
#include "answering.h"
#include "talk.h"
#include "suite.h"

static const struct session_settings unlimited = { .crlf = true };

/* What comes at a place of the stream. */
static char expected_at(size_t place)
{
	const size_t line = place / 74, column = place % 74;

	if (column >= 72)
		return column == 72 ? '\r' : '\n';
	return (char)(' ' + (line + column) % 95);
}

static void expect_pattern(const char *bytes, size_t length)
{
	size_t same = 0;

	while (same < length && bytes[same] == expected_at(same))
		same++;
	ck_assert_uint_eq(same, length);
}

static void read_fully(const struct talk *talk, char *bytes, size_t length)
{
	ck_assert_int_eq(recv(talk->fd, bytes, length, MSG_WAITALL), (ssize_t)length);
}

START_TEST(first_and_second_line)
{
	struct talk talk = talk_start(&chargen_handler, &unlimited);

	talk_expect(&talk, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "[\\]^_`abcdefg\r\n"
			   "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "[\\]^_`abcdefgh\r\n");
	ck_assert_int_eq(talk_end(&talk), 0); /* rudely: there is more to come */
}
END_TEST

START_TEST(goes_on)
{
	static char bytes[1 << 20];
	struct talk talk = talk_start(&chargen_handler, &unlimited);

	read_fully(&talk, bytes, sizeof(bytes));
	expect_pattern(bytes, sizeof(bytes));
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

/* "Any data received is thrown away", and a half-closed client still listens. */
START_TEST(input_is_thrown_away)
{
	static char bytes[1 << 18];
	struct talk talk = talk_start(&chargen_handler, &unlimited);

	for (int i = 0; i < 16; i++) {
		talk_send(&talk, bytes, 4096);
		read_fully(&talk, bytes, sizeof(bytes) / 16);
	}
	talk_half_close(&talk);
	read_fully(&talk, bytes, sizeof(bytes));
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

/* F25: a client that does not read costs one idle limit. */
START_TEST(stalled_client)
{
	const struct session_settings impatient = { .crlf = true, .idle_ms = 100 };
	struct talk talk = talk_start(&chargen_handler, &impatient);
	int status;

	ck_assert_int_eq(waitpid(talk.worker, &status, 0), talk.worker);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(datagrams)
{
	static struct answering answering = { .handler = &chargen_handler, .room = 65507 };
	bool seen[513] = { false };
	size_t lengths = 0;

	for (int i = 0; i < 20000; i++) {
		ck_assert(answering_ask(&answering, "x", 1));
		ck_assert_uint_le(answering.length, 512);
		expect_pattern(answering.bytes, answering.length);
		lengths += !seen[answering.length];
		seen[answering.length] = true;
	}
	ck_assert_uint_eq(lengths, 513); /* misses one of them once in 10^14 runs */
}
END_TEST

START_TEST(datagrams_with_little_room)
{
	static struct answering answering = { .handler = &chargen_handler };

	for (int i = 0; i < 1000; i++) {
		answering.room = i % 100;
		ck_assert(answering_ask(&answering, NULL, 0));
		ck_assert_uint_le(answering.length, answering.room);
		ck_assert(answering.whole);
	}
}
END_TEST

SUITE("chargen", first_and_second_line, goes_on, input_is_thrown_away, stalled_client, datagrams,
      datagrams_with_little_room)
