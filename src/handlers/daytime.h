/* SPDX-License-Identifier: ISC */
/* The date and time as text. */
#ifndef HANDLERS_DAYTIME_H
#define HANDLERS_DAYTIME_H

#include <stddef.h>
#include <time.h>

#define DAYTIME_LENGTH 25 /* with its '\n' */
#define DAYTIME_MAX    64 /* bytes of the other forms, with the NUL */

/* "Sun Nov 22 14:13:24 2026\n" and a NUL, local time, whatever the locale.  Years have four digits:
 * the year 10000 is 0000. */
void daytime_format(time_t now, char text[DAYTIME_LENGTH + 1]);

/* "2026-11-22T14:13:24+01:00", local time as ISO 8601 has it. */
void daytime_format_iso(time_t now, char text[DAYTIME_MAX]);

#endif
