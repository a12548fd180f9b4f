/* SPDX-License-Identifier: ISC */
/* How long something takes, for people. */
#ifndef DURATION_H
#define DURATION_H

#include <stdint.h>

#define DURATION_TEXT 48

/* "3d 4h", "4h 12m", "9 min", "12 s": two units where the second one matters.  Returns text. */
const char *duration_format(int64_t seconds, char text[static DURATION_TEXT]);

/* The same of what is left until then, and never 0. */
const char *duration_format_left(int64_t until_ns, int64_t now_ns, char text[static DURATION_TEXT]);

#endif
