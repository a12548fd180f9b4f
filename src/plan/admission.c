/* SPDX-License-Identifier: ISC */
/*
 * Who may come in, and how often: from the configuration to the plan.
 *
 * Most services take their lists from "defaults", and lists may be long.  Each pair of them is made
 * into ranges once, and known by its place in memory, since the configuration has each list once.
 * All else is known by its bytes, up to the whole struct plan_admission, so the gaps of what is put
 * here must be zero.  A look-up takes log n steps, and what it finds stays where it is: offset 0 is
 * that of the plan's header, and so means that it has not been put yet.
 */
#include "config.h"

#include "plan/admission.h"

#include <err.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/schedule.h"
#include "plan/plan.h"
#include "plan/ranges.h"

/* What is shared */

struct shared {
	const void *key;
	size_t size;
	uint32_t offset; /* 0: not put yet */
};

static int compare_shared(const void *left, const void *right)
{
	const struct shared *a = left, *b = right;

	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return memcmp(a->key, b->key, a->size);
}

static struct shared *new_shared(const void *key, size_t size)
{
	struct shared *shared = xcalloc(1, sizeof(*shared) + size);

	shared->key = memcpy(shared + 1, key, size);
	shared->size = size;
	return shared;
}

static struct shared *find_shared(void **tree, const void *key, size_t size)
{
	struct shared *made = new_shared(key, size);
	struct shared **found = tsearch(made, tree, compare_shared);

	if (found == NULL)
		err(1, "memory");
	if (*found != made)
		free(made);
	return *found;
}

static uint32_t put_once(struct admissions *admissions, struct buffer *buffer, const void *bytes,
			 size_t size)
{
	struct shared *shared = find_shared(&admissions->pieces, bytes, size);

	if (shared->offset == 0)
		shared->offset = buffer_put(buffer, bytes, size);
	return shared->offset;
}

/* What is put */

static uint32_t put_access(struct buffer *buffer, const struct ranges *ranges)
{
	struct plan_access access;

	memset(&access, 0, sizeof(access)); /* the gaps too */
	access.nspans4 = (uint32_t)ranges->nspans4;
	access.nspans6 = (uint32_t)ranges->nspans6;
	access.nusers = (uint32_t)ranges->nusers;
	access.ngroups = (uint32_t)ranges->ngroups;
	access.spans4 =
		buffer_put(buffer, ranges->spans4, ranges->nspans4 * sizeof(*ranges->spans4));
	access.spans6 =
		buffer_put(buffer, ranges->spans6, ranges->nspans6 * sizeof(*ranges->spans6));
	access.users = buffer_put(buffer, ranges->users, ranges->nusers * sizeof(*ranges->users));
	access.groups =
		buffer_put(buffer, ranges->groups, ranges->ngroups * sizeof(*ranges->groups));
	access.others_allowed = ranges->others_allowed;
	return buffer_put(buffer, &access, sizeof(access));
}

static uint32_t put_lists(struct admissions *admissions, struct buffer *buffer,
			  const struct peers *only_from, const struct peers *no_access)
{
	const struct peers *const pair[] = { only_from, no_access };
	struct shared *shared;
	struct ranges ranges;

	if (only_from == NULL && no_access == NULL)
		return 0;
	shared = find_shared(&admissions->accesses, pair, sizeof(pair));
	if (shared->offset == 0) {
		ranges_init(&ranges, only_from, no_access);
		shared->offset = put_access(buffer, &ranges);
		ranges_fini(&ranges);
	}
	return shared->offset;
}

static uint32_t put_times(struct admissions *admissions, struct buffer *buffer,
			  const struct schedule *schedule)
{
	struct plan_time *times = xcalloc(schedule->count, sizeof(*times));
	uint32_t at;

	for (size_t i = 0; i < schedule->count; i++)
		times[i] = (struct plan_time){ schedule->spans[i].from, schedule->spans[i].to };
	at = put_once(admissions, buffer, times, schedule->count * sizeof(*times));
	free(times);
	return at;
}

/* Faster than a token in each nanosecond it cannot be. */
struct plan_rate admission_rate(const struct service_rate *rate)
{
	int64_t step_ns = 0;

	if (rate->count) {
		step_ns = rate->period_ms * NS_IN_MS / rate->count;
		step_ns = step_ns ? step_ns : 1;
	}
	return (struct plan_rate){ .step_ns = step_ns, .window_ns = step_ns * rate->count };
}

/* What makes a source, and when it would be banned, means nothing by itself. */
static bool says_nothing(const struct service_admission *admission)
{
	return !admission->only_from && !admission->no_access && !admission->proxies &&
	       !admission->times && !admission->banner_fail && admission->per_source == 0 &&
	       admission->rate.count == 0 && admission->source_rate.count == 0 &&
	       admission->ban_ms == 0 && !admission->refuse_when_full;
}

static void set_numbers(const struct service_admission *admission, struct plan_admission *planned)
{
	planned->per_source = admission->per_source;
	planned->prefix4 = admission->prefix4;
	planned->prefix6 = admission->prefix6;
	planned->rate = admission_rate(&admission->rate);
	planned->source_rate = admission_rate(&admission->source_rate);
	planned->ban_after = admission_rate(&admission->ban_after);
	planned->ban_ms = admission->ban_ms;
	planned->refuse_when_full = admission->refuse_when_full;
}

uint32_t admission_put(struct admissions *admissions, struct buffer *buffer,
		       const struct service_admission *admission)
{
	struct plan_admission planned;

	if (says_nothing(admission))
		return 0;
	memset(&planned, 0, sizeof(planned)); /* the gaps too */
	set_numbers(admission, &planned);
	planned.access = put_lists(admissions, buffer, admission->only_from, admission->no_access);
	planned.proxies = put_lists(admissions, buffer, admission->proxies, NULL);
	if (admission->times) {
		planned.times = put_times(admissions, buffer, admission->times);
		planned.ntimes = (uint32_t)admission->times->count;
	}
	if (admission->banner_fail)
		planned.banner_fail = put_once(admissions, buffer, admission->banner_fail,
					       strlen(admission->banner_fail) + 1);
	return put_once(admissions, buffer, &planned, sizeof(planned));
}

void admissions_fini(struct admissions *admissions)
{
	tdestroy(admissions->accesses, free);
	tdestroy(admissions->pieces, free);
}
