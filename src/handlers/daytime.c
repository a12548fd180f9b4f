/* SPDX-License-Identifier: ISC */
/*
 * daytime, RFC 867: one line with the local date and time, then the end.
 *
 * The RFC leaves the form open; this is the one that inetd has always sent, 26 bytes on the wire.
 * Formatted by hand rather than by strftime(3), which asks the locale, and in one write, because
 * clients in the field read once.  localtime_r(3) uses the zone that was loaded before the fork, so
 * that a chroot without /usr/share/zoneinfo still gives local time.
 */
#include "config.h"

#include "handlers/daytime.h"

#include <string.h>

#include "handlers/handler.h"

static void put_number(char *at, int width, int number)
{
	while (width-- > 0) {
		at[width] = '0' + number % 10;
		number /= 10;
	}
}

void daytime_format(time_t now, char text[DAYTIME_LENGTH + 1])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	if (!localtime_r(&now, &tm)) /* a year beyond int */
		memset(&tm, 0, sizeof(tm));
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

static int daytime_serve(struct begat_session *session)
{
	char text[DAYTIME_LENGTH + 1];

	daytime_format(time(NULL), text);
	begat_write_text(session, text, DAYTIME_LENGTH);
	return begat_finish(session);
}

const struct begat_handler daytime_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "daytime",
	.summary = "the local date and time as one line (RFC 867)",
	.serve = daytime_serve,
};
