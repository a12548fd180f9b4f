/* SPDX-License-Identifier: ISC */
/*
 * daytime, RFC 867: one line with the local date and time, then the end.
 *
 * The RFC leaves the form open; the default is the one that inetd has always sent, 26 bytes on the
 * wire.  It is formatted by hand rather than by strftime(3), and everything goes out in one write,
 * because clients in the field read once.  localtime_r(3) uses the zone that was loaded before the
 * fork, so that a chroot without /usr/share/zoneinfo still gives local time.
 *
 * A zone of its own comes as rules that need no file.  Still, tzset(3) looks first whether there is
 * one of that name; it is made to look where none can be.
 */
#include "config.h"

#include "handlers/daytime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/handler.h"
#include "handlers/once.h"

#define CUSTOM	   "strftime:"
#define CUSTOM_MAX 250 /* bytes that a format may expand to, as far as begatd can tell */

static void put_number(char *at, int width, int number)
{
	while (width-- > 0) {
		at[width] = '0' + number % 10;
		number /= 10;
	}
}

static void to_local(time_t now, struct tm *tm)
{
	memset(tm, 0, sizeof(*tm));
	if (!localtime_r(&now, tm)) /* a year beyond int */
		memset(tm, 0, sizeof(*tm));
}

void daytime_format(time_t now, char text[DAYTIME_LENGTH + 1])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	to_local(now, &tm);
	memcpy(text, "Day Mon 00 00:00:00 0000\n", DAYTIME_LENGTH + 1);
	memcpy(text, days + 3 * tm.tm_wday, 3);
	memcpy(text + 4, months + 3 * tm.tm_mon, 3);
	put_number(text + 8, 2, tm.tm_mday);
	if (tm.tm_mday < 10)
		text[8] = ' ';
	put_number(text + 11, 2, tm.tm_hour);
	put_number(text + 14, 2, tm.tm_min);
	put_number(text + 17, 2, tm.tm_sec);
	put_number(text + 20, 4, (int)((tm.tm_year + 1900LL) % 10000));
}

void daytime_format_iso(time_t now, char text[DAYTIME_MAX])
{
	long zone, minutes;
	struct tm tm;

	to_local(now, &tm);
	minutes = tm.tm_gmtoff / 60;
	zone = minutes < 0 ? -minutes : minutes;
	snprintf(text, DAYTIME_MAX, "%04lld-%02d-%02dT%02d:%02d:%02d%c%02ld:%02ld",
		 tm.tm_year + 1900LL, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

/* The form that the RFC suggests: "Tuesday, February 22, 1982 17:37:43-PST".  The zones that have
 * no letters of their own bring a sign instead of the hyphen: "17:37:43-03". */
static void format_rfc(time_t now, char text[DAYTIME_MAX])
{
	size_t length;
	struct tm tm;

	to_local(now, &tm);
	length = strftime(text, DAYTIME_MAX, "%A, %B ", &tm);
	length += (size_t)snprintf(text + length, DAYTIME_MAX - length, "%d, ", tm.tm_mday);
	length += strftime(text + length, DAYTIME_MAX - length, "%Y %H:%M:%S", &tm);
	if (tm.tm_zone)
		snprintf(text + length, DAYTIME_MAX - length, "%s%.16s",
			 strchr("+-", tm.tm_zone[0]) ? "" : "-", tm.tm_zone);
}

/* -- strftime:FORMAT -- */

/* Those of strftime(3) that are one line of text, and that need no zone file: %s does. */
static const char conversions[] = "aAbBcCdDeFgGhHIjklmMpPrRSTuUVwWxXyYzZ%";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* begatd has looked at it */
static size_t expand(const char *format, const struct tm *tm, char *text, size_t size)
{
	return strftime(text, size, format, tm);
}
#pragma GCC diagnostic pop

static bool has_known_conversions(const char *format)
{
	while ((format = strchr(format, '%'))) {
		format++;
		format += strspn(format, "_-0^#");
		format += strspn(format, "0123456789");
		format += strspn(format, "EO");
		if (*format == '\0' || !strchr(conversions, *format))
			return false;
		format++;
	}
	return true;
}

/* On every day of a year, so that each name of a day meets each of a month. */
static bool has_room(const char *format)
{
	char text[CUSTOM_MAX + 1];
	const time_t day = 24 * 60 * 60;

	for (time_t now = day - 1; now < 366 * day; now += day) {
		struct tm tm;

		if (!gmtime_r(&now, &tm) || expand(format, &tm, text, sizeof(text)) == 0)
			return false;
	}
	return true;
}

static const char *check_custom(const char *format)
{
	if (*format == '\0')
		return "has no format behind the colon";
	for (const char *at = format; *at; at++)
		if (*at < ' ' || *at > '~')
			return "is not all printing ASCII";
	if (!has_known_conversions(format))
		return "has a conversion that is not for a line of text; those are "
		       "%aAbBcCdDeFgGhHIjklmMpPrRSTuUVwWxXyYzZ and %%, see strftime(3)";
	if (!has_room(format))
		return "gives nothing, or more than 250 bytes";
	return NULL;
}

static bool is_custom(const char *format)
{
	return strncmp(format, CUSTOM, strlen(CUSTOM)) == 0;
}

static const char *check_format(const char *format)
{
	static const char *const names[] = { "ctime", "rfc", "iso" };

	if (is_custom(format))
		return check_custom(format + strlen(CUSTOM));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(format, names[i]) == 0)
			return NULL;
	return "is not ctime, rfc, iso or strftime:FORMAT";
}

/* -- serving -- */

/* Once a worker, which has one service. */
static bool set_zone(const char *rules)
{
	static bool done;

	if (done || rules == NULL)
		return true;
	/* No file is there: see above. */
	done = setenv("TZDIR", "/dev/null", 1) == 0 && setenv("TZ", rules, 1) == 0;
	tzset();
	return done;
}

/* With a line end, and a NUL. */
static void format_now(const char *format, time_t now, char *text, size_t size)
{
	struct tm tm;

	if (strcmp(format, "rfc") == 0) {
		format_rfc(now, text);
	} else if (strcmp(format, "iso") == 0) {
		daytime_format_iso(now, text);
	} else if (is_custom(format)) {
		to_local(now, &tm);
		if (expand(format + strlen(CUSTOM), &tm, text, size - 1) == 0)
			text[0] = '\0'; /* what does not fit is undefined */
	} else {
		daytime_format(now, text);
		return;
	}
	strcat(text, "\n");
}

static bool daytime_answer(struct begat_session *session, const void *bytes, size_t length)
{
	char text[2 * CUSTOM_MAX];

	(void)bytes;
	(void)length;
	if (!set_zone(begat_string(session, "timezone")))
		return false;
	format_now(begat_string(session, "format"), time(NULL), text, sizeof(text));
	return begat_write_text(session, text, strlen(text)) == 0;
}

static int daytime_serve(struct begat_session *session)
{
	return once_serve(session, &daytime_handler);
}

static const struct begat_option daytime_options[] = {
	{ .name = "format",
	  .type = BEGAT_OPTION_STRING,
	  .fallback = "ctime",
	  .max = 256,
	  .help = "ctime, rfc, iso or strftime:FORMAT",
	  .check = check_format },
	{ .name = "timezone",
	  .type = BEGAT_OPTION_ZONE,
	  .help = "a zone such as Europe/Berlin, instead of the machine's" },
	{ .name = NULL },
};

const struct begat_handler daytime_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "daytime",
	.summary = "the local date and time as one line (RFC 867)",
	.options = daytime_options,
	.serve = daytime_serve,
	.answer = daytime_answer,
	.at_once = true,
};
