/* SPDX-License-Identifier: ISC */
/*
 * The listeners that a running daemon has, and which of them the next one keeps.
 *
 * A listener is known by its address as configured.  "tcp:HOST:0" can be asked for more than once:
 * then a service gets its own back, and only what is left over goes to whoever asks for the same.
 */
#include "config.h"

#include "listen/held.h"

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/path.h"

static int compare_asked(const void *a, const void *b)
{
	const struct listener *x = a, *y = b;

	return strcmp(x->asked, y->asked);
}

/* Where its file has been removed or replaced, nobody can connect any more.  A FIFO, which has no
 * descriptor here, is made anew by its keeper. */
static bool is_reachable(const struct listener *held)
{
	return held->fd < 0 || held->path == NULL || path_is(held->path, held->device, held->inode);
}

/* Those of one address stand together: the first of them. */
static struct listener *find_first(const struct listener_set *held, const struct listener *wanted)
{
	struct listener *found =
		bsearch(wanted, held->all, held->count, sizeof(*wanted), compare_asked);

	while (found && found > held->all && compare_asked(&found[-1], wanted) == 0)
		found--;
	return found;
}

static bool is_of(const struct listener *held, const char *owner)
{
	return owner == NULL || (held->owner && strcmp(held->owner, owner) == 0);
}

/* One that is not taken; kept says that it is.  owner NULL: anybody's. */
static struct listener *find(const struct listener_set *held, const struct listener *wanted,
			     const char *owner)
{
	struct listener *each = find_first(held, wanted);

	for (; each && each < held->all + held->count && compare_asked(each, wanted) == 0; each++)
		if (!each->kept && is_of(each, owner) && is_reachable(each))
			return each;
	return NULL;
}

static bool is_changed(const struct listener *held, const struct listener *wanted)
{
	return held->backlog != wanted->backlog ||
	       (held->path && (held->uid != wanted->uid || held->gid != wanted->gid ||
			       held->mode != wanted->mode));
}

/* That the kernel may have chosen, from the address as it was bound; it is the last part of it. */
static uint16_t bound_port(const struct listener *held)
{
	const char *colon = strrchr(held->address, ':');
	const char *error;
	long long port;

	if (colon == NULL)
		return 0;
	port = strtonum(colon + 1, 1, UINT16_MAX, &error);
	return error ? 0 : (uint16_t)port;
}

/* Where a worker does not ask any more, the table is left to be closed. */
static void keep_sources(const struct listener *held, struct listener *wanted)
{
	if (!wanted->admits || held->sources_fd < 0 || !is_of(held, wanted->owner))
		return; /* what workers of another service have left there is not to be trusted */
	wanted->sources_fd = held->sources_fd;
	wanted->sources_kept = true;
}

static void keep(struct listener *held, struct listener *wanted)
{
	held->kept = wanted->kept = true;
	wanted->changed = is_changed(held, wanted);
	wanted->fd = held->fd;
	free(wanted->address);
	wanted->address = xstrdup(held->address);
	free(wanted->path);
	wanted->path = held->path ? xstrdup(held->path) : NULL;
	wanted->device = held->device;
	wanted->inode = held->inode;
	wanted->port = wanted->type == SOCK_DGRAM ? bound_port(held) : 0;
	keep_sources(held, wanted);
}

static void keep_some(const struct listener_set *held, struct listener_set *set, bool own)
{
	struct listener *found;

	for (size_t i = 0; i < set->count; i++) {
		if (set->all[i].kept)
			continue;
		found = find(held, &set->all[i], own ? set->all[i].owner : NULL);
		if (found)
			keep(found, &set->all[i]);
	}
}

void held_keep(struct listener_set *held, struct listener_set *set)
{
	if (held->count == 0)
		return;
	qsort(held->all, held->count, sizeof(*held->all), compare_asked);
	keep_some(held, set, true);
	keep_some(held, set, false);
}
