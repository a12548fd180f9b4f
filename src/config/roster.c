/* SPDX-License-Identifier: ISC */
/*
 * The lists of peers while they are loaded.
 *
 * Lists belong to the configuration, and services only refer to them, so that a list which stands
 * in "defaults" is made once and is there once.  What is said about a list is found by sorting it:
 * lists may have 100,000 entries, and 1,000 services may share one.  Of two lists the longer one is
 * searched for the entries of the shorter.
 */
#include "config.h"

#include "config/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/builder.h"

#define TOLD_MAX 10 /* oddities of one kind in a list; further ones are counted */

static const struct listed {
	enum key key;
	const char *empty;
} listed[ROSTERS] = {
	{ KEY_ONLY_FROM,
	  "the list is empty, which would let nobody in; to let everybody in leave the "
	  "key out, to close a service use disable = true" },
	{ KEY_NO_ACCESS, "the list is empty, which would keep nobody out; leave the key out" },
	{ KEY_PROXY_PROTOCOL,
	  "the list is empty, which would let nobody in; name the proxies, or leave "
	  "the key out where clients connect by themselves" },
};

/* Making a list */

static struct peers *new_peers(struct config *config)
{
	struct peers *peers = xcalloc(1, sizeof(*peers));

	config->peers = xreallocarray(config->peers, config->npeers + 1, sizeof(*config->peers));
	config->peers[config->npeers++] = peers;
	return peers;
}

static int compare_entries(const void *first, const void *second)
{
	const struct roster_entry *a = first, *b = second;
	int order = peer_compare(&a->peer, &b->peer);

	return order ? order : (a->item > b->item) - (a->item < b->item);
}

static int compare_peers(const void *first, const void *second)
{
	return peer_compare(&((const struct roster_entry *)first)->peer,
			    &((const struct roster_entry *)second)->peer);
}

/* What the item has added to the peers. */
static void note(struct roster *roster, size_t item)
{
	for (; roster->count < roster->peers->count; roster->count++) {
		const size_t count = roster->count;

		if ((count & (count - 1)) == 0) /* the room is the next power of two */
			roster->sorted = xreallocarray(roster->sorted, count ? 2 * count : 1,
						       sizeof(*roster->sorted));
		roster->sorted[count] = (struct roster_entry){ .peer = roster->peers->all[count],
							       .item = (uint32_t)item };
	}
}

static int fill(const struct builder *builder, enum key key, struct roster *roster)
{
	const struct setting *setting = roster->setting;
	char why[VALUE_WHY];
	int result = 0;

	for (size_t i = 0; i < setting->count; i++) {
		const struct origin at = item_origin(setting, i);

		if (peers_add(roster->peers, setting->items[i].text, why) == 0) {
			note(roster, i);
			continue;
		}
		builder_complain(builder, &at, key, why);
		result = -1;
	}
	return result;
}

static void forget_entries(struct roster *roster)
{
	free(roster->sorted);
	roster->sorted = NULL;
	roster->count = 0;
}

/* What stands twice */

static const char *text_of(const struct roster *roster, const struct roster_entry *entry)
{
	return roster->peers->texts[entry->item];
}

/* The network of an interface may stand beside it: nobody knows what that will be tomorrow. */
static bool is_repeated(const char *text, const char *before)
{
	return (text[0] != '@' && before[0] != '@') || strcmp(text, before) == 0;
}

static bool is_twice(const struct roster *roster, const struct roster_entry *entry)
{
	return compare_peers(entry - 1, entry) == 0 &&
	       is_repeated(text_of(roster, entry), text_of(roster, entry - 1));
}

static void check_repeats(const struct builder *builder, enum key key, const struct roster *roster)
{
	struct problem_list *problems = &builder->loader->problems;
	size_t found = 0;

	for (size_t i = 1; i < roster->count; i++) {
		const struct roster_entry *entry = &roster->sorted[i];
		const struct origin at = item_origin(roster->setting, entry->item);

		if (is_twice(roster, entry) && ++found <= TOLD_MAX)
			problem_warn(problems, &at, "%s: %s is there twice", key_table[key].name,
				     text_of(roster, entry));
	}
	if (found > TOLD_MAX)
		problem_warn(problems, &roster->setting->origin, "%s: %zu more are there twice",
			     key_table[key].name, found - TOLD_MAX);
}

static void make(const struct builder *builder, const struct listed *which, struct roster *roster)
{
	const struct setting *setting = roster->setting;

	roster->peers = new_peers(builder->loader->config);
	if (setting->count == 0) {
		builder_complain(builder, &setting->origin, which->key, which->empty);
		return;
	}
	if (fill(builder, which->key, roster) < 0) {
		forget_entries(roster);
		return;
	}
	qsort(roster->sorted, roster->count, sizeof(*roster->sorted), compare_entries);
	check_repeats(builder, which->key, roster);
}

/* The place of a list that is made, or will be. */
static struct roster *find(const struct builder *builder, size_t which)
{
	const struct setting *setting = builder_find(builder, listed[which].key);
	struct loader *loader = builder->loader;

	if (setting && setting == builder_default(builder, listed[which].key))
		return &loader->shared[which];
	return &loader->own[which];
}

static const struct peers *load(const struct builder *builder, size_t which)
{
	const struct setting *setting = builder_find(builder, listed[which].key);
	struct roster *roster = find(builder, which);

	if (setting == NULL || roster->setting != setting) {
		forget_entries(roster);
		*roster = (struct roster){ .setting = setting };
		if (setting)
			make(builder, &listed[which], roster);
	}
	return roster->peers;
}

/* Ties */

static const struct roster_entry *search(const struct roster *roster,
					 const struct roster_entry *wanted)
{
	return bsearch(wanted, roster->sorted, roster->count, sizeof(*wanted), compare_peers);
}

static void warn_of_tie(const struct builder *builder, const struct roster *only_from,
			const struct roster *no_access, const struct roster_entry *denied)
{
	const struct roster_entry *allowed = search(only_from, denied);
	const struct origin there = item_origin(only_from->setting, allowed->item);
	const struct origin at = item_origin(no_access->setting, denied->item);

	problem_warn(&builder->loader->problems, &at,
		     "no-access: %s is in only-from as well, and the tie denies: %s:%d",
		     text_of(no_access, denied), there.file, there.line);
}

static void check_ties(const struct builder *builder, const struct roster *only_from,
		       const struct roster *no_access)
{
	const bool is_shorter = only_from->count < no_access->count;
	const struct roster *each = is_shorter ? only_from : no_access;
	const struct roster *other = is_shorter ? no_access : only_from;
	size_t found = 0;

	for (size_t i = 0; i < each->count; i++) {
		const struct roster_entry *entry = &each->sorted[i], *same = search(other, entry);

		if (same && ++found <= TOLD_MAX)
			warn_of_tie(builder, only_from, no_access, is_shorter ? same : entry);
	}
	if (found > TOLD_MAX)
		problem_warn(&builder->loader->problems, &no_access->setting->origin,
			     "no-access: %zu more are in only-from as well, and the tie denies",
			     found - TOLD_MAX);
}

void rosters_load(const struct builder *builder)
{
	struct loader *loader = builder->loader;
	struct service_admission *admission = &builder->service->admission;
	const struct roster *only_from = find(builder, 0), *no_access = find(builder, 1);
	const bool is_shared = only_from == &loader->shared[0] && no_access == &loader->shared[1];

	admission->only_from = load(builder, 0);
	admission->no_access = load(builder, 1);
	admission->proxies = load(builder, 2);
	if (is_shared && loader->ties_checked)
		return;
	loader->ties_checked |= is_shared;
	check_ties(builder, only_from, no_access);
}

void rosters_fini(struct roster rosters[static ROSTERS])
{
	for (size_t i = 0; i < ROSTERS; i++)
		forget_entries(&rosters[i]);
}
