/* SPDX-License-Identifier: ISC */
/*
 * From prefixes that lie within each other to ranges that lie side by side: begatd does once what
 * the master would otherwise do for each connection.
 *
 * Two prefixes either lie one within the other, or apart.  Sorted by where they begin, the wider
 * one first, they are walked through once, as one walks through nested brackets: where a prefix
 * begins its verdict begins to hold, and where it ends that of the one around it holds again.
 *
 * Both families are one here: an IPv4 address stands in the upper 32 of 128 bits.
 */
#include "config.h"

#include "plan/ranges.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct lists {
	const struct peers *only_from, *no_access;
};

static size_t count_peers(const struct lists *lists)
{
	return (lists->only_from ? lists->only_from->count : 0) +
	       (lists->no_access ? lists->no_access->count : 0);
}

/* Prefixes */

struct point {
	uint64_t high, low;
};

struct prefix {
	struct point first, last;
	bool allowed;
	const struct prefix *around; /* the narrowest that this one lies in */
};

static int compare_points(const struct point *a, const struct point *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return (a->low > b->low) - (a->low < b->low);
}

/* Of the same prefix, the one that denies comes last and so has the last word. */
static int compare_prefixes(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int order = compare_points(&a->first, &b->first);

	if (order == 0)
		order = compare_points(&b->last, &a->last);
	return order ? order : b->allowed - a->allowed;
}

static struct point point_of(const struct peer *peer)
{
	uint64_t halves[2] = { 0, 0 };

	memcpy(halves, peer->address, peer->kind == PEER_INET ? 4 : 16);
	return (struct point){ be64toh(halves[0]), be64toh(halves[1]) };
}

/* So many bits of 64, from the left, are the network's; the others are set in what is returned. */
static uint64_t host_bits(int length)
{
	if (length <= 0)
		return UINT64_MAX;
	return length < 64 ? UINT64_MAX >> length : 0;
}

static struct prefix prefix_of(const struct peer *peer, bool allowed)
{
	const struct point first = point_of(peer);

	return (struct prefix){
		.first = first,
		.last = { first.high | host_bits(peer->length),
			  first.low | host_bits(peer->length - 64) },
		.allowed = allowed,
	};
}

static size_t add_prefixes(struct prefix *all, const struct peers *peers, enum peer_kind kind,
			   bool allowed)
{
	size_t count = 0;

	for (size_t i = 0; peers && i < peers->count; i++)
		if (peers->all[i].kind == kind)
			all[count++] = prefix_of(&peers->all[i], allowed);
	return count;
}

static struct prefix *sort_prefixes(const struct lists *lists, enum peer_kind kind, size_t *count)
{
	struct prefix *all = xcalloc(count_peers(lists), sizeof(*all));

	*count = add_prefixes(all, lists->only_from, kind, true);
	*count += add_prefixes(all + *count, lists->no_access, kind, false);
	qsort(all, *count, sizeof(*all), compare_prefixes);
	return all;
}

/* The walk */

struct walk {
	const struct prefix *in; /* the narrowest one that we are in */
	struct plan_span6 *spans;
	size_t count;
};

/* What is said later about the same point replaces what was said before. */
static void set_from(struct walk *walk, const struct point *first, bool allowed)
{
	const struct plan_span6 *last = walk->count ? &walk->spans[walk->count - 1] : NULL;

	if (last && last->high == first->high && last->low == first->low)
		walk->count--;
	if (walk->count && walk->spans[walk->count - 1].allowed == allowed)
		return;
	walk->spans[walk->count++] = (struct plan_span6){ first->high, first->low, allowed };
}

/* The last point of all has no next one: nothing ends before its end. */
static bool ends_before(const struct prefix *prefix, const struct point *point)
{
	return compare_points(&prefix->last, point) < 0;
}

static void leave(struct walk *walk)
{
	const struct point *last = &walk->in->last;
	const struct point next = { last->high + (last->low == UINT64_MAX), last->low + 1 };

	walk->in = walk->in->around;
	set_from(walk, &next, walk->in->allowed);
}

static void enter(struct walk *walk, struct prefix *prefix)
{
	prefix->around = walk->in;
	walk->in = prefix;
	set_from(walk, &prefix->first, prefix->allowed);
}

/* The spans, which the caller frees: at most two for each prefix, and the first. */
static struct plan_span6 *find_spans(const struct lists *lists, enum peer_kind kind, size_t *count)
{
	struct prefix everything = { .last = { UINT64_MAX, UINT64_MAX },
				     .allowed = lists->only_from == NULL };
	struct walk walk = { .in = NULL };
	size_t nprefixes;
	struct prefix *all = sort_prefixes(lists, kind, &nprefixes);

	walk.spans = xcalloc(1 + 2 * nprefixes, sizeof(*walk.spans));
	enter(&walk, &everything);
	for (size_t i = 0; i < nprefixes; i++) {
		while (ends_before(walk.in, &all[i].first))
			leave(&walk);
		enter(&walk, &all[i]);
	}
	while (ends_before(walk.in, &everything.last))
		leave(&walk);
	free(all);
	*count = walk.count;
	return walk.spans;
}

static struct plan_span4 *find_spans4(const struct lists *lists, size_t *count)
{
	struct plan_span6 *wide = find_spans(lists, PEER_INET, count);
	struct plan_span4 *spans = xcalloc(*count, sizeof(*spans));

	for (size_t i = 0; i < *count; i++)
		spans[i] = (struct plan_span4){ (uint32_t)(wide[i].high >> 32),
						(uint32_t)wide[i].allowed };
	free(wide);
	return spans;
}

/* Users and groups */

/* Of the same, the one that is denied comes first. */
static int compare_ids(const void *left, const void *right)
{
	const struct plan_id *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return (int)a->allowed - (int)b->allowed;
}

static size_t add_ids(struct plan_id *all, const struct peers *peers, enum peer_kind kind,
		      bool allowed)
{
	size_t count = 0;

	for (size_t i = 0; peers && i < peers->count; i++)
		if (peers->all[i].kind == kind)
			all[count++] = (struct plan_id){ peers->all[i].id, allowed };
	return count;
}

static struct plan_id *find_ids(const struct lists *lists, enum peer_kind kind, size_t *count)
{
	struct plan_id *all = xcalloc(count_peers(lists), sizeof(*all));
	size_t found = add_ids(all, lists->only_from, kind, true);

	found += add_ids(all + found, lists->no_access, kind, false);
	qsort(all, found, sizeof(*all), compare_ids);
	*count = 0;
	for (size_t i = 0; i < found; i++)
		if (*count == 0 || all[i].id != all[*count - 1].id)
			all[(*count)++] = all[i];
	return all;
}

void ranges_init(struct ranges *ranges, const struct peers *only_from,
		 const struct peers *no_access)
{
	const struct lists lists = { only_from, no_access };

	ranges->spans4 = find_spans4(&lists, &ranges->nspans4);
	ranges->spans6 = find_spans(&lists, PEER_INET6, &ranges->nspans6);
	ranges->users = find_ids(&lists, PEER_USER, &ranges->nusers);
	ranges->groups = find_ids(&lists, PEER_GROUP, &ranges->ngroups);
	ranges->others_allowed = only_from == NULL;
}

void ranges_fini(struct ranges *ranges)
{
	free(ranges->spans4);
	free(ranges->spans6);
	free(ranges->users);
	free(ranges->groups);
}
