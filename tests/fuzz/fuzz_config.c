/* SPDX-License-Identifier: ISC */
/*
 * Bytes of a configuration file through scrub and schema, the way that config_load() takes them.
 *
 * Beyond not crashing: a text that scrub lets pass keeps its newlines, and every setting stands on
 * a line that the text has.  Includes are found but not followed.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/rlimit.h"
#include "config/schema.h"
#include "config/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const char *text, size_t length)
{
	size_t lines = 1;

	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* The canonical form is read back to the same. */
static void check_limit(const struct service_limit *limit)
{
	char text[RLIMIT_TEXT], why[VALUE_WHY];
	struct service_limit again;

	rlimit_format(limit, text);
	require(rlimit_parse(text, &again, why) == 0);
	require(again.resource == limit->resource);
	require(again.soft == limit->soft && again.hard == limit->hard);
}

/* Any text may come to any parser. */
static void parse_value(const char *text)
{
	char why[VALUE_WHY], **words, *path;
	struct service_limit limit;
	long long number;
	mode_t mode;
	bool yes;

	(void)value_parse_number(text, -5, 5, &number, why);
	(void)value_parse_size(text, 0, 1 << 20, &number, why);
	(void)value_parse_duration(text, 0, 1 << 30, &number, why);
	(void)value_parse_bool(text, &yes, why);
	(void)value_parse_mode(text, &mode, why);
	(void)value_check_name(text, why);
	(void)value_check_assignment(text, why);
	(void)value_check_banner(text, why);
	if (rlimit_parse(text, &limit, why) == 0)
		check_limit(&limit);
	if (value_parse_path(text, &path, why) == 0)
		free(path);
	if (value_parse_words(text, &words, why) == 0)
		strv_free(words);
}

static void check_setting(const struct setting *setting, size_t lines)
{
	if (setting->origin.file == NULL)
		return;
	require(setting->origin.line >= 1 && (size_t)setting->origin.line <= lines);
	for (size_t i = 0; i < setting->count; i++) {
		require(setting->items[i].line >= setting->origin.line);
		require((size_t)setting->items[i].line <= lines);
		parse_value(setting->items[i].text);
	}
}

static void check_section(const struct section *section, size_t lines)
{
	for (enum key key = 0; key < KEY_COUNT; key++)
		check_setting(&section->settings[key], lines);
}

static void check_file(const struct schema_file *file, size_t lines)
{
	check_section(&file->global, lines);
	for (size_t i = 0; i < file->nsections; i++) {
		require(file->sections[i]->origin.line >= 1);
		require((size_t)file->sections[i]->origin.line <= lines);
		check_section(file->sections[i], lines);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t lines = count_lines((const char *)data, size);
	struct problem_list problems = { 0 };
	struct scrubbed scrubbed;
	struct schema_file file;

	if (scrub_text((const char *)data, size, "fuzz", &scrubbed, &problems) == 0) {
		require(problems.errors == 0);
		require(count_lines(scrubbed.text, strlen(scrubbed.text)) == lines);
		schema_read("fuzz", &scrubbed, &file, &problems);
		check_file(&file, lines);
		schema_fini(&file);
	} else {
		require(problems.errors > 0);
	}
	scrub_fini(&scrubbed);
	problem_fini(&problems);
	return 0;
}
