/* SPDX-License-Identifier: ISC */
/* The date and time as RFC 867 and ctime(3) have it. */
#ifndef HANDLERS_DAYTIME_H
#define HANDLERS_DAYTIME_H

#include <time.h>

#define DAYTIME_LENGTH 25 /* with its '\n' */

/* "Sun Nov 22 14:13:24 2026\n" and a NUL, local time, whatever the locale.  Years have four digits:
 * the year 10000 is 0000. */
void daytime_format(time_t now, char text[DAYTIME_LENGTH + 1]);

#endif
