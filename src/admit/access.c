/* SPDX-License-Identifier: ISC */
/*
 * Whether a peer may come in, by the lists that plan/ranges.c has laid out and by the time.
 *
 * Asked for each connection before there is a worker for it, so it only looks up numbers in sorted
 * arrays: nothing is allocated, no name is resolved, no file is read.  That an array is sorted, and
 * that spans begin with the first address, is what plan/sound.c makes sure of.
 */
#include "config.h"

#include "admit/access.h"

#include <endian.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#define WEEK_DAYS      7
#define DAY_MINUTES    1440
#define HOUR_MINUTES   60
#define MINUTE_SECONDS 60

/* The last element that does not begin beyond the key; NULL when even the first one does. */
static const void *find_last(const void *array, size_t count, size_t each,
			     bool (*is_beyond)(const void *element, const void *key),
			     const void *key)
{
	const char *base = array;
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (is_beyond(base + middle * each, key))
			high = middle;
		else
			low = middle + 1;
	}
	return low ? base + (low - 1) * each : NULL;
}

/* Addresses: the first span begins at the first address, so there is always one. */

static bool is_span4_beyond(const void *element, const void *key)
{
	return ((const struct plan_span4 *)element)->first > *(const uint32_t *)key;
}

static bool is_allowed4(const struct plan *plan, const struct plan_access *access,
			const struct sockaddr_in *peer)
{
	const uint32_t address = ntohl(peer->sin_addr.s_addr);
	const struct plan_span4 *span = find_last(plan_at(plan, access->spans4), access->nspans4,
						  sizeof(*span), is_span4_beyond, &address);

	return span->allowed;
}

static bool is_span6_beyond(const void *element, const void *key)
{
	const struct plan_span6 *span = element;
	const uint64_t *halves = key;

	return span->high != halves[0] ? span->high > halves[0] : span->low > halves[1];
}

static bool is_allowed6(const struct plan *plan, const struct plan_access *access,
			const struct sockaddr_in6 *peer)
{
	const struct plan_span6 *span;
	uint64_t halves[2];

	memcpy(halves, &peer->sin6_addr, sizeof(halves));
	halves[0] = be64toh(halves[0]);
	halves[1] = be64toh(halves[1]);
	span = find_last(plan_at(plan, access->spans6), access->nspans6, sizeof(*span),
			 is_span6_beyond, halves);
	return span->allowed;
}

/* Users and groups */

static bool is_id_beyond(const void *element, const void *key)
{
	return ((const struct plan_id *)element)->id > *(const uint32_t *)key;
}

/* NULL: it is not listed. */
static const struct plan_id *find_id(const struct plan_id *ids, uint32_t count, uint32_t id)
{
	const struct plan_id *found = find_last(ids, count, sizeof(*ids), is_id_beyond, &id);

	return found && found->id == id ? found : NULL;
}

static bool has_denied(const struct plan_id *ids, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!ids[i].allowed)
			return true;
	return false;
}

static bool are_groups_allowed(const struct plan *plan, const struct plan_access *access,
			       const struct connection *connection)
{
	const struct plan_id *groups = plan_at(plan, access->groups), *found;
	bool allowed = access->others_allowed, are_all;
	const gid_t *of_peer;
	const size_t count = connection_groups(connection, &of_peer, &are_all);

	if (!are_all && has_denied(groups, access->ngroups))
		return false;
	for (size_t i = 0; i < count; i++) {
		found = find_id(groups, access->ngroups, of_peer[i]);
		if (found && !found->allowed)
			return false;
		if (found)
			allowed = true;
	}
	return allowed;
}

/* A peer from a pid namespace that is not ours to see has no pid, but its user is true. */
static bool is_allowed_unix(const struct plan *plan, const struct plan_access *access,
			    const struct connection *connection)
{
	const struct ucred *peer = &connection->credentials;
	const struct plan_id *user;

	if (peer->uid == (uid_t)-1)
		return access->others_allowed;
	user = find_id(plan_at(plan, access->users), access->nusers, peer->uid);
	if (user)
		return user->allowed;
	return access->ngroups ? are_groups_allowed(plan, access, connection)
			       : access->others_allowed;
}

bool access_is_allowed(const struct plan *plan, const struct plan_access *access,
		       const struct connection *connection)
{
	const void *peer = &connection->peer;

	switch (connection->peer.ss_family) {
	case AF_INET:
		return is_allowed4(plan, access, peer);
	case AF_INET6:
		return is_allowed6(plan, access, peer);
	case AF_UNIX:
		return is_allowed_unix(plan, access, connection);
	default:
		return false;
	}
}

/* Times */

/* From Monday 0:00 on; -1 when there is no telling.  What was found for a minute is kept for all of
 * it, from its first second by the local clock, which not every zone shares with ours. */
static int minute_of_week(time_t now)
{
	static time_t first;
	static int minute = -1;
	struct tm local;

	if (minute >= 0 && now >= first && now - first < MINUTE_SECONDS)
		return minute;
	if (localtime_r(&now, &local) == NULL)
		return -1;
	first = now - local.tm_sec;
	minute = (local.tm_wday + WEEK_DAYS - 1) % WEEK_DAYS * DAY_MINUTES +
		 local.tm_hour * HOUR_MINUTES + local.tm_min;
	return minute;
}

static bool is_time_beyond(const void *element, const void *key)
{
	return ((const struct plan_time *)element)->from > *(const int *)key;
}

bool access_is_time(const struct plan *plan, const struct plan_admission *admission, time_t now)
{
	const int minute = minute_of_week(now);
	const struct plan_time *times = plan_at(plan, admission->times);
	const struct plan_time *last =
		find_last(times, admission->ntimes, sizeof(*times), is_time_beyond, &minute);

	return last && minute < last->to;
}
