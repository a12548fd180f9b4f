/* SPDX-License-Identifier: ISC */
/*
 * Values out of a JSON document: plan/handover.c says which, and here is how.
 *
 * The document may come from another version of begat, or be damaged.  A number that is wrong in it
 * is a descriptor that the next master closes or a process that it kills, so nothing is taken that
 * has not the right type and is not within its range.  Nothing here ends the process.
 */
#include "config.h"

#include "plan/reader.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/latin1.h"
#include "plan/bounds.h"

_Static_assert(READER_SEEN == BOUNDS_CHILDREN, "pids and places are among what is seen");

#define WORD_BITS 64

static const struct range fd_or_none = { 3, READER_SEEN - 1, -1, false };
static const struct range required_fd = { 3, READER_SEEN - 1, -1, true };

/* One line, whatever the document holds. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			*text = '?';
}

void reader_complain(struct reader *in, const char *key, const char *format, ...)
{
	char where[64] = "", what[160];
	va_list arguments;

	if (in->failed)
		return;
	in->failed = true;
	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	if (in->list)
		snprintf(where, sizeof(where), "%s[%zu]%s", in->list, in->index, *key ? "." : "");
	snprintf(in->error, READER_ERROR, "%s%s%s%s: %s", where, in->group ? in->group : "",
		 in->group ? "." : "", key, what);
	make_printable(in->error);
}

json_t *reader_parse(struct reader *in, const char *bytes, size_t size)
{
	json_error_t error;
	json_t *root = json_loadb(bytes, size, 0, &error);

	if (json_is_object(root))
		return root;
	if (root == NULL)
		reader_complain(in, "JSON", "line %d, column %d: %s", error.line, error.column,
				error.text);
	else
		reader_complain(in, "JSON", "not an object");
	json_decref(root);
	return NULL;
}

int reader_seen_init(struct reader *in, struct reader_seen *seen)
{
	seen->words = calloc(READER_SEEN / WORD_BITS, sizeof(*seen->words));
	if (seen->words)
		return 0;
	reader_complain(in, "memory", "%s", strerror(errno));
	return -1;
}

void reader_seen_fini(struct reader_seen *seen)
{
	free(seen->words);
}

void reader_add(struct reader *in, const char *key, int64_t number, struct reader_seen *seen)
{
	const uint64_t bit = UINT64_C(1) << number % WORD_BITS;
	uint64_t *word;

	if (in->failed)
		return; /* it may be any number */
	word = &seen->words[number / WORD_BITS];
	if (*word & bit)
		reader_complain(in, key, "%lld is there twice", (long long)number);
	*word |= bit;
}

int64_t reader_read_number(struct reader *in, const char *key, const json_t *value,
			   const struct range *range)
{
	const int64_t number = json_integer_value(value);

	if (value == NULL && range->required)
		reader_complain(in, key, "missing");
	else if (value && !json_is_integer(value))
		reader_complain(in, key, "not a whole number");
	else if (value && (number < range->least || number > range->most))
		reader_complain(in, key, "%lld is not within %lld to %lld", (long long)number,
				(long long)range->least, (long long)range->most);
	else if (value)
		return number;
	return range->missing;
}

int64_t reader_number(struct reader *in, const json_t *object, const char *key,
		      const struct range *range)
{
	return reader_read_number(in, key, json_object_get(object, key), range);
}

static int fd_within(struct reader *in, const json_t *object, const char *key,
		     const struct range *range)
{
	const int64_t fd = reader_number(in, object, key, range);

	if (fd >= 0)
		reader_add(in, key, fd, &in->fds);
	return (int)fd;
}

int reader_fd(struct reader *in, const json_t *object, const char *key)
{
	return fd_within(in, object, key, &fd_or_none);
}

int reader_required_fd(struct reader *in, const json_t *object, const char *key)
{
	return fd_within(in, object, key, &required_fd);
}

static bool is_decimal(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && *end == '\0' && errno == 0;
}

static uint64_t read_unsigned(struct reader *in, const char *key, const json_t *value)
{
	uint64_t number = 0;

	if (json_is_integer(value) && json_integer_value(value) >= 0)
		return (uint64_t)json_integer_value(value);
	if (json_is_string(value) && is_decimal(json_string_value(value), &number))
		return number;
	reader_complain(in, key, "not a whole number from 0 on");
	return 0;
}

uint64_t reader_unsigned(struct reader *in, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value ? read_unsigned(in, key, value) : 0;
}

uint64_t reader_limit(struct reader *in, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL)
		reader_complain(in, key, "missing");
	return json_is_null(value) ? UINT64_MAX : read_unsigned(in, key, value);
}

bool reader_read_flag(struct reader *in, const char *key, const json_t *value)
{
	if (value && !json_is_boolean(value))
		reader_complain(in, key, "neither true nor false");
	return json_is_true(value);
}

bool reader_flag(struct reader *in, const json_t *object, const char *key)
{
	return reader_read_flag(in, key, json_object_get(object, key));
}

void reader_read_text(struct reader *in, const char *key, const json_t *value, char *text,
		      size_t size)
{
	*text = '\0';
	if (value == NULL)
		return;
	if (!json_is_string(value))
		reader_complain(in, key, "not a text");
	else if (latin1_decode(json_string_value(value), text, size) < 0) {
		reader_complain(in, key,
				errno == EILSEQ ? "has a character that is not a byte"
						: "longer than it can be");
		*text = '\0';
	}
}

char *reader_text(struct reader *in, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	const size_t size = json_string_length(value) + 1;
	char *text;

	if (value == NULL)
		return NULL;
	text = malloc(size);
	if (text)
		reader_read_text(in, key, value, text, size);
	else
		reader_complain(in, key, "%s", strerror(errno));
	return text;
}

char *reader_required_text(struct reader *in, const json_t *object, const char *key)
{
	char *text = reader_text(in, object, key);

	if (text == NULL)
		reader_complain(in, key, "missing");
	else if (*text == '\0')
		reader_complain(in, key, "empty");
	return text;
}

const json_t *reader_enter(struct reader *in, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_object(value))
		reader_complain(in, key, "not an object");
	in->group = key;
	return value;
}

void reader_leave(struct reader *in)
{
	in->group = NULL;
}

void *reader_table(struct reader *in, const json_t *root, const char *key, size_t size,
		   size_t *count)
{
	const json_t *list = json_object_get(root, key);
	void *table;

	*count = 0;
	if (list == NULL)
		reader_complain(in, key, "missing");
	else if (!json_is_array(list))
		reader_complain(in, key, "not a list");
	if (in->failed || json_array_size(list) == 0)
		return NULL;
	table = calloc(json_array_size(list), size);
	if (table)
		*count = json_array_size(list);
	else
		reader_complain(in, key, "%s", strerror(errno));
	return table;
}
