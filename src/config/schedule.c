/* SPDX-License-Identifier: ISC */
/*
 * The times at which clients may come.
 *
 * An entry is days and a range of the day, in local time; what is kept are minutes of the week, so
 * that whoever asks needs no calendar.  Days have their English names whatever the locale is: a
 * configuration means the same on every machine.
 */
#include "config.h"

#include "config/schedule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

#define FAIL(why, ...) (snprintf(why, VALUE_WHY, __VA_ARGS__), -1)

#define SHOWN	       "%.80s" /* of a text in a reason */

#define DAYS	       7
#define EVERY_DAY      0x7f
#define DAY	       1440 /* minutes */
#define DAYS_TEXT      32   /* bytes of a list of days */

static const char *const day_names[DAYS] = { "monday", "tuesday",  "wednesday", "thursday",
					     "friday", "saturday", "sunday" };

struct entry {
	unsigned days;	   /* bits; Monday is 1 */
	unsigned from, to; /* minutes of the day; to may be before from, and up to DAY */
};

/* Reading */

/* A day's name at *text, which is moved behind it; -1 when there is none. */
static int take_day(const char **text)
{
	size_t length = 0;

	while (isalpha((unsigned char)(*text)[length]))
		length++;
	for (int day = 0; day < DAYS; day++) {
		if (strncasecmp(*text, day_names[day], length) != 0)
			continue;
		if (length != 3 && length != strlen(day_names[day]))
			continue;
		*text += length;
		return day;
	}
	return -1;
}

/* "mon" or "sat-mon" */
static int take_days(const char **text, unsigned *days)
{
	int first = take_day(text), last = first;

	if (first >= 0 && **text == '-') {
		++*text;
		last = take_day(text);
	}
	if (first < 0 || last < 0)
		return -1;
	for (int day = first; day != last; day = (day + 1) % DAYS)
		*days |= 1U << day;
	*days |= 1U << last;
	return 0;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

static int take_day_list(const char **text, unsigned *days)
{
	*days = 0;
	for (;;) {
		if (take_days(text, days) < 0)
			return -1;
		if (**text != ',')
			break;
		*text = skip_blanks(*text + 1);
	}
	if (**text != '\0' && skip_blanks(*text) == *text)
		return -1;
	*text = skip_blanks(*text);
	return 0;
}

/* HH:MM, 00:00 to 24:00 */
static int take_time(const char **text, unsigned *minutes)
{
	const char *c = *text;
	unsigned hour, minute;

	for (int i = 0; i < 5; i++)
		if (i == 2 ? c[i] != ':' : !isdigit((unsigned char)c[i]))
			return -1;
	hour = (unsigned)(10 * (c[0] - '0') + c[1] - '0');
	minute = (unsigned)(10 * (c[3] - '0') + c[4] - '0');
	*minutes = 60 * hour + minute;
	*text += 5;
	return minute < 60 && *minutes <= DAY ? 0 : -1;
}

static int take_range(const char *text, struct entry *entry)
{
	if (take_time(&text, &entry->from) < 0 || entry->from == DAY || *text++ != '-')
		return -1;
	return take_time(&text, &entry->to) < 0 || *text ? -1 : 0;
}

static int parse(const char *text, struct entry *entry, char why[static VALUE_WHY])
{
	const char *rest = text;

	entry->days = EVERY_DAY;
	if (isalpha((unsigned char)*rest) && take_day_list(&rest, &entry->days) < 0)
		return FAIL(why,
			    "\"" SHOWN "\" does not begin with days such as mon, mon-fri or "
			    "sat,sun",
			    text);
	if (rest != text && *rest == '\0')
		return FAIL(why, "\"" SHOWN "\" has no times; the whole day is 00:00-24:00", text);
	if (take_range(rest, entry) < 0)
		return FAIL(why,
			    "\"" SHOWN "\" has no times such as 08:00-18:00, from 00:00 to 24:00",
			    text);
	if (entry->from == entry->to)
		return FAIL(why, "\"" SHOWN "\" ends when it begins; the whole day is 00:00-24:00",
			    text);
	if (entry->to == 0)
		entry->to = DAY;
	return 0;
}

/* Writing */

static bool has_day(const struct entry *entry, int day)
{
	return day < DAYS && (entry->days >> day & 1);
}

/* "mon-fri,sun ": from three days on, a range. */
static void format_days(const struct entry *entry, char text[static DAYS_TEXT])
{
	size_t length = 0;

	for (int day = 0, last; day < DAYS; day = last + 1) {
		last = day;
		if (!has_day(entry, day))
			continue;
		while (has_day(entry, last + 1))
			last++;
		if (last - day == 1) /* two are listed, each by itself */
			last = day;
		length +=
			(size_t)sprintf(text + length, "%s%.3s", length ? "," : "", day_names[day]);
		if (last > day)
			length += (size_t)sprintf(text + length, "-%.3s", day_names[last]);
	}
	strcpy(text + length, " ");
}

static char *format(const struct entry *entry)
{
	char days[DAYS_TEXT] = "";

	if (entry->days != EVERY_DAY)
		format_days(entry, days);
	return xasprintf("%s%02u:%02u-%02u:%02u", days, entry->from / 60, entry->from % 60,
			 entry->to / 60, entry->to % 60);
}

/* Spans */

static void put_span(struct schedule *schedule, unsigned from, unsigned to)
{
	schedule->spans =
		xreallocarray(schedule->spans, schedule->count + 1, sizeof(*schedule->spans));
	schedule->spans[schedule->count++] =
		(struct schedule_span){ .from = (uint16_t)from, .to = (uint16_t)to };
}

/* What reaches beyond Sunday goes on on Monday. */
static void put_day(struct schedule *schedule, const struct entry *entry, unsigned day)
{
	unsigned from = day * DAY + entry->from;
	unsigned to = day * DAY + entry->to + (entry->to < entry->from ? DAY : 0);

	put_span(schedule, from, to < SCHEDULE_WEEK ? to : SCHEDULE_WEEK);
	if (to > SCHEDULE_WEEK)
		put_span(schedule, 0, to - SCHEDULE_WEEK);
}

int schedule_add(struct schedule *schedule, const char *text, char why[static VALUE_WHY])
{
	struct entry entry;

	if (parse(text, &entry, why) < 0)
		return -1;
	for (int day = 0; day < DAYS; day++)
		if (has_day(&entry, day))
			put_day(schedule, &entry, (unsigned)day);
	strv_add(&schedule->texts, &schedule->ntexts, format(&entry));
	return 0;
}

static int compare_spans(const void *first, const void *second)
{
	const struct schedule_span *a = first, *b = second;

	return a->from != b->from ? (int)a->from - (int)b->from : (int)a->to - (int)b->to;
}

void schedule_settle(struct schedule *schedule)
{
	struct schedule_span *last = schedule->spans;

	if (schedule->count == 0)
		return;
	qsort(schedule->spans, schedule->count, sizeof(*schedule->spans), compare_spans);
	for (const struct schedule_span *each = last; each < schedule->spans + schedule->count;
	     each++) {
		if (each->from > last->to)
			*++last = *each;
		else if (each->to > last->to)
			last->to = each->to;
	}
	schedule->count = (size_t)(last - schedule->spans) + 1;
}

void schedule_free(struct schedule *schedule)
{
	if (schedule == NULL)
		return;
	strv_free(schedule->texts);
	free(schedule->spans);
	free(schedule);
}
