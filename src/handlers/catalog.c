/* SPDX-License-Identifier: ISC */
/*
 * The catalog of a database: where its plain quotations begin and how long they are on the wire.
 *
 * A standing worker answers thousands of datagrams, each with as much room as its question gives
 * it.  To find out what fits, the text is read once and then looked at only when the files have
 * changed; an answer costs two stat(2) and one read.  Places are numbers and not pointers, since
 * the text may change while it is open; what is found there is looked at again.
 */
#include "config.h"

#include "handlers/catalog.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "handlers/plain.h"

#define PATH_SIZE 4096

/* -- up to date -- */

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

/* What is not there, or cannot be asked for, is all zero. */
static void look(const char *path, struct stat *text, struct stat *index)
{
	char name[PATH_SIZE];

	if (stat(path, text) < 0)
		memset(text, 0, sizeof(*text));
	if (snprintf(name, sizeof(name), "%s.dat", path) >= (int)sizeof(name) ||
	    stat(name, index) < 0)
		memset(index, 0, sizeof(*index));
}

/* -- reading -- */

/* Reservoir sampling, Algorithm R: when it is full, one of n comes in with a chance of
 * CATALOG_MAX/n. */
static void enter(void *state, size_t offset, const char *quote, size_t length)
{
	struct catalog *catalog = state;
	const size_t wire = plain_length(quote, length);
	uint32_t place;

	if (wire == 0 || wire > UINT16_MAX)
		return;
	catalog->seen++;
	if (catalog->count < CATALOG_MAX)
		place = catalog->count++;
	else
		place = arc4random_uniform(catalog->seen);
	if (place >= CATALOG_MAX)
		return;
	catalog->offsets[place] = (uint32_t)offset;
	catalog->lengths[place] = (uint16_t)wire;
}

int catalog_update(struct catalog *catalog, const char *path)
{
	struct stat text, index;
	struct strfile strfile;

	/* Before they are read: what changes meanwhile is then seen the next time. */
	look(path, &text, &index);
	if (catalog->open && is_same(&text, &catalog->text) && is_same(&index, &catalog->index))
		return 0;
	if (strfile_open(&strfile, path) < 0)
		return catalog->open && errno == EACCES ? 0 : -1;
	catalog_close(catalog);
	catalog->strfile = strfile;
	catalog->open = true;
	catalog->text = text;
	catalog->index = index;
	catalog->seen = catalog->count = 0;
	strfile_walk(&catalog->strfile, enter, catalog);
	return 0;
}

void catalog_close(struct catalog *catalog)
{
	if (catalog->open)
		strfile_close(&catalog->strfile);
	catalog->open = false;
}

/* -- picking -- */

static uint32_t count_fitting(const struct catalog *catalog, size_t max)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < catalog->count; i++)
		count += catalog->lengths[i] <= max;
	return count;
}

/* The place of the one that so many fitting ones come before. */
static uint32_t find_fitting(const struct catalog *catalog, size_t max, uint32_t before)
{
	uint32_t place = 0;

	while (catalog->lengths[place] > max || before-- > 0)
		place++;
	return place;
}

size_t catalog_pick(const struct catalog *catalog, size_t max, char quote[STRFILE_QUOTE_MAX])
{
	uint32_t place, fitting = count_fitting(catalog, max);
	size_t length;

	if (catalog->count == 0)
		return 0;
	if (fitting == 0) {
		max = SIZE_MAX;
		fitting = catalog->count;
	}
	place = find_fitting(catalog, max, arc4random_uniform(fitting));
	length = strfile_fetch(&catalog->strfile, catalog->offsets[place], quote);
	return plain_length(quote, length) == catalog->lengths[place] ? length : 0;
}
