/* SPDX-License-Identifier: ISC */
/* RFC 867 as the field knows it: ctime(3)'s form in 26 bytes, whatever the locale, then the end;
 * and the other forms, in any zone. */
#include "config.h"

#include "handlers/daytime.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "handlers/handler.h"
#include "answering.h"
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

/* -- the forms, at a time of the test's choice -- */

static time_t faked = 1795356804; /* Sun Nov 22 14:13:24 2026 UTC */

time_t time(time_t *out)
{
	if (out)
		*out = faked;
	return faked;
}

static struct answering answering = { .handler = &daytime_handler, .room = 512 };

/* A worker sets its zone once, so each of these is one. */
static const char *ask(const char *format, const char *rules)
{
	static struct begat_value values[2];

	values[0] = (struct begat_value){ .name = "format", .string = format };
	values[1] = (struct begat_value){ .name = "timezone", .string = rules };
	answering.values = values;
	answering.nvalues = 2;
	ck_assert(answering_ask(&answering, "", 0));
	return answering.bytes;
}

#define BERLIN	    "CET-1CEST,M3.5.0,M10.5.0/3"
#define LOS_ANGELES "PST8PDT,M3.2.0,M11.1.0"

START_TEST(forms)
{
	set_zone("UTC0");
	ck_assert_str_eq(ask("ctime", NULL), "Sun Nov 22 14:13:24 2026\r\n");
	ck_assert_str_eq(ask("rfc", NULL), "Sunday, November 22, 2026 14:13:24-UTC\r\n");
	ck_assert_str_eq(ask("iso", NULL), "2026-11-22T14:13:24+00:00\r\n");
	ck_assert_str_eq(ask("strftime:%d %b %Y %H:%M:%S %Z", NULL),
			 "22 Nov 2026 14:13:24 UTC\r\n");
	ck_assert_str_eq(ask("strftime:100%%", NULL), "100%\r\n");
}
END_TEST

/* The RFC's own examples, but for the day of the week, in which it errs. */
START_TEST(example_of_the_rfc)
{
	faked = 383276263;
	ck_assert_str_eq(ask("rfc", LOS_ANGELES), "Monday, February 22, 1982 17:37:43-PST\r\n");
	ck_assert_str_eq(ask("strftime:%d %^b %y %X %Z", LOS_ANGELES),
			 "22 FEB 82 17:37:43 PST\r\n");
}
END_TEST

static void expect_berlin(time_t now, const char *iso, const char *rfc)
{
	faked = now;
	ck_assert_str_eq(ask("iso", BERLIN), iso);
	ck_assert_str_eq(ask("rfc", BERLIN), rfc);
}

/* Around both changes of a year that is long after the last one in any file. */
START_TEST(summer_time)
{
	set_zone("UTC0"); /* the machine's, which is not asked */
	expect_berlin(1774745999, "2026-03-29T01:59:59+01:00\r\n",
		      "Sunday, March 29, 2026 01:59:59-CET\r\n");
	expect_berlin(1774746000, "2026-03-29T03:00:00+02:00\r\n",
		      "Sunday, March 29, 2026 03:00:00-CEST\r\n");
	expect_berlin(1792889999, "2026-10-25T02:59:59+02:00\r\n",
		      "Sunday, October 25, 2026 02:59:59-CEST\r\n");
	expect_berlin(1792890000, "2026-10-25T02:00:00+01:00\r\n",
		      "Sunday, October 25, 2026 02:00:00-CET\r\n");
	expect_berlin(INT64_C(4118036400), "2100-06-30T13:00:00+02:00\r\n",
		      "Wednesday, June 30, 2100 13:00:00-CEST\r\n");
}
END_TEST

START_TEST(zone_without_letters)
{
	faked = 1795356804;
	ck_assert_str_eq(ask("rfc", "<-03>3"), "Sunday, November 22, 2026 11:13:24-03\r\n");
	ck_assert_str_eq(ask("iso", "<-03>3"), "2026-11-22T11:13:24-03:00\r\n");
}
END_TEST

START_TEST(zone_of_half_an_hour)
{
	ck_assert_str_eq(ask("iso", "NST3:30NDT,M3.2.0,M11.1.0"), "2026-11-22T10:43:24-03:30\r\n");
}
END_TEST

/* Daylight saving that is negative, and changes before midnight: rules that only RFC 8536 has. */
START_TEST(zones_with_odd_rules)
{
	faked = 1783000000;
	ck_assert_str_eq(ask("iso", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"),
			 "2026-07-02T12:46:40-01:00\r\n");
}
END_TEST

/* In a chroot, or behind Landlock, nothing of a file's can come into it. */
START_TEST(zone_needs_no_file)
{
	setenv("TZDIR", "/usr/share/zoneinfo", 1);
	set_zone("Europe/Berlin");
	faked = 1795356804;
	ck_assert_str_eq(ask("iso", "GMT0"), "2026-11-22T14:13:24+00:00\r\n");
	ck_assert_str_eq(getenv("TZDIR"), "/dev/null");
}
END_TEST

START_TEST(datagram_without_room)
{
	const struct begat_value values[] = { { .name = "format", .string = "ctime" },
					      { .name = "timezone" } };

	answering.values = values;
	answering.nvalues = 2;
	answering.room = 25; /* 26 bytes or none */
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(answering.length, 0);
	answering.room = 26;
	ck_assert(answering_ask(&answering, "", 0));
}
END_TEST

/* -- what begatd says to a format -- */

static const char *check(const char *format)
{
	return daytime_handler.options[0].check(format);
}

START_TEST(good_formats)
{
	static const char *const good[] = {
		"ctime",
		"rfc",
		"iso",
		"strftime:%c",
		"strftime:x",
		"strftime:%-d.%_m.%^B %EY %Oy",
		"strftime:%A, the %e. of %B",
		"strftime:%%",
		"strftime:%0250d",
		"strftime: ",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(check(good[i]) == NULL, "%s %s", good[i], check(good[i]));
}
END_TEST

START_TEST(bad_formats)
{
	static const struct {
		const char *format, *why;
	} bad[] = {
		{ "", "is not ctime, rfc, iso or strftime:FORMAT" },
		{ "ISO", "is not ctime, rfc, iso or strftime:FORMAT" },
		{ "%c", "is not ctime, rfc, iso or strftime:FORMAT" },
		{ "strftime", "is not ctime, rfc, iso or strftime:FORMAT" },
		{ "strftime:", "has no format behind the colon" },
		{ "strftime:%d\n", "is not all printing ASCII" },
		{ "strftime:\xc3\xa4", "is not all printing ASCII" },
		{ "strftime:%n", "has a conversion" }, /* two lines */
		{ "strftime:%t", "has a conversion" },
		{ "strftime:%s", "has a conversion" }, /* opens /etc/localtime */
		{ "strftime:%", "has a conversion" },
		{ "strftime:%d%", "has a conversion" },
		{ "strftime:%E", "has a conversion" },
		{ "strftime:%5", "has a conversion" },
		{ "strftime:%Q", "has a conversion" },
		{ "strftime:%0251d", "gives nothing, or more than 250 bytes" },
		{ "strftime:%99999999999999999999d", "gives nothing, or more than 250 bytes" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *why = check(bad[i].format);

		ck_assert_msg(why != NULL, "%s is taken", bad[i].format);
		ck_assert_msg(strncmp(why, bad[i].why, strlen(bad[i].why)) == 0, "%s %s",
			      bad[i].format, why);
	}
}
END_TEST

/* 24 names of days and months of up to nine bytes each: the longest day counts. */
START_TEST(longest_day)
{
	char format[256] = "strftime:";

	for (int i = 0; i < 27; i++)
		strcat(format, "%B");
	ck_assert_ptr_null(check(format)); /* 27 * 9 = 243 in September */
	strcat(format, "12345678");
	ck_assert_ptr_nonnull(check(format));
	format[strlen(format) - 1] = '\0';
	ck_assert_ptr_null(check(format));
}
END_TEST

static size_t serve(bool crlf, const char *format, char *answer, size_t size)
{
	const struct begat_value values[] = { { .name = "format", .string = format },
					      { .name = "timezone" } };
	const struct session_settings settings = { .crlf = crlf, .values = values, .nvalues = 2 };
	struct talk talk = talk_start(&daytime_handler, &settings);
	const size_t length = talk_hear(&talk, answer, size);

	ck_assert_int_eq(talk_end(&talk), 0);
	return length;
}

START_TEST(on_the_wire)
{
	char answer[64];

	ck_assert_uint_eq(serve(true, "ctime", answer, sizeof(answer)), 26);
	ck_assert_str_eq(answer + 24, "\r\n");
	ck_assert_uint_eq(serve(false, "ctime", answer, sizeof(answer)), 25);
	ck_assert_str_eq(answer + 24, "\n");
	ck_assert_uint_eq(serve(true, "iso", answer, sizeof(answer)), 27);
}
END_TEST

SUITE("daytime", known_times, local_time, extreme_times, same_as_ctime, forms, example_of_the_rfc,
      summer_time, zone_without_letters, zone_of_half_an_hour, zones_with_odd_rules,
      zone_needs_no_file, datagram_without_room, good_formats, bad_formats, longest_day,
      on_the_wire)
