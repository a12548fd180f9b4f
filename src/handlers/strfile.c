/* SPDX-License-Identifier: ISC */
/*
 * Databases of quotations in the format of strfile(1), without and with an index of version 1 or 2.
 *
 * The files are the administrator's or a package's, and may be damaged, stale or changing while
 * they are read.  So nothing that they say is believed: the index has exactly the size that its
 * count asks for, an offset counts only when a quotation begins there, and whenever something does
 * not fit the text is searched instead, which needs no index.  Everything is read through one small
 * window; nothing is allocated, and the work is bounded by STRFILE_TEXT_MAX.
 */
#include "config.h"

#include "handlers/strfile.h"

#include <errno.h>
#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "handlers/file.h"

#define INDEX_HEADER   24 /* bytes: five numbers of four, the delimiter, three of padding */
#define INDEX_ROTATED  0x4
#define INDEX_COMMENTS 0x8
#define INDEX_TRIES    32 /* for a quotation that is short enough, before the text is searched */
#define WINDOW	       4096
#define PATH_SIZE      4096

/* A place in the text, and the bytes around it. */
struct reader {
	const struct strfile *strfile;
	size_t offset;	   /* of the next byte, in the text */
	size_t start, end; /* what of the text is in the window */
	unsigned char window[WINDOW];
};

/* A quotation while it is read: length counts on when it no longer fits. */
struct quote {
	char *bytes;
	size_t length;
};

static void reader_init(struct reader *reader, const struct strfile *strfile, size_t offset)
{
	reader->strfile = strfile;
	reader->offset = offset;
	reader->start = reader->end = 0;
}

/* -1 at the end; an error of the disk is one. */
static int reader_peek(struct reader *reader)
{
	if (reader->offset >= reader->strfile->size)
		return -1;
	if (reader->offset < reader->start || reader->offset >= reader->end) {
		ssize_t got =
			file_read(reader->strfile->text, reader->offset, reader->window, WINDOW);

		if (got <= 0)
			return -1;
		reader->start = reader->offset;
		reader->end = reader->offset + got;
	}
	return reader->window[reader->offset - reader->start];
}

static bool reader_skip(struct reader *reader, int byte)
{
	if (reader_peek(reader) != byte)
		return false;
	reader->offset++;
	return true;
}

enum line {
	LINE_TEXT,	/* the reader is where it was */
	LINE_DELIMITER, /* these are skipped, with their end */
	LINE_COMMENT,
	LINE_NONE,
};

static void skip_line(struct reader *reader)
{
	int byte;

	while ((byte = reader_peek(reader)) >= 0) {
		reader->offset++;
		if (byte == '\n')
			break;
	}
}

static enum line line_begin(struct reader *reader)
{
	const size_t start = reader->offset;
	const int delimiter = (unsigned char)reader->strfile->delimiter;

	if (reader_peek(reader) < 0)
		return LINE_NONE;
	if (reader_skip(reader, delimiter)) {
		if (reader->strfile->comments && reader_skip(reader, delimiter)) {
			skip_line(reader);
			return LINE_COMMENT;
		}
		(void)reader_skip(reader, '\r');
		if (reader_skip(reader, '\n') || reader_peek(reader) < 0)
			return LINE_DELIMITER;
	}
	reader->offset = start;
	return LINE_TEXT;
}

static void quote_put(struct quote *quote, int byte)
{
	if (quote->length < STRFILE_QUOTE_MAX)
		quote->bytes[quote->length] = (char)byte;
	quote->length++;
}

static void copy_line(struct reader *reader, struct quote *quote)
{
	int byte;

	while ((byte = reader_peek(reader)) >= 0) {
		reader->offset++;
		quote_put(quote, byte);
		if (byte == '\n')
			return;
	}
	quote_put(quote, '\n'); /* the last line of the file may lack it */
}

/* The quotation that begins here, up to and over its delimiter.  False at the end of the text. */
static bool read_quote(struct reader *reader, struct quote *quote)
{
	enum line line = line_begin(reader);

	quote->length = 0;
	if (line == LINE_NONE)
		return false;
	for (; line == LINE_TEXT || line == LINE_COMMENT; line = line_begin(reader))
		if (line == LINE_TEXT)
			copy_line(reader, quote);
	return true;
}

static bool fits(const struct quote *quote, size_t max)
{
	return quote->length > 0 && quote->length <= max;
}

/* -- without the index -- */

static uint32_t count_quotes(struct reader *reader, size_t max, struct quote *quote)
{
	uint32_t count = 0;

	while (read_quote(reader, quote))
		count += fits(quote, max);
	return count;
}

/* Twice through the text, once to count and once to fetch, so that the choice is fair and needs no
 * memory. */
static bool search_text(const struct strfile *strfile, size_t max, struct quote *quote)
{
	struct reader reader;
	uint32_t count, chosen;

	reader_init(&reader, strfile, 0);
	count = count_quotes(&reader, max, quote);
	if (count == 0)
		return false;
	chosen = arc4random_uniform(count);
	reader_init(&reader, strfile, 0);
	while (read_quote(&reader, quote))
		if (fits(quote, max) && chosen-- == 0)
			return true;
	return false; /* the file has changed meanwhile */
}

/* -- with it -- */

static uint32_t number_at(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* Whether a quotation begins there: at the start of the text, or after a line that is a delimiter
 * or a comment. */
static bool is_start(const struct strfile *strfile, size_t offset)
{
	unsigned char before[4];
	const size_t length = offset < sizeof(before) ? offset : sizeof(before);
	const unsigned char delimiter = (unsigned char)strfile->delimiter;
	size_t at = length;

	if (offset == 0)
		return true;
	if (offset >= strfile->size)
		return false;
	if (file_read(strfile->text, offset - length, before, length) != (ssize_t)length)
		return false;
	if (before[--at] != '\n')
		return false;
	if (strfile->comments)
		return true;
	if (at > 0 && before[at - 1] == '\r')
		at--;
	return at > 0 && before[at - 1] == delimiter && (at == 1 || before[at - 2] == '\n');
}

/* False when there is no such offset. */
static bool read_offset(const struct strfile *strfile, uint32_t which, uint32_t *offset)
{
	unsigned char bytes[4];

	if (file_read(strfile->index, INDEX_HEADER + (size_t)which * 4, bytes, 4) != 4)
		return false;
	*offset = number_at(bytes);
	return true;
}

static bool read_indexed(const struct strfile *strfile, uint32_t which, struct quote *quote)
{
	struct reader reader;
	uint32_t offset;

	if (!read_offset(strfile, which, &offset) || !is_start(strfile, offset))
		return false;
	reader_init(&reader, strfile, offset);
	return read_quote(&reader, quote);
}

static bool search_index(const struct strfile *strfile, size_t max, struct quote *quote)
{
	for (int tries = 0; tries < INDEX_TRIES; tries++) {
		if (!read_indexed(strfile, arc4random_uniform(strfile->count), quote))
			return false; /* damaged or stale: the text knows better */
		if (fits(quote, max))
			return true;
	}
	return false;
}

/* The table has one offset more than there are quotations. */
static bool check_header(const unsigned char header[INDEX_HEADER], off_t index_size)
{
	const uint32_t version = number_at(header), count = number_at(header + 4);

	return (version == 1 || version == 2) && count > 0 && header[20] > ' ' &&
	       index_size == INDEX_HEADER + 4 * ((off_t)count + 1);
}

/* Flags and delimiter hold for the text even when its offsets turn out to be of no use. */
static bool read_header(struct strfile *strfile)
{
	unsigned char header[INDEX_HEADER];

	if (file_read(strfile->index, 0, header, sizeof(header)) != sizeof(header) ||
	    !check_header(header, lseek(strfile->index, 0, SEEK_END)))
		return false;
	strfile->count = number_at(header + 4);
	strfile->rotated = number_at(header + 16) & INDEX_ROTATED;
	strfile->comments = number_at(header + 16) & INDEX_COMMENTS;
	strfile->delimiter = (char)header[20];
	return true;
}

/* The last offset is the size of the text that was indexed; if it has another size now, somebody
 * has changed it and not run strfile(1). */
static bool is_current(const struct strfile *strfile)
{
	uint32_t end;

	return read_offset(strfile, strfile->count, &end) && end == strfile->size;
}

/* -- both -- */

static void rotate(char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		const char lower = bytes[i] | 0x20;

		if (lower >= 'a' && lower <= 'z')
			bytes[i] += lower < 'n' ? 13 : -13;
	}
}

void strfile_init(struct strfile *strfile, int text, size_t size, int index)
{
	*strfile = (struct strfile){ .text = text, .index = index, .size = size, .delimiter = '%' };
	if (index < 0 || (read_header(strfile) && is_current(strfile)))
		return;
	close(index); /* read-only: nothing to lose */
	strfile->index = -1;
}

int strfile_open(struct strfile *strfile, const char *path)
{
	char name[PATH_SIZE];
	size_t size, index_size;
	int index = -1, text = file_open(path, STRFILE_TEXT_MAX, &size);

	if (text < 0)
		return -1;
	if (snprintf(name, sizeof(name), "%s.dat", path) < (int)sizeof(name))
		index = file_open(name, INDEX_HEADER + 4 * (size_t)STRFILE_TEXT_MAX, &index_size);
	strfile_init(strfile, text, size, index);
	return 0;
}

void strfile_close(struct strfile *strfile)
{
	close(strfile->text); /* read-only: nothing to lose */
	if (strfile->index >= 0)
		close(strfile->index);
}

void strfile_walk(const struct strfile *strfile, strfile_visitor *visit, void *state)
{
	char bytes[STRFILE_QUOTE_MAX];
	struct quote quote = { .bytes = bytes };
	struct reader reader;
	size_t offset = 0;

	reader_init(&reader, strfile, 0);
	for (; read_quote(&reader, &quote); offset = reader.offset)
		if (fits(&quote, STRFILE_QUOTE_MAX))
			visit(state, offset, bytes, quote.length);
}

size_t strfile_fetch(const struct strfile *strfile, size_t offset, char bytes[STRFILE_QUOTE_MAX])
{
	struct quote quote = { .bytes = bytes };
	struct reader reader;

	reader_init(&reader, strfile, offset);
	if (!read_quote(&reader, &quote) || !fits(&quote, STRFILE_QUOTE_MAX))
		return 0;
	if (strfile->rotated)
		rotate(bytes, quote.length);
	return quote.length;
}

size_t strfile_pick(const struct strfile *strfile, size_t max, char bytes[STRFILE_QUOTE_MAX])
{
	struct quote quote = { .bytes = bytes };

	if (max > STRFILE_QUOTE_MAX)
		max = STRFILE_QUOTE_MAX;
	if (!(strfile->index >= 0 && search_index(strfile, max, &quote)) &&
	    !search_text(strfile, max, &quote))
		return 0;
	if (strfile->rotated)
		rotate(bytes, quote.length);
	return quote.length;
}
