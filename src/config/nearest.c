/* SPDX-License-Identifier: ISC */
/*
 * "Did you mean ...?": the known name that is nearest to a mistyped one, by the number of
 * characters to insert, delete or replace.  Used wherever a configuration names something that does
 * not exist; a name that is too far off is no help and is not suggested.
 */
#include "config.h"

#include "config/nearest.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_LENGTH 40 /* of names worth comparing */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LENGTH + 1], columns = strlen(b);

	for (size_t i = 0; i <= columns; i++)
		row[i] = i;
	for (size_t line = 1; a[line - 1]; line++) {
		size_t diagonal = row[0];

		row[0] = line;
		for (size_t i = 1; i <= columns; i++) {
			size_t above = row[i];

			row[i] = min3(above + 1, row[i - 1] + 1,
				      diagonal + (a[line - 1] != b[i - 1]));
			diagonal = above;
		}
	}
	return row[columns];
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	size_t length = strlen(nearest->wanted), much = length / 3 + 1, found;

	if (length > NAME_MAX_LENGTH || strlen(name) > NAME_MAX_LENGTH)
		return;
	found = distance(nearest->wanted, name);
	if (found > much || found >= length || (nearest->name && found >= nearest->distance))
		return;
	nearest->name = name;
	nearest->distance = found;
}

void nearest_format(const struct nearest *nearest, char text[static NEAREST_SUFFIX])
{
	text[0] = '\0';
	if (nearest->name)
		snprintf(text, NEAREST_SUFFIX, "; did you mean \"%s\"?", nearest->name);
}
