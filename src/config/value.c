/* SPDX-License-Identifier: ISC */
/*
 * Values of the configuration.
 *
 * One strict parser for each kind of value: what is not wholly understood is refused, with a reason
 * that names the text, the form or the range that was expected.  Numbers are decimal, whatever
 * strtol(3) would make of a leading zero.  Nothing here knows keys, files or lines.
 */
#include "config.h"

#include "config/value.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define FAIL(why, ...) (snprintf(why, VALUE_WHY, __VA_ARGS__), -1)

#define SHOWN	       "%.80s" /* of a text in a reason */

/* Digits at *text, which is moved behind them; -1 when there is none, or the number is too large.
 */
static int take_digits(const char **text, long long *number)
{
	const char *start = *text;

	*number = 0;
	for (; isdigit((unsigned char)**text); (*text)++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, **text - '0', number))
			return -1;
	return *text == start ? -1 : 0;
}

static bool has_leading_zero(const char *text)
{
	return text[0] == '0' && isdigit((unsigned char)text[1]);
}

int value_parse_number(const char *text, long long min, long long max, long long *number,
		       char why[static VALUE_WHY])
{
	const char *rest = text + (text[0] == '-');
	const char *digits = rest;
	bool large;

	if (digits[strspn(digits, "0123456789")] || *digits == '\0')
		return FAIL(why, "\"" SHOWN "\" is not a decimal number", text);
	if (has_leading_zero(digits))
		return FAIL(why, SHOWN " begins with a zero: numbers are decimal, write it without",
			    text);
	large = take_digits(&rest, number) < 0;
	if (text[0] == '-')
		*number = -*number;
	if (large || *number < min || *number > max)
		return FAIL(why, SHOWN " is not between %lld and %lld", text, min, max);
	return 0;
}

void value_format_size(long long bytes, char text[static VALUE_TEXT])
{
	static const char units[] = " kmg";
	int unit = 0;

	while (bytes && bytes % 1024 == 0 && units[unit + 1]) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, VALUE_TEXT, unit ? "%lld%c" : "%lld", bytes, units[unit]);
}

static int refuse_size(const char *text, long long min, long long max, char why[static VALUE_WHY])
{
	char low[VALUE_TEXT], high[VALUE_TEXT];

	value_format_size(min, low);
	value_format_size(max, high);
	return FAIL(why, SHOWN " is not between %s and %s", text, low, high);
}

int value_parse_size(const char *text, long long min, long long max, long long *bytes,
		     char why[static VALUE_WHY])
{
	static const char units[] = "kmg";
	const char *rest = text, *unit;
	bool large;

	if (!isdigit((unsigned char)text[0]) || has_leading_zero(text))
		return FAIL(why, "\"" SHOWN "\" is not a size such as 512, 64k or 1m", text);
	large = take_digits(&rest, bytes) < 0;
	rest += strspn(rest, "0123456789");
	unit = *rest ? strchr(units, tolower((unsigned char)*rest)) : NULL;
	if (*rest && (unit == NULL || rest[1]))
		return FAIL(why, "\"" SHOWN "\" is not a size such as 512, 64k or 1m", text);
	if (unit)
		large |= __builtin_mul_overflow(*bytes, 1LL << (10 * (unit - units + 1)), bytes);
	if (large || *bytes < min || *bytes > max)
		return refuse_size(text, min, max, why);
	return 0;
}

static const struct unit {
	const char *name;
	long long ms;
} units_of_time[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
		      { "s", 1000 },	 { "ms", 1 },	   { NULL, 0 } };

/* The unit whose letters are next, at or after the given one. */
static const struct unit *find_unit(const struct unit *from, const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	for (; from->name; from++)
		if (strlen(from->name) == length && strncmp(from->name, text, length) == 0)
			return from;
	return NULL;
}

/* -1: not a duration; 1: too long. */
static int sum_duration(const char *text, long long *ms)
{
	const struct unit *unit = units_of_time;
	long long part;

	*ms = 0;
	do {
		if (!isdigit((unsigned char)*text) || has_leading_zero(text))
			return -1;
		if (take_digits(&text, &part) < 0)
			return 1;
		unit = find_unit(unit, text);
		if (unit == NULL)
			return -1;
		if (__builtin_mul_overflow(part, unit->ms, &part) ||
		    __builtin_add_overflow(*ms, part, ms))
			return 1;
		text += strlen(unit->name);
		unit++;
	} while (*text);
	return 0;
}

int value_parse_duration(const char *text, long long min, long long max, long long *ms,
			 char why[static VALUE_WHY])
{
	char low[VALUE_TEXT], high[VALUE_TEXT];
	int result = 0;

	*ms = 0;
	if (*text && text[strspn(text, "0123456789")] == '\0' && strcmp(text, "0") != 0)
		return FAIL(why, SHOWN " has no unit: write " SHOWN "s, or ms, m, h, d", text,
			    text);
	if (strcmp(text, "0") != 0)
		result = sum_duration(text, ms);
	if (result < 0)
		return FAIL(why, "\"" SHOWN "\" is not a duration such as 500ms, 30s or 1h30m",
			    text);
	if (result > 0 || *ms < min || *ms > max) {
		clock_format_duration(min, low);
		clock_format_duration(max, high);
		return FAIL(why, SHOWN " is not between %s and %s", text, low, high);
	}
	return 0;
}

/* A millisecond for a million: whoever counts in nanoseconds has at least one for each. */
#define RATE_COUNT_MAX	   1000000
#define RATE_PERIOD_MAX_MS 86400000

int value_parse_rate(const char *text, unsigned *count, int64_t *period_ms,
		     char why[static VALUE_WHY])
{
	const char *slash = strchr(text, '/');
	char number[VALUE_TEXT], period[VALUE_TEXT], reason[VALUE_WHY] = "";
	long long many, ms;

	if (slash == NULL || !isdigit((unsigned char)text[0]) || strlen(text) >= VALUE_TEXT)
		return FAIL(why, "\"" SHOWN "\" is not a rate such as 50/10s or 50/s", text);
	snprintf(number, sizeof(number), "%.*s", (int)(slash - text), text);
	snprintf(period, sizeof(period), "%s%.30s", isalpha((unsigned char)slash[1]) ? "1" : "",
		 slash + 1);
	if (value_parse_number(number, 1, RATE_COUNT_MAX, &many, reason) < 0 ||
	    value_parse_duration(period, 1, RATE_PERIOD_MAX_MS, &ms, reason) < 0)
		return FAIL(why, "\"" SHOWN "\": %.200s", text, reason);
	*count = (unsigned)many;
	*period_ms = ms;
	return 0;
}

void value_format_rate(unsigned count, int64_t period_ms, char text[static VALUE_TEXT])
{
	char period[VALUE_TEXT];

	clock_format_duration(period_ms, period);
	snprintf(text, VALUE_TEXT, "%u/%.20s", count, period);
}

int value_parse_bool(const char *text, bool *yes, char why[static VALUE_WHY])
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", NULL };

	for (int i = 0; words[i]; i++) {
		if (strcasecmp(words[i], text) == 0) {
			*yes = i % 2;
			return 0;
		}
	}
	return FAIL(why, "\"" SHOWN "\" is neither true nor false", text);
}

int value_parse_mode(const char *text, mode_t *mode, char why[static VALUE_WHY])
{
	size_t length = strlen(text);

	if (text[strspn(text, "01234567")] || length < 3 || length > 4 ||
	    (length == 4 && text[0] != '0'))
		return FAIL(why,
			    "\"" SHOWN "\" is not a mode such as 0660 or 022: octal, 000 to 777",
			    text);
	*mode = (mode_t)strtol(text, NULL, 8);
	return 0;
}

int value_parse_word(const char *text, const char *const *words, int *place,
		     char why[static VALUE_WHY])
{
	size_t length;

	for (*place = 0; words[*place]; (*place)++)
		if (strcmp(words[*place], text) == 0)
			return 0;
	length = (size_t)snprintf(why, VALUE_WHY, "\"" SHOWN "\" is not one of", text);
	for (int i = 0; words[i] && length < VALUE_WHY; i++)
		length += (size_t)snprintf(why + length, VALUE_WHY - length, "%s %s", i ? "," : "",
					   words[i]);
	return -1;
}
