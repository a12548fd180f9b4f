/* SPDX-License-Identifier: ISC */
/* A quotation for a client. */
#ifndef HANDLERS_FORTUNE_H
#define HANDLERS_FORTUNE_H

#include <begat/handler.h>

/* The database where none is configured. */
#ifndef BEGAT_FORTUNES
#define BEGAT_FORTUNES "/usr/share/begat/fortunes"
#endif

#define FORTUNE_OPTION_DATABASE                                                                    \
	{                                                                                          \
		.name = "database", .type = BEGAT_OPTION_PATH, .fallback = BEGAT_FORTUNES,         \
		.help = "the quotations, in the format of strfile(1)"                              \
	}

/* What it reads: the quotations, and where they begin. */
#define FORTUNE_PATHS                                                                              \
	{ .option = "database" },                                                                  \
	{                                                                                          \
		.option = "database", .suffix = ".dat"                                             \
	}

/* Writes one of at most max bytes out of the database that the session's option names.  0, or -1
 * when there is none, with a line on stderr that says why. */
int fortune_write(struct begat_session *session, size_t max);

#endif
