/* SPDX-License-Identifier: ISC */
/* Text as the small services of the Internet have it: printing ASCII in lines. */
#ifndef HANDLERS_PLAIN_H
#define HANDLERS_PLAIN_H

#include <begat/handler.h>

/* How many bytes a text has on the wire, with two at each line's end and tabs as the blanks that
 * they stand for; the last line has its end in any case.  0: it has other bytes too, or none. */
size_t plain_length(const char *text, size_t length);

/* Writes such a text, as many lines of it as have room in max bytes on the wire.  How many bytes
 * these are. */
size_t plain_write(struct begat_session *session, const char *text, size_t length, size_t max);

#endif
