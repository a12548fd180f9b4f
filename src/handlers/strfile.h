/* SPDX-License-Identifier: ISC */
/* A database of quotations in the format of strfile(1): text with a line "%" between two
 * quotations, and, if there is one, its index in the file of the same name with ".dat". */
#ifndef HANDLERS_STRFILE_H
#define HANDLERS_STRFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRFILE_TEXT_MAX  (16U << 20) /* bytes; a larger database is refused with EFBIG */
#define STRFILE_QUOTE_MAX 8192	      /* bytes; a longer quotation is never picked */

struct strfile {
	int text, index; /* descriptors; index -1: none, or of no use */
	size_t size;	 /* of the text, when it was opened */
	uint32_t count;	 /* of the index's offsets */
	char delimiter;	 /* alone on its line between two quotations */
	bool rotated;	 /* letters are stored rotated by 13 */
	bool comments;	 /* lines that begin with two delimiters are no part of a quotation */
};

/* 0, or -1 with errno of what is wrong with the text.  An index that is missing or damaged is no
 * error: then the text is searched. */
int strfile_open(struct strfile *strfile, const char *path);

/* The same for two open descriptors, which it takes over; index may be -1. */
void strfile_init(struct strfile *strfile, int text, size_t size, int index);

void strfile_close(struct strfile *strfile);

/* One quotation of at most max bytes, each that is short enough as likely as any other, with its
 * last '\n' and without the delimiter.  Not NUL-terminated; may hold any byte.  Its length, or 0
 * when the text has none (or cannot be read). */
size_t strfile_pick(const struct strfile *strfile, size_t max, char quote[STRFILE_QUOTE_MAX]);

/* Shows every quotation of at most STRFILE_QUOTE_MAX bytes, in the order of the text, and where it
 * begins; letters as they are stored. */
typedef void strfile_visitor(void *state, size_t offset, const char *quote, size_t length);
void strfile_walk(const struct strfile *strfile, strfile_visitor *visit, void *state);

/* The quotation that begins there, as strfile_pick() gives it; 0 when the text has changed. */
size_t strfile_fetch(const struct strfile *strfile, size_t offset, char quote[STRFILE_QUOTE_MAX]);

#endif
