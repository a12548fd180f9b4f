/* SPDX-License-Identifier: ISC */
/*
 * Fields of the JSON that a daemon has sent.
 *
 * Texts in it are bytes in the form of report/document.c, any byte as the character of the same
 * number, and may come from a client of the daemon's: nothing of them gets to a terminal but
 * printable ASCII.
 */
#include "config.h"

#include "client/field.h"

#define LIBBSD_OPENBSD_VIS /* silences a warning about strnvis(), which is not used */
#include <bsd/string.h>
#include <bsd/vis.h>
#include <stdlib.h>
#include <string.h>

#include "base/latin1.h"

#define BYTES_MAX 255 /* each is at most four when it is escaped */

_Static_assert(sizeof(struct shown) > 4 * BYTES_MAX, "what is escaped fits");

/* Large numbers come as decimal text. */
static int64_t to_number(const json_t *value)
{
	if (json_is_integer(value))
		return json_integer_value(value);
	return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : 0;
}

int64_t field_number(const json_t *object, const char *key)
{
	return to_number(json_object_get(object, key));
}

bool field_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *text_show(const char *utf8, struct shown *shown)
{
	char bytes[4 * BYTES_MAX + 1];

	if (latin1_decode(utf8, bytes, sizeof(bytes)) < 0)
		strlcpy(bytes, utf8, sizeof(bytes)); /* not ours, or longer than we show */
	bytes[BYTES_MAX] = '\0';
	if (strnvisx(shown->text, sizeof(shown->text), bytes, strlen(bytes),
		     VIS_CSTYLE | VIS_OCTAL | VIS_TAB | VIS_NL) < 0)
		shown->text[0] = '\0'; /* memory */
	return shown->text;
}

const char *field_show(const json_t *object, const char *key, struct shown *shown)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text_show(text ? text : "", shown);
}

bool field_is(const json_t *object, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value && strcmp(value, text) == 0;
}

int64_t field_sum(const json_t *object, const char *key)
{
	json_t *numbers = json_object_get(object, key);
	int64_t sum = 0, number;

	for (void *at = json_object_iter(numbers); at; at = json_object_iter_next(numbers, at)) {
		number = to_number(json_object_iter_value(at));
		if (number > 0 && sum <= INT64_MAX - number)
			sum += number;
	}
	return sum;
}
