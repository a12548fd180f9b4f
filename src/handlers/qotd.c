/* SPDX-License-Identifier: ISC */
/*
 * qotd, RFC 865: a quotation of less than 512 characters of printing ASCII, then the end.
 *
 * It comes out of the same database as fortune's.  The limit is that of the bytes on the wire, with
 * "\r\n" at each line's end, and a datagram's room may be less.  Quotations that fit go first; only
 * if there is none, one is cut, at a line end.  Those with other characters are passed over.
 *
 * A worker for one client has no use for a catalog, as long as the database has an index.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "handlers/catalog.h"
#include "handlers/file.h"
#include "handlers/fortune.h"
#include "handlers/handler.h"
#include "handlers/once.h"
#include "handlers/plain.h"

#define QUOTE_MAX   511 /* bytes on the wire: "less than 512" */
#define INDEX_TRIES 16	/* for one that is plain and fits */

/* Without a catalog, by chance, as the index makes it cheap.  0 when there was no luck. */
static size_t pick_indexed(const char *database, char quote[STRFILE_QUOTE_MAX])
{
	struct strfile strfile;
	size_t length = 0, wire;

	if (strfile_open(&strfile, database) < 0)
		return 0; /* who opens it again says why */
	for (int tries = 0; strfile.index >= 0 && tries < INDEX_TRIES; tries++) {
		length = strfile_pick(&strfile, QUOTE_MAX, quote);
		wire = plain_length(quote, length);
		if (wire > 0 && wire <= QUOTE_MAX)
			break;
		length = 0;
	}
	strfile_close(&strfile);
	return length;
}

/* NULL, or what is wrong: nothing to speak of when it is only the room. */
static const char *write_quote(struct begat_session *session, const char *database, size_t max)
{
	static struct catalog catalog; /* kept from one client to the next */
	char quote[STRFILE_QUOTE_MAX];
	size_t length;

	if (catalog_update(&catalog, database) < 0)
		return strerror(errno);
	if (catalog.count == 0)
		return "no quotation in printing ASCII";
	length = catalog_pick(&catalog, max, quote);
	if (plain_write(session, quote, length, max) > 0)
		return NULL;
	if (length > 0 && max == QUOTE_MAX)
		return "a first line of more than 509 characters";
	(void)begat_write_text(session, quote, length); /* so that the session knows: no room */
	return "";
}

static bool qotd_answer(struct begat_session *session, const void *bytes, size_t length)
{
	const char *database = begat_string(session, "database"), *why;
	const size_t room = begat_room(session);

	(void)bytes;
	(void)length;
	why = write_quote(session, database, room < QUOTE_MAX ? room : QUOTE_MAX);
	if (why == NULL || *why)
		file_complain("qotd", database, why);
	return why == NULL;
}

static int qotd_serve(struct begat_session *session)
{
	char quote[STRFILE_QUOTE_MAX];
	const size_t length = pick_indexed(begat_string(session, "database"), quote);

	if (length == 0)
		return once_serve(session, &qotd_handler);
	(void)plain_write(session, quote, length, QUOTE_MAX);
	return begat_finish(session);
}

static const struct begat_option qotd_options[] = {
	FORTUNE_OPTION_DATABASE,
	{ .name = NULL },
};

static const struct begat_path qotd_paths[] = {
	FORTUNE_PATHS,
	{ .path = NULL },
};

const struct begat_handler qotd_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "qotd",
	.summary = "a short quotation in plain ASCII (RFC 865)",
	.options = qotd_options,
	.paths = qotd_paths,
	.serve = qotd_serve,
	.answer = qotd_answer,
	.at_once = true,
};
