/* SPDX-License-Identifier: ISC */
/*
 * fortune: one random quotation, then the end; and the shell's cookie.
 *
 * Any byte, and up to 8 KiB.  What RFC 865 calls a "quote of the day" is shorter and plainer, and
 * qotd's.
 */
#include "config.h"

#include "handlers/fortune.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "handlers/strfile.h"

static size_t pick(const char *database, size_t max, char quote[STRFILE_QUOTE_MAX])
{
	struct strfile strfile;
	size_t length;

	if (strfile_open(&strfile, database) < 0) {
		dprintf(STDERR_FILENO, "fortune: %s: %s\n", database, strerror(errno));
		return 0;
	}
	length = strfile_pick(&strfile, max, quote);
	strfile_close(&strfile);
	if (length == 0)
		dprintf(STDERR_FILENO, "fortune: %s: no quotation of at most %zu bytes\n", database,
			max);
	return length;
}

int fortune_write(struct begat_session *session, size_t max)
{
	char quote[STRFILE_QUOTE_MAX];
	const size_t length = pick(begat_string(session, "database"), max, quote);

	if (length == 0)
		return -1;
	(void)begat_write_text(session, quote, length); /* the session remembers a failure */
	return 0;
}

static int fortune_serve(struct begat_session *session)
{
	const int status = fortune_write(session, begat_number(session, "max-length")) < 0 ? 1 : 0;

	begat_finish(session);
	return status;
}

static const struct begat_option fortune_options[] = {
	FORTUNE_OPTION_DATABASE,
	{ .name = "max-length",
	  .type = BEGAT_OPTION_SIZE,
	  .fallback = "8k",
	  .min = 1,
	  .max = STRFILE_QUOTE_MAX,
	  .help = "no longer quotation is sent, in bytes" },
	{ .name = NULL },
};

static const struct begat_path fortune_paths[] = {
	FORTUNE_PATHS,
	{ .path = NULL },
};

const struct begat_handler fortune_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "fortune",
	.summary = "a random quotation out of a database",
	.options = fortune_options,
	.paths = fortune_paths,
	.serve = fortune_serve,
};
