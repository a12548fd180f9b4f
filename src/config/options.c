/* SPDX-License-Identifier: ISC */
/*
 * The options of a handler.
 *
 * A handler declares its options in a table; what the administrator wrote as "name=value" is
 * checked against it here, so that a handler finds at run time only what it has declared, in its
 * type and range.  An option that is not set gets its default through the same parser.
 */
#include "config.h"

#include "config/options.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/nearest.h"
#include "config/value.h"
#include "config/zone.h"

#define FAIL(why, ...) (snprintf(why, VALUE_WHY, __VA_ARGS__), -1)

struct loading {
	struct service *service;
	struct problem_list *problems;
	struct origin at;
};

/* Whether the handler understands it. */
static int check_text(const struct begat_option *option, const char *text,
		      char why[static VALUE_WHY])
{
	const char *wrong = option->check ? option->check(text) : NULL;

	return wrong ? FAIL(why, "\"%.64s\" %.200s", text, wrong) : 0;
}

static int parse_string(const struct begat_option *option, const char *text,
			struct begat_value *value, char why[static VALUE_WHY])
{
	if (option->max > 0 && strlen(text) > (size_t)option->max)
		return FAIL(why, "%zu bytes are more than %lld", strlen(text), option->max);
	if (check_text(option, text, why) < 0)
		return -1;
	value->string = xstrdup(text);
	return 0;
}

static int parse_path(const struct begat_option *option, const char *text,
		      struct begat_value *value, char why[static VALUE_WHY])
{
	if (value_check_path(text, why) < 0 || check_text(option, text, why) < 0)
		return -1;
	value->string = xstrdup(text);
	return 0;
}

/* The handler gets the rules.  The name, which is what the administrator wants to see again, stands
 * behind their NUL in the same piece of memory, where zone_name() finds it. */
static int parse_zone(const char *text, struct begat_value *value, char why[static VALUE_WHY])
{
	char *rules;

	if (zone_read(text, &rules, why) < 0)
		return -1;
	value->string = xasprintf("%s%c%s", rules, '\0', text);
	free(rules);
	return 0;
}

static const char *zone_name(const struct begat_value *value)
{
	return value->string + strlen(value->string) + 1;
}

static int parse_command(const struct service *service, const char *text, struct begat_value *value,
			 char why[static VALUE_WHY])
{
	char **words;

	if (value_parse_words(text, &words, why) < 0)
		return -1;
	if (value_check_program(service->cage.chroot, words[0] ? words[0] : "", why) < 0) {
		strv_free(words);
		return -1;
	}
	value->argv = words;
	return 0;
}

static int parse_bool(const char *text, struct begat_value *value, char why[static VALUE_WHY])
{
	bool yes;

	if (value_parse_bool(text, &yes, why) < 0)
		return -1;
	value->number = yes;
	return 0;
}

static int parse_value(const struct service *service, const struct begat_option *option,
		       const char *text, struct begat_value *value, char why[static VALUE_WHY])
{
	long long max = option->max > option->min ? option->max : LLONG_MAX;

	switch (option->type) {
	case BEGAT_OPTION_STRING:
		return parse_string(option, text, value, why);
	case BEGAT_OPTION_NUMBER:
		return value_parse_number(text, option->min, max, &value->number, why);
	case BEGAT_OPTION_SIZE:
		return value_parse_size(text, option->min, max, &value->number, why);
	case BEGAT_OPTION_DURATION:
		return value_parse_duration(text, option->min, max, &value->number, why);
	case BEGAT_OPTION_BOOL:
		return parse_bool(text, value, why);
	case BEGAT_OPTION_PATH:
		return parse_path(option, text, value, why);
	case BEGAT_OPTION_ZONE:
		return parse_zone(text, value, why);
	case BEGAT_OPTION_COMMAND:
		return parse_command(service, text, value, why);
	}
	return FAIL(why, "the handler declares a type that is not known");
}

static bool is_named(const struct begat_option *option, const char *name)
{
	size_t length = strlen(option->name);

	if (option->type != BEGAT_OPTION_COMMAND)
		return strcmp(option->name, name) == 0;
	return strncmp(option->name, name, length) == 0;
}

static const struct begat_option *find_option(const struct begat_handler *handler, const char *name)
{
	for (const struct begat_option *each = handler->options; each && each->name; each++)
		if (is_named(each, name))
			return each;
	return NULL;
}

static struct begat_value *find_value(const struct service *service, const char *name)
{
	for (size_t i = 0; i < service->nvalues; i++)
		if (strcmp(service->values[i].name, name) == 0)
			return &service->values[i];
	return NULL;
}

static struct begat_value *add_value(struct service *service, const char *name)
{
	struct begat_value *value;

	service->values = xreallocarray(service->values, service->nvalues + 1, sizeof(*value));
	value = &service->values[service->nvalues++];
	*value = (struct begat_value){ .name = xstrdup(name) };
	return value;
}

static void complain_unknown(struct loading *loading, const char *name)
{
	const struct begat_handler *handler = loading->service->handler;
	struct nearest nearest = { .wanted = name };
	char suggestion[NEAREST_SUFFIX];

	for (const struct begat_option *each = handler->options; each && each->name; each++)
		nearest_offer(&nearest, each->name);
	nearest_format(&nearest, suggestion);
	problem_add(loading->problems, &loading->at,
		    "options: the handler \"%s\" has no option \"%.64s\"%s", handler->name, name,
		    suggestion);
}

static void set_value(struct loading *loading, const struct begat_option *option, const char *name,
		      const char *text)
{
	struct begat_value *value = find_value(loading->service, name);
	char why[VALUE_WHY];

	if (value == NULL)
		value = add_value(loading->service, name);
	if (parse_value(loading->service, option, text, value, why) < 0)
		problem_add(loading->problems, &loading->at, "options: %.64s: %s", name, why);
}

static bool is_command_name(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_-")] == '\0';
}

static bool is_repeated(const struct setting *setting, size_t index, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < index; i++)
		if (strncmp(setting->items[i].text, name, length) == 0 &&
		    setting->items[i].text[length] == '=')
			return true;
	return false;
}

static void set_named(struct loading *loading, const char *name, const char *text)
{
	const struct begat_option *option = find_option(loading->service->handler, name);

	if (option == NULL)
		complain_unknown(loading, name);
	else if (option->type == BEGAT_OPTION_COMMAND &&
		 !is_command_name(name + strlen(option->name)))
		problem_add(loading->problems, &loading->at,
			    "options: %.64s: a command's name has letters, digits, _ and - only",
			    name);
	else
		set_value(loading, option, name, text);
}

static void set_item(struct loading *loading, const struct setting *setting, size_t index)
{
	const char *text = setting->items[index].text;
	const char *equals = strchr(text, '=');
	char *name;

	loading->at = item_origin(setting, index);
	if (equals == NULL || equals == text) {
		problem_add(loading->problems, &loading->at,
			    "options: \"%.64s\" is not of the form name=value", text);
		return;
	}
	name = xstrndup(text, (size_t)(equals - text));
	if (is_repeated(setting, index, name))
		problem_add(loading->problems, &loading->at, "options: %.64s is set twice", name);
	else
		set_named(loading, name, equals + 1);
	free(name);
}

static bool is_set(const struct setting *setting, const char *name)
{
	return setting && is_repeated(setting, setting->count, name);
}

/* Every option gets its place in the table's order, and its default where nothing else is coming.
 */
static void set_defaults(struct loading *loading, const struct setting *setting)
{
	const struct begat_handler *handler = loading->service->handler;

	loading->at = loading->service->origin;
	for (const struct begat_option *each = handler->options; each && each->name; each++) {
		if (each->type == BEGAT_OPTION_COMMAND)
			continue;
		add_value(loading->service, each->name);
		if (each->fallback && !is_set(setting, each->name))
			set_value(loading, each, each->name, each->fallback);
	}
}

void options_load(struct service *service, const struct setting *setting,
		  struct problem_list *problems)
{
	struct loading loading = { .service = service, .problems = problems };

	set_defaults(&loading, setting);
	for (size_t i = 0; setting && i < setting->count; i++)
		set_item(&loading, setting, i);
}

static char *format_value(const struct begat_option *option, const struct begat_value *value)
{
	char text[VALUE_TEXT];

	switch (option->type) {
	case BEGAT_OPTION_STRING:
	case BEGAT_OPTION_PATH:
		return value->string ? xstrdup(value->string) : NULL;
	case BEGAT_OPTION_ZONE:
		return value->string ? xstrdup(zone_name(value)) : NULL;
	case BEGAT_OPTION_COMMAND:
		return value->argv ? value_format_words(value->argv) : NULL;
	case BEGAT_OPTION_BOOL:
		return xstrdup(value->number ? "true" : "false");
	case BEGAT_OPTION_DURATION:
		clock_format_duration(value->number, text);
		break;
	case BEGAT_OPTION_NUMBER:
	case BEGAT_OPTION_SIZE:
		snprintf(text, sizeof(text), "%lld", value->number);
		break;
	}
	/* Without a default, 0 is what an option has that was not set, and may be out of range. */
	return value->number < option->min ? NULL : xstrdup(text);
}

char *options_format(const struct begat_handler *handler, const struct begat_value *value)
{
	const struct begat_option *option = find_option(handler, value->name);
	char *text = option ? format_value(option, value) : NULL;
	char *line = text ? xasprintf("%s=%s", value->name, text) : NULL;

	free(text);
	return line;
}

void options_free(struct begat_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)values[i].name);
		free((char *)(uintptr_t)values[i].string);
		strv_free((char **)(uintptr_t)values[i].argv);
	}
	free(values);
}
