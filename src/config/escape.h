/* SPDX-License-Identifier: ISC */
/* Escapes in double quotes: begat.conf(5), "Grammar". */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stddef.h>

/* The length of the escape at text, which begins with a backslash and is cut off by end; 0 when it
 * is unknown or stands for a byte that cannot be written. */
size_t escape_check(const char *text, const char *end);

#endif
