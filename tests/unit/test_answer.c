/* SPDX-License-Identifier: ISC */
/*
 * Answers to datagrams: whole pieces or nothing, never a byte more than there is room for, nothing
 * sent and nothing read by the session itself.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/session.h"
#include "suite.h"

static struct begat_session session;

static void begin(size_t room)
{
	/* Whatever touches the socket fails, and is seen by what the session thinks of it. */
	const struct session_settings settings = { .fd = -1, .crlf = true };

	session_init(&session, &settings);
	session_begin_answer(&session, room);
}

static void expect(const char *expected, bool whole)
{
	size_t length;
	const char *answer = session_answer(&session, &length);

	ck_assert_uint_eq(length, strlen(expected));
	ck_assert_mem_eq(answer, expected, length);
	ck_assert_int_eq(session_answer_is_whole(&session), whole);
}

START_TEST(fits_to_the_byte)
{
	begin(5);
	ck_assert_uint_eq(begat_room(&session), 5);
	ck_assert_int_eq(begat_write(&session, "ab", 2), 0);
	ck_assert_uint_eq(begat_room(&session), 3);
	ck_assert_int_eq(begat_write(&session, "cde", 3), 0);
	ck_assert_uint_eq(begat_room(&session), 0);
	ck_assert_int_eq(begat_write(&session, "", 0), 0);
	ck_assert_int_eq(begat_write(&session, NULL, 0), 0);
	expect("abcde", true);
}
END_TEST

/* What does not fit is left out whole, and all that comes after it, even what would fit. */
START_TEST(nothing_after_a_gap)
{
	begin(5);
	ck_assert_int_eq(begat_write(&session, "ab", 2), 0);
	ck_assert_int_eq(begat_write(&session, "cdef", 4), -1);
	ck_assert_uint_eq(begat_room(&session), 0);
	ck_assert_int_eq(begat_write(&session, "c", 1), -1);
	ck_assert_int_eq(begat_write_text(&session, "c", 1), -1);
	ck_assert_int_eq(begat_print(&session, "c"), -1);
	ck_assert_int_eq(begat_flush(&session), -1);
	expect("ab", false);
}
END_TEST

/* A line end is two bytes: that, too, is no reason for half a piece. */
START_TEST(text_grows)
{
	begin(6);
	ck_assert_int_eq(begat_write_text(&session, "a\nb\n", 4), 0);
	expect("a\r\nb\r\n", true);
	begin(5);
	ck_assert_int_eq(begat_write_text(&session, "a\nb\n", 4), -1);
	expect("", false);
	begin(5);
	ck_assert_int_eq(begat_write_text(&session, "a\n", 2), 0);
	ck_assert_int_eq(begat_print(&session, "%c\n", 'b'), -1);
	expect("a\r\n", false);
	begin(3);
	ck_assert_int_eq(begat_write_text(&session, "ab\n", 3), -1);
	expect("", false);
}
END_TEST

/* Nothing of one client is in the answer to the next. */
START_TEST(each_begins_anew)
{
	begin(4);
	ck_assert_int_eq(begat_write_text(&session, "ab\r", 3), 0);
	session_begin_answer(&session, 2);
	expect("", true);
	ck_assert_int_eq(begat_write_text(&session, "\n", 1), 0);
	expect("\r\n", true);
	ck_assert_int_eq(begat_write(&session, "c", 1), -1);
	session_begin_answer(&session, 1);
	ck_assert_int_eq(begat_write(&session, "d", 1), 0);
	expect("d", true);
}
END_TEST

/* No more than a datagram holds, whatever the caller says. */
START_TEST(largest)
{
	static char bytes[SESSION_ANSWER + 1];
	size_t length;

	begin(SIZE_MAX);
	ck_assert_uint_eq(begat_room(&session), SESSION_ANSWER);
	ck_assert_int_eq(begat_write(&session, bytes, SESSION_ANSWER), 0);
	ck_assert_int_eq(begat_write(&session, bytes, 1), -1);
	begin(SIZE_MAX);
	ck_assert_int_eq(begat_write(&session, bytes, sizeof(bytes)), -1);
	begin(0);
	ck_assert_int_eq(begat_write(&session, bytes, 1), -1);
	session_answer(&session, &length);
	ck_assert_uint_eq(length, 0);
}
END_TEST

START_TEST(nothing_to_read)
{
	char bytes[8];
	size_t length;

	begin(100);
	ck_assert_int_eq(begat_read(&session, bytes, sizeof(bytes), &length), BEGAT_INPUT_END);
	ck_assert_int_eq(begat_read_line(&session, bytes, sizeof(bytes), &length), BEGAT_INPUT_END);
	ck_assert_int_eq(begat_print(&session, "still\n"), 0);
	expect("still\r\n", true);
}
END_TEST

START_TEST(nothing_is_sent)
{
	begin(100);
	ck_assert_int_eq(begat_print(&session, "a\n"), 0);
	ck_assert_int_eq(begat_flush(&session), 0);
	ck_assert_int_eq(begat_finish(&session), 0);
	ck_assert_int_eq(begat_print(&session, "b\n"), 0);
	expect("a\r\nb\r\n", true);
}
END_TEST

/* A stream has no such limit. */
START_TEST(room_of_a_stream)
{
	const struct session_settings settings = { .fd = -1 };

	begin(0);
	session_init(&session, &settings);
	ck_assert_uint_eq(begat_room(&session), SIZE_MAX);
}
END_TEST

SUITE("answer", fits_to_the_byte, nothing_after_a_gap, text_grows, each_begins_anew, largest,
      nothing_to_read, nothing_is_sent, room_of_a_stream)
