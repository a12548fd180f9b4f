/* SPDX-License-Identifier: ISC */
/* Times of the week: begat.conf(5), access-times. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/schedule.h"
#include "suite.h"

#define DAY 1440

static char why[VALUE_WHY];

static struct schedule *new_schedule(const char *const *texts)
{
	struct schedule *schedule = xcalloc(1, sizeof(*schedule));

	for (; *texts; texts++)
		ck_assert_msg(schedule_add(schedule, *texts, why) == 0, "%s: %s", *texts, why);
	schedule_settle(schedule);
	return schedule;
}

static bool has_minute(const struct schedule *schedule, unsigned minute)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (minute >= schedule->spans[i].from && minute < schedule->spans[i].to)
			return true;
	return false;
}

/* What plan.h promises the master: sorted, never empty, never touching. */
static void check_settled(const struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->count; i++) {
		ck_assert_uint_lt(schedule->spans[i].from, schedule->spans[i].to);
		ck_assert_uint_le(schedule->spans[i].to, SCHEDULE_WEEK);
		if (i)
			ck_assert_uint_gt(schedule->spans[i].from, schedule->spans[i - 1].to);
	}
}

/* The spans of one entry, as "from-to" in minutes of the week. */
static void check_spans(const char *text, const char *expected)
{
	const char *const texts[] = { text, NULL };
	struct schedule *schedule = new_schedule(texts);
	char spans[256] = "";

	check_settled(schedule);
	for (size_t i = 0; i < schedule->count; i++)
		snprintf(spans + strlen(spans), sizeof(spans) - strlen(spans), "%s%u-%u",
			 i ? " " : "", schedule->spans[i].from, schedule->spans[i].to);
	ck_assert_msg(strcmp(spans, expected) == 0, "%s: %s", text, spans);
	schedule_free(schedule);
}

START_TEST(one_day)
{
	check_spans("mon 00:00-00:01", "0-1");
	check_spans("mon 08:00-18:00", "480-1080");
	check_spans("tue 00:00-24:00", "1440-2880");
	check_spans("sun 23:59-24:00", "10079-10080");
	check_spans("sun 23:59-00:00", "10079-10080");
	check_spans("monday 01:02-03:04", "62-184");
	check_spans("MON 01:02-03:04", "62-184");
	check_spans("wEdNeSdAy 00:00-00:01", "2880-2881");
}
END_TEST

/* A range over midnight belongs to the day on which it begins; after Sunday comes Monday. */
START_TEST(over_midnight)
{
	check_spans("mon 22:00-02:00", "1320-1560");
	check_spans("sun 22:00-02:00", "0-120 9960-10080");
	check_spans("sun 00:01-00:00", "8641-10080");
	check_spans("mon 12:00-11:59", "720-2159");
	check_spans("sun 12:00-11:59", "0-719 9360-10080");
}
END_TEST

START_TEST(several_days)
{
	check_spans("00:00-24:00", "0-10080");
	check_spans("mon-sun 00:00-24:00", "0-10080");
	check_spans("mon-fri 00:00-24:00", "0-7200");
	check_spans("mon-mon 00:00-24:00", "0-1440");
	check_spans("sat-mon 00:00-24:00", "0-1440 7200-10080");
	check_spans("tue-mon 00:00-24:00", "0-10080");
	check_spans("mon,wed 00:00-01:00", "0-60 2880-2940");
	check_spans("wed,mon 00:00-01:00", "0-60 2880-2940");
	check_spans("mon, wed 00:00-01:00", "0-60 2880-2940");
	check_spans("mon,mon-tue,tue 00:00-01:00", "0-60 1440-1500");
	check_spans("23:00-01:00",
		    "0-60 1380-1500 2820-2940 4260-4380 5700-5820 7140-7260 8580-8700 10020-10080");
}
END_TEST

/* What overlaps or touches is one span, in whatever order it was written. */
START_TEST(merging)
{
	static const char *const overlapping[] = { "mon 10:00-12:00", "mon 08:00-11:00",
						   "mon 12:00-13:00", "mon 09:00-09:30",
						   "mon 14:00-15:00", NULL };
	static const char *const whole[] = { "12:00-24:00", "00:00-12:00", NULL };
	struct schedule *schedule = new_schedule(overlapping);

	ck_assert_uint_eq(schedule->count, 2);
	ck_assert(schedule->spans[0].from == 480 && schedule->spans[0].to == 780);
	ck_assert(schedule->spans[1].from == 840 && schedule->spans[1].to == 900);
	ck_assert_uint_eq(schedule->ntexts, 5);
	schedule_free(schedule);
	schedule = new_schedule(whole);
	ck_assert_uint_eq(schedule->count, 1);
	ck_assert(schedule->spans[0].from == 0 && schedule->spans[0].to == SCHEDULE_WEEK);
	schedule_free(schedule);
}
END_TEST

/* Every minute of the week, against the definition itself. */
START_TEST(every_minute)
{
	static const struct {
		const char *text;
		unsigned days, from, to;
	} entries[] = {
		{ "fri-mon 17:30-08:15", 0x71, 17 * 60 + 30, 8 * 60 + 15 },
		{ "tue,thu 06:00-06:01", 0x0a, 6 * 60, 6 * 60 + 1 },
		{ "00:00-23:59", 0x7f, 0, 23 * 60 + 59 },
		{ "sun 00:01-00:00", 0x40, 1, DAY },
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		const char *const texts[] = { entries[i].text, NULL };
		struct schedule *schedule = new_schedule(texts);

		check_settled(schedule);
		for (unsigned minute = 0; minute < SCHEDULE_WEEK; minute++) {
			unsigned day = minute / DAY, of_day = minute % DAY;
			bool today = entries[i].days >> day & 1;
			bool yesterday = entries[i].days >> (day + 6) % 7 & 1;
			bool wraps = entries[i].from > entries[i].to;
			bool expected = wraps ? (today && of_day >= entries[i].from) ||
							(yesterday && of_day < entries[i].to)
					      : today && of_day >= entries[i].from &&
							of_day < entries[i].to;

			ck_assert_msg(has_minute(schedule, minute) == expected, "%s: %u",
				      entries[i].text, minute);
		}
		schedule_free(schedule);
	}
}
END_TEST

/* What is printed means the same when it is read again. */
START_TEST(canonical_forms)
{
	static const char *const forms[][2] = {
		{ "08:00-18:00", "08:00-18:00" },
		{ "mon-sun 08:00-18:00", "08:00-18:00" },
		{ "wed-tue 08:00-18:00", "08:00-18:00" },
		{ "Monday 08:00-18:00", "mon 08:00-18:00" },
		{ "mon-fri\t \t08:00-18:00", "mon-fri 08:00-18:00" },
		{ "mon-tue 08:00-18:00", "mon,tue 08:00-18:00" },
		{ "sun,sat 08:00-18:00", "sat,sun 08:00-18:00" },
		{ "sat-mon 08:00-18:00", "mon,sat,sun 08:00-18:00" },
		{ "fri-mon 08:00-18:00", "mon,fri-sun 08:00-18:00" },
		{ "mon,wed,fri,sun 08:00-18:00", "mon,wed,fri,sun 08:00-18:00" },
		{ "mon,tue,thu,fri,sun 22:00-02:00", "mon,tue,thu,fri,sun 22:00-02:00" },
		{ "mon 22:00-00:00", "mon 22:00-24:00" },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const char *const texts[] = { forms[i][0], NULL };
		const char *const again[] = { forms[i][1], NULL };
		struct schedule *schedule = new_schedule(texts), *same = new_schedule(again);

		ck_assert_str_eq(schedule->texts[0], forms[i][1]);
		ck_assert_str_eq(same->texts[0], forms[i][1]);
		ck_assert_uint_eq(schedule->count, same->count);
		ck_assert_mem_eq(schedule->spans, same->spans, same->count * sizeof(*same->spans));
		schedule_free(schedule);
		schedule_free(same);
	}
}
END_TEST

/* The names of days are English in every locale, and nothing is cut or rounded. */
START_TEST(mistakes)
{
	static const char *const bad[] = {
		"",
		" ",
		"mon",
		"mon ",
		"mon-fri",
		"08:00",
		"08:00-",
		"-18:00",
		"8:00-18:00",
		"08:0-18:00",
		"08:00-18:0",
		"08:00-18:00:00",
		"08:00-24:01",
		"08:00-25:00",
		"24:00-08:00",
		"08:60-09:00",
		"08:00-08:60",
		"08.00-18.00",
		"08:00-18:00 ",
		" 08:00-18:00",
		"08:00 -18:00",
		"08:00- 18:00",
		"0800-1800",
		"08:00-08:00",
		"00:00-00:00",
		"mon 08:00-08:00",
		"mon08:00-18:00",
		"m 08:00-18:00",
		"mo 08:00-18:00",
		"mond 08:00-18:00",
		"mondays 08:00-18:00",
		"mi 08:00-18:00",
		"-fri 08:00-18:00",
		"mon- 08:00-18:00",
		"mon-08:00-18:00",
		"mon--fri 08:00-18:00",
		"mon-wed-fri 08:00-18:00",
		"mon,08:00-18:00",
		",mon 08:00-18:00",
		"mon,,tue 08:00-18:00",
		"mon;tue 08:00-18:00",
		"08:00-18:00 mon",
		"08:00-18:00,20:00-22:00",
		"+8:00-18:00",
		"-1:00-18:00",
		"mon \n08:00-18:00",
		"every 08:00-18:00",
	};
	struct schedule schedule = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		why[0] = '\0';
		ck_assert_msg(schedule_add(&schedule, bad[i], why) == -1, "\"%s\" is taken",
			      bad[i]);
		ck_assert_msg(strstr(why, "08:00") || strstr(why, "00:00-24:00") ||
				      strstr(why, "mon-fri"),
			      "%s", why);
	}
	ck_assert(schedule.count == 0 && schedule.ntexts == 0);
}
END_TEST

START_TEST(nothing_at_all)
{
	struct schedule *schedule = xcalloc(1, sizeof(*schedule));

	schedule_settle(schedule);
	ck_assert_uint_eq(schedule->count, 0);
	schedule_free(schedule);
	schedule_free(NULL);
}
END_TEST

SUITE("schedule", one_day, over_midnight, several_days, merging, every_minute, canonical_forms,
      mistakes, nothing_at_all)
