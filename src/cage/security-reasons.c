/* SPDX-License-Identifier: ISC */
/*
 * Why a score is what it is, for people.
 *
 * Items of the table in security.c become reasons, sorted by what they cost.  The items of an area
 * in which nothing stands in the way are told as one, and so are the sets of calls that a filter
 * leaves: an administrator closes them by one key.  Where the kernel has not what the key asks for,
 * that is said instead.
 */
#include "config.h"

#include "cage/security-reasons.h"

#include <stdlib.h>

#include "base/mem.h"

#define REASONS                                                                                    \
	4 /* that are shown; a fifth would take no more room than to say that it is there          \
	   */

struct reason {
	unsigned cost;
	char *what;	  /* owned */
	const char *keys; /* NULL: there is none */
};

static struct reason make_reason(const char *what, const char *keys)
{
	return (struct reason){ 0, xstrdup(what), keys };
}

static struct reason explain_root(const struct security *security)
{
	return security->capabilities
		       ? make_reason("runs as root, with capabilities", "user, capabilities")
		       : make_reason("runs as root", "user");
}

static struct reason explain_calls(const struct security *security)
{
	return security->kernel->has_filters
		       ? make_reason("no filter of system calls", "system-calls")
		       : make_reason("no filter of system calls, which this kernel or this build "
				     "does not have",
				     NULL);
}

static struct reason explain_files(const struct security *security)
{
	const bool has_landlock = security->kernel->landlock;
	const char *keys = has_landlock ? "read-only, read-write, execute" : NULL;

	if (security->cage->chroot)
		return make_reason("every file of its chroot is within its reach", keys);
	if (!has_landlock)
		return make_reason("every file is within its reach, as this kernel has no Landlock",
				   "chroot");
	return make_reason("every file is within its reach", keys);
}

static struct reason explain_network(const struct security *security)
{
	return make_reason("the whole network is within its reach",
			   security->kernel->landlock < 4 ? "private-network"
							  : "private-network, or connect, bind");
}

/* What stands for all items of an area that is open. */
static struct reason explain_area(const struct security *security, enum security_area area)
{
	switch (area) {
	case SECURITY_WHO:
		return explain_root(security);
	case SECURITY_CALLS:
		return explain_calls(security);
	case SECURITY_FILES:
		return explain_files(security);
	default:
		return explain_network(security);
	}
}

/* "@mount, @debug": the sets of calls that a filter leaves. */
static struct reason explain_sets(const struct security *security)
{
	char *text = NULL, *longer;

	for (size_t i = 0; i < SECURITY_ITEMS; i++) {
		if (!security->costs[i] || security_items[i].area != SECURITY_CALLS)
			continue;
		longer = text ? xasprintf("%s, %s", text, security_items[i].what)
			      : xasprintf("the filter leaves calls of %s", security_items[i].what);
		free(text);
		text = longer;
	}
	return (struct reason){ 0, text, "system-calls" };
}

/* A reason for one item or, where they are told as one, for its whole area. */
static struct reason explain(const struct security *security, size_t item)
{
	const enum security_area area = security_items[item].area;

	if (security_is_open(security, area))
		return explain_area(security, area);
	if (area == SECURITY_CALLS)
		return explain_sets(security);
	return make_reason(security_items[item].what, security_items[item].keys);
}

static bool is_told_as_one(const struct security *security, size_t item, size_t other)
{
	const enum security_area area = security_items[item].area;

	if (item == other)
		return true;
	return area == security_items[other].area &&
	       (area == SECURITY_CALLS || security_is_open(security, area));
}

/* Each item is told with the first of those that it is told with. */
static size_t find_reasons(const struct security *security, struct reason reasons[SECURITY_ITEMS])
{
	size_t first[SECURITY_ITEMS], count = 0, i;

	for (size_t item = 0; item < SECURITY_ITEMS; item++) {
		if (!security->costs[item])
			continue;
		for (i = 0; i < count && !is_told_as_one(security, first[i], item); i++)
			;
		if (i == count) {
			first[count] = item;
			reasons[count++] = explain(security, item);
		}
		reasons[i].cost += security_items[item].weight;
	}
	return count;
}

/* What costs most is first; otherwise as in the table. */
static void sort_reasons(struct reason *reasons, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		const struct reason each = reasons[i];
		size_t place = i;

		for (; place > 0 && reasons[place - 1].cost < each.cost; place--)
			reasons[place] = reasons[place - 1];
		reasons[place] = each;
	}
}

static char *format_reason(const struct reason *reason)
{
	return xasprintf("%u.%u %s%s%s%s", reason->cost / 10, reason->cost % 10, reason->what,
			 reason->keys ? " (" : "", reason->keys ? reason->keys : "",
			 reason->keys ? ")" : "");
}

static char *format_rest(const struct reason *reasons, size_t count)
{
	unsigned cost = 0;

	for (size_t i = 0; i < count; i++)
		cost += reasons[i].cost;
	return xasprintf("%u.%u in %zu more", cost / 10, cost % 10, count);
}

void reasons_list(const struct security *security, char ***texts, size_t *ntexts)
{
	struct reason reasons[SECURITY_ITEMS];
	const size_t count = find_reasons(security, reasons);
	const size_t shown = count > REASONS + 1 ? REASONS : count;

	sort_reasons(reasons, count);
	for (size_t i = 0; i < shown; i++)
		strv_add(texts, ntexts, format_reason(&reasons[i]));
	if (shown < count)
		strv_add(texts, ntexts, format_rest(reasons + shown, count - shown));
	for (size_t i = 0; i < count; i++)
		free(reasons[i].what);
}
