/* SPDX-License-Identifier: ISC */
/*
 * Where the settings of one service come from: its own section, or else "defaults", or else what is
 * there already.  One function for each kind of value; each adds what is wrong to the problems,
 * under the key's name and at the line of the value, and changes nothing then.
 */
#include "config.h"

#include "config/builder.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct setting *builder_own(const struct builder *builder, enum key key)
{
	return section_has(builder->own, key) ? &builder->own->settings[key] : NULL;
}

const struct setting *builder_default(const struct builder *builder, enum key key)
{
	if (builder->defaults && section_has(builder->defaults, key))
		return &builder->defaults->settings[key];
	return NULL;
}

const struct setting *builder_find(const struct builder *builder, enum key key)
{
	const struct setting *own = builder_own(builder, key);

	return own ? own : builder_default(builder, key);
}

void builder_complain(const struct builder *builder, const struct origin *at, enum key key,
		      const char *why)
{
	problem_add(&builder->loader->problems, at, "%s: %s", key_table[key].name, why);
}

/* Values: each leaves what is there when the key is not set. */

/* 0 or less, as a number or a rate. */
static bool is_nothing(const char *text)
{
	return text[0] == '-' || strcmp(text, "0") == 0 || strncmp(text, "0/", 2) == 0;
}

/* Who writes nothing may mean all, or none: how to say it here. */
static const char *hint_of(enum key key, const char *text)
{
	if (!is_nothing(text))
		return "";
	switch (key) {
	case KEY_INSTANCES:
		return "; to close a service use disable = true";
	case KEY_PER_SOURCE:
	case KEY_MEMORY_MAX:
	case KEY_TASKS_MAX:
		return "; to have no limit leave the key out";
	case KEY_RATE_PER_SOURCE:
		return "; to have no limit write none, to close a service use no-access or disable";
	case KEY_RATE:
		return "; to have no limit leave the key out, to close a service use no-access or "
		       "disable";
	default:
		return "";
	}
}

static void complain_with_hint(const struct builder *builder, const struct setting *setting,
			       enum key key, const char *why)
{
	problem_add(&builder->loader->problems, &setting->origin, "%s: %s%s", key_table[key].name,
		    why, hint_of(key, setting->items[0].text));
}

void builder_number(const struct builder *builder, enum key key, long long max, long long *number)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];
	long long value;

	if (setting == NULL)
		return;
	if (value_parse_number(setting->items[0].text, 1, max, &value, why) < 0)
		complain_with_hint(builder, setting, key, why);
	else
		*number = value;
}

void builder_integer(const struct builder *builder, enum key key, int min, int max, int *number)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];
	long long value;

	if (setting == NULL)
		return;
	if (value_parse_number(setting->items[0].text, min, max, &value, why) < 0)
		builder_complain(builder, &setting->origin, key, why);
	else
		*number = (int)value;
}

void builder_size(const struct builder *builder, enum key key, long long max, int64_t *bytes)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];
	long long value;

	if (setting == NULL)
		return;
	if (value_parse_size(setting->items[0].text, 1 << 20, max, &value, why) < 0)
		complain_with_hint(builder, setting, key, why);
	else
		*bytes = value;
}

void builder_rate(const struct builder *builder, enum key key, struct service_rate *rate)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];

	if (setting &&
	    value_parse_rate(setting->items[0].text, &rate->count, &rate->period_ms, why) < 0)
		complain_with_hint(builder, setting, key, why);
}

void builder_duration(const struct builder *builder, enum key key, long long max, int64_t *ms)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];
	long long value;

	if (setting == NULL)
		return;
	if (value_parse_duration(setting->items[0].text, 0, max, &value, why) < 0)
		builder_complain(builder, &setting->origin, key, why);
	else
		*ms = value;
}

void builder_bool(const struct builder *builder, enum key key, bool *yes)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];

	if (setting && value_parse_bool(setting->items[0].text, yes, why) < 0)
		builder_complain(builder, &setting->origin, key, why);
}

void builder_mode(const struct builder *builder, enum key key, mode_t *mode)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];

	if (setting && value_parse_mode(setting->items[0].text, mode, why) < 0)
		builder_complain(builder, &setting->origin, key, why);
}

void builder_text(const struct builder *builder, enum key key, value_check *check, char **text)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];

	if (setting == NULL)
		return;
	if (check && check(setting->items[0].text, why) < 0) {
		builder_complain(builder, &setting->origin, key, why);
		return;
	}
	free(*text);
	*text = xstrdup(setting->items[0].text);
}

int builder_word(const struct builder *builder, enum key key, const char *const *words, int place)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY];
	int found;

	if (setting == NULL)
		return place;
	if (value_parse_word(setting->items[0].text, words, &found, why) == 0)
		return found;
	builder_complain(builder, &setting->origin, key, why);
	return place;
}

static bool is_repeated(const struct setting *setting, size_t index)
{
	const char *text = setting->items[index].text;
	size_t length = strcspn(text, "=");

	for (size_t i = 0; i < index; i++)
		if (strncmp(setting->items[i].text, text, length) == 0 &&
		    strcspn(setting->items[i].text, "=") == length)
			return true;
	return false;
}

static void check_item(const struct builder *builder, const struct setting *setting, size_t index,
		       enum key key, value_check *check)
{
	struct origin at = item_origin(setting, index);
	char why[VALUE_WHY];

	if (check(setting->items[index].text, why) < 0)
		builder_complain(builder, &at, key, why);
	else if (is_repeated(setting, index))
		problem_add(&builder->loader->problems, &at, "%s: %.64s is there twice",
			    key_table[key].name, setting->items[index].text);
}

void builder_names(const struct builder *builder, enum key key, size_t max, value_check *check,
		   char ***vector)
{
	const struct setting *setting = builder_find(builder, key);
	size_t count = 0;

	for (size_t i = 0; setting && i < setting->count && i < max; i++) {
		check_item(builder, setting, i, key, check);
		strv_add(vector, &count, xstrdup(setting->items[i].text));
	}
	if (setting && setting->count > max)
		problem_add(&builder->loader->problems, &setting->origin,
			    "%s: %zu are more than %zu", key_table[key].name, setting->count, max);
	if (*vector == NULL)
		*vector = xcalloc(1, sizeof(**vector));
}
