/* SPDX-License-Identifier: ISC */
/*
 * What a configuration would change.
 *
 * The running daemon keeps the text in effect; a reload's preflight and begatd -t --against compare
 * it with that of the configuration that they have loaded, and tell it in the same lines:
 *
 *	~ log-level = "debug", was at its default
 *	+ service "rsync" on tcp:873
 *	- service "finger" on tcp:79
 *	~ service "git": instances = 40, was 20
 *	= 11 services unchanged
 *
 * Services are known by their names; both sides are sorted, and gone through side by side.  A line
 * is at most LINE bytes long: of long values the part is shown in which they differ.
 */
#include "config.h"

#include "config/difference.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/memfd.h"
#include "config/effect.h"

#define LINE	   200
#define NAME_SHOWN 40  /* bytes of a service's or a key's name: ours are shorter */
#define LEAD	   12  /* bytes before a difference that are shown */
#define PLACES	   120 /* bytes of listening addresses */

/* Saving */

int difference_save(const struct config *config)
{
	char *text = effect_format(config);
	int fd = memfd_sealed(DIFFERENCE_NAME, text, strlen(text));

	free(text);
	return fd;
}

/* Text for people */

struct comparison {
	struct effect before, after;
	struct difference *difference;
	size_t nlines;
};

static void add_line(struct comparison *comparison, char *line)
{
	comparison->difference->lines[comparison->nlines++] = line;
}

/* Back to the beginning of a character of UTF-8. */
static size_t character_start(const char *text, size_t place)
{
	while (place > 0 && (text[place] & 0xc0) == 0x80)
		place--;
	return place;
}

/* At most room bytes and dots of a value; where that is not all of it, from a little before the
 * place that matters. */
static char *cut(const char *value, size_t length, size_t place, size_t room)
{
	size_t start, end;

	if (length <= room)
		return xstrndup(value, length);
	start = place > LEAD ? place - LEAD : 0;
	if (start > length - room)
		start = length - room;
	start = character_start(value, start);
	end = start + room < length ? character_start(value, start + room) : length;
	return xasprintf("%s%.*s%s", start ? "..." : "", (int)(end - start), value + start,
			 end < length ? "..." : "");
}

/* The strings of a list without their quotes. */
static char *unquote(const struct effect_key *list)
{
	char *text = xcalloc(2 * list->value_length + 1, 1), *out = text;
	bool quoted = false;

	for (size_t i = 0; i < list->value_length; i++) {
		char c = list->value[i];

		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\' && i + 1 < list->value_length)
			*out++ = list->value[++i];
		else if (quoted)
			*out++ = c;
		else if (c == ',')
			out = stpcpy(out, ", ");
	}
	return text;
}

static bool is_named(const struct effect_key *key, const char *name)
{
	return key->name_length == strlen(name) && memcmp(key->name, name, key->name_length) == 0;
}

static char *format_places(const struct effect_part *service)
{
	struct effect_part rest = *service;
	const char *nowhere = "nothing";
	struct effect_key key;
	char *list, *places;

	while (effect_take_key(&rest, &key)) {
		if (is_named(&key, "tcpmux"))
			nowhere = "tcpmux alone";
		if (!is_named(&key, "listen"))
			continue;
		list = unquote(&key);
		places = cut(list, strlen(list), 0, PLACES);
		free(list);
		return places;
	}
	return xstrdup(nowhere);
}

static void add_service(struct comparison *comparison, char sign, const struct effect_part *service)
{
	char *places = format_places(service);

	add_line(comparison,
		 xasprintf("%c service \"%.*s\" on %s", sign, NAME_SHOWN, service->name, places));
	free(places);
}

/* "~ service "git": ", or "~ " for what is outside of services. */
static char *format_head(const struct effect_part *part)
{
	return part->name ? xasprintf("~ service \"%.*s\": ", NAME_SHOWN, part->name)
			  : xstrdup("~ ");
}

/* Keys */

/* What serves is one of three keys: the one comes in the place of the other. */
static bool is_what(const struct effect_key *key)
{
	return is_named(key, "handler") || is_named(key, "exec") || is_named(key, "redirect");
}

static bool is_same_name(const struct effect_key *a, const struct effect_key *b)
{
	return a->name_length == b->name_length && memcmp(a->name, b->name, a->name_length) == 0;
}

static bool is_same(const struct effect_key *a, const struct effect_key *b)
{
	return is_same_name(a, b) && a->value_length == b->value_length &&
	       memcmp(a->value, b->value, a->value_length) == 0;
}

static bool find_key(struct effect_part part, const struct effect_key *wanted,
		     struct effect_key *found)
{
	while (effect_take_key(&part, found))
		if (is_same_name(found, wanted) || (is_what(found) && is_what(wanted)))
			return true;
	return false;
}

static size_t first_difference(const struct effect_key *a, const struct effect_key *b)
{
	size_t place = 0;

	while (place < a->value_length && place < b->value_length &&
	       a->value[place] == b->value[place])
		place++;
	return place;
}

static int shown_name(const struct effect_key *key)
{
	return key->name_length < NAME_SHOWN ? (int)key->name_length : NAME_SHOWN;
}

/* What two values may take of a line, with their dots, beside everything else. */
static size_t room_for_values(const struct effect_part *part, const struct effect_key *key)
{
	static const char around[] = "~ service \"\":  = , was handler = ............";
	size_t used = sizeof(around) + (size_t)shown_name(key);

	if (part->name)
		used += strnlen(part->name, NAME_SHOWN);
	return (LINE - used) / 2;
}

static void add_changed(struct comparison *comparison, const struct effect_part *part,
			const struct effect_key *before, const struct effect_key *after)
{
	size_t place = first_difference(before, after), room = room_for_values(part, after);
	char *now = cut(after->value, after->value_length, place, room);
	char *then = cut(before->value, before->value_length, place, room);
	char *head = format_head(part);
	bool other = !is_same_name(before, after);

	add_line(comparison,
		 xasprintf("%s%.*s = %s, was %.*s%s%s", head, shown_name(after), after->name, now,
			   other ? shown_name(before) : 0, before->name, other ? " = " : "", then));
	free(head);
	free(then);
	free(now);
}

/* One side is at its default, of which the texts say nothing. */
static void add_one_side(struct comparison *comparison, const struct effect_part *part,
			 const struct effect_key *key, bool is_after)
{
	char *value = cut(key->value, key->value_length, 0, room_for_values(part, key));
	char *head = format_head(part);
	const char *then = is_after ? " = " : " is at its default, was ";

	add_line(comparison, xasprintf("%s%.*s%s%s%s", head, shown_name(key), key->name, then,
				       value, is_after ? ", was at its default" : ""));
	free(head);
	free(value);
}

/* Whether there was any difference. */
static bool compare_keys(struct comparison *comparison, const struct effect_part *before,
			 const struct effect_part *after)
{
	struct effect_part rest = *after;
	struct effect_key key, other;
	const size_t nlines = comparison->nlines;

	while (effect_take_key(&rest, &key)) {
		if (!find_key(*before, &key, &other))
			add_one_side(comparison, after, &key, true);
		else if (!is_same(&key, &other))
			add_changed(comparison, after, &other, &key);
	}
	rest = *before;
	while (effect_take_key(&rest, &key))
		if (!find_key(*after, &key, &other))
			add_one_side(comparison, before, &key, false);
	return comparison->nlines > nlines;
}

/* Services */

static void compare_service(struct comparison *comparison, const struct effect_part *before,
			    const struct effect_part *after)
{
	struct difference *difference = comparison->difference;
	bool same =
		before->size == after->size && memcmp(before->text, after->text, after->size) == 0;

	/* Another version may have its keys in another order. */
	if (!same && compare_keys(comparison, before, after)) {
		difference->changed++;
		return;
	}
	difference->unchanged[difference->nunchanged++] = xstrdup(after->name);
	difference->kept++;
}

/* Below 0: the next one is only before; above 0: only after. */
static int compare_next(const struct comparison *comparison, size_t before, size_t after)
{
	if (before == comparison->before.nservices)
		return 1;
	if (after == comparison->after.nservices)
		return -1;
	return strcmp(comparison->before.services[before].name,
		      comparison->after.services[after].name);
}

static void compare_services(struct comparison *comparison)
{
	const struct effect_part *before = comparison->before.services;
	const struct effect_part *after = comparison->after.services;
	size_t i = 0, j = 0;

	while (i < comparison->before.nservices || j < comparison->after.nservices) {
		int order = compare_next(comparison, i, j);

		if (order == 0) {
			compare_service(comparison, &before[i++], &after[j++]);
		} else if (order < 0) {
			add_service(comparison, '-', &before[i++]);
			comparison->difference->removed++;
		} else {
			add_service(comparison, '+', &after[j++]);
			comparison->difference->added++;
		}
	}
}

static void compare(struct comparison *comparison)
{
	struct difference *difference = comparison->difference;

	difference->lines = xcalloc(comparison->before.nlines + comparison->after.nlines + 2,
				    sizeof(*difference->lines));
	difference->unchanged =
		xcalloc(comparison->after.nservices, sizeof(*difference->unchanged));
	(void)compare_keys(comparison, &comparison->before.global, &comparison->after.global);
	compare_services(comparison);
	add_line(comparison, xasprintf("= %u service%s unchanged", difference->kept,
				       difference->kept == 1 ? "" : "s"));
}

int difference_make(int before_fd, int after_fd, struct difference *difference)
{
	struct comparison comparison = { .difference = difference };
	int result;

	*difference = (struct difference){ 0 };
	if (effect_read(before_fd, &comparison.before) < 0)
		return -1;
	result = effect_read(after_fd, &comparison.after);
	if (result == 0)
		compare(&comparison);
	effect_fini(&comparison.before);
	effect_fini(&comparison.after);
	return result;
}

void difference_fini(struct difference *difference)
{
	strv_free(difference->lines);
	for (size_t i = 0; i < difference->nunchanged; i++)
		free(difference->unchanged[i]);
	free(difference->unchanged);
	*difference = (struct difference){ 0 };
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

bool difference_has_unchanged(const struct difference *difference, const char *service)
{
	return difference->unchanged &&
	       bsearch(service, difference->unchanged, difference->nunchanged,
		       sizeof(*difference->unchanged), compare_names) != NULL;
}
