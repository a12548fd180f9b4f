/* SPDX-License-Identifier: ISC */
/* The plain quotations of a database, and how long they are, for who picks one again and again. */
#ifndef HANDLERS_CATALOG_H
#define HANDLERS_CATALOG_H

#include <sys/stat.h>

#include "handlers/strfile.h"

#define CATALOG_MAX 8192 /* quotations; of more, each has the same chance to be in it */

struct catalog {
	bool open;
	struct strfile strfile;
	struct stat text, index; /* of the files as they were read; the latter may be all zero */
	uint32_t seen;		 /* plain quotations in the text */
	uint32_t count;		 /* of them, in here */
	uint32_t offsets[CATALOG_MAX];
	uint16_t lengths[CATALOG_MAX]; /* on the wire: plain_length() */
};

/* Reads the database, unless it is the one that was read before and has not changed since, or the
 * new one is not ours to open: a worker's cage knows the files that were there when it was born.
 * 0, or -1 with errno.  The catalog is all zero at first, and of one path. */
int catalog_update(struct catalog *catalog, const char *path);

void catalog_close(struct catalog *catalog);

/* A quotation of at most max bytes on the wire, each as likely as any other; if all are longer, any
 * one.  Its length as text, or 0: there is none, or the text has just changed. */
size_t catalog_pick(const struct catalog *catalog, size_t max, char quote[STRFILE_QUOTE_MAX]);

#endif
