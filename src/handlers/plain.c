/* SPDX-License-Identifier: ISC */
/*
 * Plain text: what may be sent to a client that understands nothing but ASCII.
 *
 * Quotations are full of tabs, which no such client needs to know; they become blanks.  A '\r'
 * belongs to the line end that it stands before.  Everything else that does not print, and every
 * byte of another character set, makes a text one that is not plain: half of it would be nobody's
 * quotation.
 */
#include "config.h"

#include "handlers/plain.h"

#include <string.h>

#define TAB 8

/* How long the line at the start is: without its end, and with it. */
struct line {
	size_t length, whole;
};

static struct line find_line(const char *text, size_t length)
{
	const char *newline = memchr(text, '\n', length);
	struct line line = { length, length };

	if (newline) {
		line.length = (size_t)(newline - text);
		line.whole = line.length + 1;
	}
	if (line.length > 0 && text[line.length - 1] == '\r')
		line.length--;
	return line;
}

/* With its end; 0 when it is not plain. */
static size_t line_length(const char *text, size_t length)
{
	size_t column = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\t')
			column += TAB - column % TAB;
		else if (text[i] < ' ' || text[i] > '~')
			return 0;
		else
			column++;
	}
	return column + 2;
}

size_t plain_length(const char *text, size_t length)
{
	size_t total = 0;

	while (length > 0) {
		const struct line line = find_line(text, length);
		const size_t part = line_length(text, line.length);

		if (part == 0)
			return 0;
		total += part;
		text += line.whole;
		length -= line.whole;
	}
	return total;
}

/* In as few pieces as there are tabs. */
static void write_line(struct begat_session *session, const char *text, size_t length)
{
	size_t column = 0;

	for (size_t i = 0, start = 0; i <= length; i++) {
		if (i < length && text[i] != '\t')
			continue;
		/* the session remembers a failure */
		(void)begat_write(session, text + start, i - start);
		column += i - start;
		if (i == length)
			break;
		(void)begat_write(session, "        ", TAB - column % TAB);
		column += TAB - column % TAB;
		start = i + 1;
	}
	(void)begat_write_text(session, "\n", 1);
}

size_t plain_write(struct begat_session *session, const char *text, size_t length, size_t max)
{
	size_t total = 0;

	while (length > 0) {
		const struct line line = find_line(text, length);
		const size_t part = line_length(text, line.length);

		if (part == 0 || part > max - total)
			break;
		write_line(session, text, line.length);
		total += part;
		text += line.whole;
		length -= line.whole;
	}
	return total;
}
