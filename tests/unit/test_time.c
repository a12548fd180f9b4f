/* SPDX-License-Identifier: ISC */
/* RFC 868: four bytes, big-endian, modulo 2^32.  inetutils sends eight, as long as a long. */
#include "config.h"

#include "handlers/time.h"

#include <string.h>
#include <time.h>

#include "handlers/handler.h"
#include "answering.h"
#include "talk.h"
#include "suite.h"

/* The first five are the RFC's own examples. */
START_TEST(known_times)
{
	ck_assert_uint_eq(time_from_unix(0), 2208988800U);
	ck_assert_uint_eq(time_from_unix(189302400), 2398291200U);
	ck_assert_uint_eq(time_from_unix(315532800), 2524521600U);
	ck_assert_uint_eq(time_from_unix(420595200), 2629584000U);
	ck_assert_uint_eq(time_from_unix(INT64_C(-3506716800)), (uint32_t)-1297728000);
}
END_TEST

START_TEST(wraps_in_2036)
{
	ck_assert_uint_eq(time_from_unix(2085978495), UINT32_MAX);
	ck_assert_uint_eq(time_from_unix(2085978496), 0);
	ck_assert_uint_eq(time_from_unix(2085978497), 1);
}
END_TEST

/* Where a 32-bit time_t would turn negative nothing happens. */
START_TEST(goes_on_in_2038)
{
	ck_assert_uint_eq(time_from_unix(INT32_MAX), 61505151U);
	ck_assert_uint_eq(time_from_unix(INT64_C(2147483648)), 61505152U);
	ck_assert_uint_eq(time_from_unix(INT64_C(4294967296)), 2208988800U);
}
END_TEST

/* The clock, as the handler sees it. */
static time_t faked;

time_t time(time_t *out)
{
	if (out)
		*out = faked;
	return faked;
}

static void expect_stream(time_t now, const char *bytes, size_t length, int status)
{
	const struct session_settings settings = { .crlf = true };
	char answer[64];
	struct talk talk;

	faked = now;
	talk = talk_start(&time_handler, &settings);
	ck_assert_uint_eq(talk_hear(&talk, answer, sizeof(answer)), length);
	ck_assert_mem_eq(answer, bytes, length);
	ck_assert_int_eq(talk_end(&talk), status << 8);
}

static void expect_datagram(time_t now, const char *bytes, size_t length)
{
	static struct answering answering = { .handler = &time_handler, .room = 512 };

	faked = now;
	ck_assert_int_eq(answering_ask(&answering, "", 0), length > 0);
	ck_assert_uint_eq(answering.length, length);
	ck_assert_mem_eq(answering.bytes, bytes, length);
	ck_assert_int_eq(answering_ask(&answering, "whatever\r\n", 10), length > 0);
}

static void expect_both(time_t now, const char *bytes)
{
	expect_stream(now, bytes, 4, 0);
	expect_datagram(now, bytes, 4);
}

START_TEST(on_the_wire)
{
	expect_both(0, "\x83\xaa\x7e\x80");
	expect_both(1795356804, "\xee\xad\x77\x04");
	expect_both(INT64_C(2085978495), "\xff\xff\xff\xff");
	expect_both(INT64_C(2085978496), "\x00\x00\x00\x00");
	expect_both(INT64_C(2085978497), "\x00\x00\x00\x01");
	expect_both(INT64_C(2147483647), "\x03\xaa\x7e\x7f");
	expect_both(INT64_C(2147483648), "\x03\xaa\x7e\x80");
}
END_TEST

/* "If the server is unable to determine the time at its site, it should either refuse the
 * connection or close it without sending anything"; and a datagram is discarded. */
START_TEST(unknown_time)
{
	expect_stream(-1, "", 0, 1);
	expect_datagram(-1, "", 0);
	expect_stream(-86400, "", 0, 1);
	expect_datagram(-86400, "", 0);
}
END_TEST

/* Three bytes of it would be another time. */
START_TEST(no_room)
{
	static struct answering answering = { .handler = &time_handler, .room = 3 };

	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(answering.length, 0);
}
END_TEST

SUITE("time", known_times, wraps_in_2036, goes_on_in_2038, on_the_wire, unknown_time, no_room)
