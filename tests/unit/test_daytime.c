/* SPDX-License-Identifier: ISC */
/* RFC 867 as the field knows it: ctime(3)'s form in 26 bytes, whatever the locale, then the end. */
#include "config.h"

#include "handlers/daytime.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "handlers/handler.h"
#include "talk.h"
#include "suite.h"

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void expect(time_t now, const char *expected)
{
	char text[DAYTIME_LENGTH + 1];

	daytime_format(now, text);
	ck_assert_str_eq(text, expected);
}

START_TEST(known_times)
{
	set_zone("UTC0");
	expect(0, "Thu Jan  1 00:00:00 1970\n");
	expect(1795356804, "Sun Nov 22 14:13:24 2026\n");
	expect(-1, "Wed Dec 31 23:59:59 1969\n");
	expect(INT64_C(4294967296), "Sun Feb  7 06:28:16 2106\n");
	expect(INT64_C(253402300799), "Fri Dec 31 23:59:59 9999\n");
	expect(INT64_C(253402300800), "Sat Jan  1 00:00:00 0000\n");
}
END_TEST

START_TEST(local_time)
{
	set_zone("XYZ-05:30");
	expect(0, "Thu Jan  1 05:30:00 1970\n");
}
END_TEST

/* A year that does not fit into an int is no reason to read outside of a table. */
START_TEST(extreme_times)
{
	char text[DAYTIME_LENGTH + 1];

	daytime_format(INT64_MAX, text);
	ck_assert_uint_eq(strlen(text), DAYTIME_LENGTH);
	daytime_format(INT64_MIN, text);
	ck_assert_uint_eq(strlen(text), DAYTIME_LENGTH);
}
END_TEST

START_TEST(same_as_ctime)
{
	char text[DAYTIME_LENGTH + 1], expected[64];

	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (time_t now = 0; now < INT64_C(4500000000); now += 9999991) {
		daytime_format(now, text);
		ck_assert_str_eq(text, ctime_r(&now, expected));
	}
}
END_TEST

static size_t serve(bool crlf, char *answer, size_t size)
{
	const struct session_settings settings = { .crlf = crlf };
	struct talk talk = talk_start(&daytime_handler, &settings);
	const size_t length = talk_hear(&talk, answer, size);

	ck_assert_int_eq(talk_end(&talk), 0);
	return length;
}

START_TEST(on_the_wire)
{
	char answer[64];

	ck_assert_uint_eq(serve(true, answer, sizeof(answer)), 26);
	ck_assert_str_eq(answer + 24, "\r\n");
	ck_assert_uint_eq(serve(false, answer, sizeof(answer)), 25);
	ck_assert_str_eq(answer + 24, "\n");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("daytime");

	tcase_add_test(tcase, known_times);
	tcase_add_test(tcase, local_time);
	tcase_add_test(tcase, extreme_times);
	tcase_add_test(tcase, same_as_ctime);
	tcase_add_test(tcase, on_the_wire);
	return suite_finish("daytime", tcase);
}
