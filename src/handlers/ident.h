/* SPDX-License-Identifier: ISC */
/* The lines of the Identification Protocol, RFC 1413. */
#ifndef HANDLERS_IDENT_H
#define HANDLERS_IDENT_H

#include <stdbool.h>
#include <stddef.h>

#define IDENT_LINE_MAX 1000 /* bytes of a query */
#define IDENT_NAME_MAX 512  /* bytes of a user's name */

struct ident_query {
	unsigned local, foreign; /* ports, on this side and on the asker's; 0: no number at all */
};

/* "port , port", with blanks and tabs anywhere but in a number.  False when one of the two is not a
 * port, 1 to 65535; what it is, then, as far as it has at most the five digits of the RFC. */
bool ident_query_parse(const char *line, size_t length, struct ident_query *query);

/* Whether it can be sent as a user's name: printing ASCII, no blank and no colon. */
bool ident_is_name(const char *name);

#endif
