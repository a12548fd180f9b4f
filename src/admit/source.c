/* SPDX-License-Identifier: ISC */
/*
 * The sources.
 *
 * Each source has a place in one table, and nothing else: it hangs in the chain of its hash, and
 * while it is idle in a list from the one that has been idle for longest to the newest.  A source
 * with workers is in no list, so it cannot be displaced and its place can be remembered.  All links
 * are places plus one, so that they mean the same wherever the table is mapped, and memory that was
 * never touched is without links.
 *
 * The master alone has its table mapped; a standing worker has another one, of its listener.  What
 * a master before us has left is looked at with distrust: any byte of it may be wrong, and then
 * everything of it is dropped, because a limit that begins anew does less harm than one that goes
 * by nonsense.  Called by the master and by admit.c; must never wait, and after sources_init()
 * never allocate.
 */
#include "config.h"

#include "admit/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admit/source-key.h"
#include "admit/source-table.h"
#include "base/memfd.h"
#include "report/log.h"

static struct source_table table = { .fd = -1 };
static struct source_view old; /* until sources_adopted() */

/* -- chains -- */

static uint32_t *head_of(const struct source_key *key)
{
	return &table.heads[source_key_hash(key, table.header->secret) & table.mask];
}

static struct source *at(uint32_t link)
{
	return &table.places[link - 1];
}

static uint32_t link_to(const struct source *source)
{
	return source_place(source) + 1;
}

static void chain_add(struct source *source)
{
	uint32_t *head = head_of(&source->key);

	source->chain = *head;
	*head = link_to(source);
}

static void chain_del(struct source *source)
{
	uint32_t *link = head_of(&source->key);

	while (*link != link_to(source))
		link = &at(*link)->chain;
	*link = source->chain;
}

/* -- the idle ones -- */

static void idle_add(struct source *source)
{
	struct source_header *header = table.header;

	source->older = header->newest;
	source->newer = 0;
	*(header->newest ? &at(header->newest)->newer : &header->oldest) = link_to(source);
	header->newest = link_to(source);
}

static void idle_del(struct source *source)
{
	struct source_header *header = table.header;

	*(source->older ? &at(source->older)->newer : &header->oldest) = source->newer;
	*(source->newer ? &at(source->newer)->older : &header->newest) = source->older;
	source->older = source->newer = 0;
}

/* -- places -- */

/* One more place than capacity, for all who come when each place has a worker.  There are fewer
 * workers than places, so nobody ever does; if it happens they share its buckets and are never
 * found again, which is better than to end a daemon for a wrong number. */
static bool is_spare(const struct source *source)
{
	return source == &table.places[table.header->capacity];
}

/* Its workers are kept, so that each can be given back. */
static struct source *reuse_spare(const struct source_key *key)
{
	struct source *spare = &table.places[table.header->capacity];

	*spare = (struct source){ .key = *key, .active = spare->active };
	return spare;
}

static struct source *displace_oldest(void)
{
	struct source *oldest = at(table.header->oldest);

	idle_del(oldest);
	chain_del(oldest);
	return oldest;
}

static struct source *add_new(const struct source_key *key)
{
	struct source *source;

	if (table.header->used < table.header->capacity)
		source = &table.places[table.header->used++];
	else if (table.header->oldest)
		source = displace_oldest();
	else
		return reuse_spare(key);
	*source = (struct source){ .key = *key };
	chain_add(source);
	idle_add(source);
	return source;
}

/* -- for the master -- */

int sources_fd(void)
{
	return table.fd;
}

uint32_t source_place(const struct source *source)
{
	return (uint32_t)(source - table.places);
}

struct source *source_find(const struct source_key *key)
{
	uint32_t link = *head_of(key), steps = 0;

	while (link && memcmp(&at(link)->key, key, sizeof(*key)) != 0)
		link = steps++ < table.capacity ? at(link)->chain : 0; /* not round in a circle */
	return link ? at(link) : NULL;
}

struct source *source_add(const struct source_key *key)
{
	struct source *source = source_find(key);

	if (source == NULL)
		return add_new(key);
	if (source->active == 0) {
		idle_del(source);
		idle_add(source);
	}
	return source;
}

void source_take(struct source *source)
{
	if (source->active++ == 0 && !is_spare(source))
		idle_del(source);
}

void source_give(struct source *source)
{
	if (--source->active == 0 && !is_spare(source))
		idle_add(source);
}

/* Its refusals are forgotten too, or the next one would ban it again. */
static size_t unban(const struct source_table *in, const struct source_unban *asked)
{
	size_t count = 0;

	for (uint32_t place = 0; place < in->capacity && place < in->header->used; place++) {
		struct source *source = &in->places[place];
		const struct source_key key = source->key; /* a copy, which nobody else changes */

		if (source->banned_until_ns <= asked->now_ns ||
		    (asked->service != 0 && key.service != asked->service) ||
		    !source_key_is_sound(&key) || !source_key_is_within(&key, asked->within))
			continue;
		source->banned_until_ns = source->refused_ns = 0;
		count++;
	}
	return count;
}

size_t sources_unban(const struct source_unban *asked)
{
	return unban(&table, asked);
}

size_t sources_unban_in(int fd, const struct source_unban *asked)
{
	struct source_table other;
	size_t count;

	if (source_table_attach(&other, fd) < 0)
		return 0; /* nobody has been there yet */
	count = unban(&other, asked);
	source_table_detach(&other);
	return count;
}

const struct source *sources_map(int fd, size_t *count, size_t *capacity)
{
	struct source_view view;

	if (source_table_map(fd, &view) < 0)
		return NULL;
	*count = view.header.used;
	*capacity = view.header.capacity;
	return view.places;
}

/* -- for a standing worker -- */

int sources_prepare(int fd, size_t capacity)
{
	return source_table_prepare(fd, capacity);
}

int sources_attach(int fd)
{
	if (source_table_attach(&table, fd) < 0)
		return -1;
	return table.header->busy ? source_table_empty(&table) : 0;
}

void sources_renew(int fd)
{
	const int anew = memfd_open("begat sources");

	if (anew < 0)
		return;			 /* short of something: then as it is */
	(void)dup3(anew, fd, O_CLOEXEC); /* both are open */
	(void)close(anew);
}

int64_t *sources_rate_ns(void)
{
	return &table.header->rate_ns;
}

void sources_begin(void)
{
	__atomic_store_n(&table.header->busy, 1, __ATOMIC_SEQ_CST);
}

void sources_end(void)
{
	__atomic_store_n(&table.header->busy, 0, __ATOMIC_RELEASE);
}

/* -- from the master before us -- */

struct ids {
	uint64_t *all; /* sorted */
	size_t count;
};

static int compare_ids(const void *one, const void *other)
{
	const uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return (a > b) - (a < b);
}

/* 0, or -1 with errno. */
static int ids_init(struct ids *ids, const struct plan *plan)
{
	ids->count = plan->nservices;
	ids->all = calloc(ids->count + 1, sizeof(*ids->all));
	if (ids->all == NULL)
		return -1;
	for (size_t i = 0; i < ids->count; i++)
		ids->all[i] = plan_service(plan, i)->id;
	qsort(ids->all, ids->count, sizeof(*ids->all), compare_ids);
	return 0;
}

static bool ids_has(const struct ids *ids, uint64_t id)
{
	return bsearch(&id, ids->all, ids->count, sizeof(id), compare_ids) != NULL;
}

static void adopt(const struct source *other)
{
	struct source *source = source_add(&other->key);

	source->rate_ns = other->rate_ns;
	source->refused_ns = other->refused_ns;
	source->banned_until_ns = other->banned_until_ns;
}

/* From the oldest on, so that they displace each other in the right order where there is less room
 * now.  How many are in the list; -1: it is damaged. */
static int64_t adopt_idle(const struct ids *ids)
{
	uint32_t link = old.header.oldest;
	int64_t count = 0;

	for (; link != 0; count++) {
		struct source source;

		if (link > old.header.used || count == old.header.used)
			return -1; /* it leads out, or round in a circle */
		source = old.places[link - 1];
		if (!source_key_is_sound(&source.key))
			return -1;
		if (ids_has(ids, source.key.service))
			adopt(&source);
		link = source.newer;
	}
	return count;
}

/* Last, as the newest: they stay whatever there was no room for.  Of services that are gone too,
 * because their workers are still to end. */
static int64_t adopt_active(void)
{
	int64_t count = 0;

	for (uint32_t place = 0; place < old.header.used; place++) {
		const struct source source = old.places[place];

		if (source.active == 0)
			continue;
		if (!source_key_is_sound(&source.key))
			return -1;
		adopt(&source);
		count++;
	}
	return count;
}

/* 0, or -1 with errno: EINVAL when something is damaged. */
static int take_over(const struct plan *plan)
{
	int64_t idle, active;
	struct ids ids;

	if (ids_init(&ids, plan) < 0)
		return -1;
	idle = adopt_idle(&ids);
	active = adopt_active();
	free(ids.all);
	if (idle >= 0 && active >= 0 && idle + active == old.header.used)
		return 0;
	errno = EINVAL;
	return -1;
}

static const char *why_not(int error)
{
	if (error == EINVAL)
		return "it is damaged";
	return error == ESTALE ? "it is of another version" : strerror(error);
}

/* A new table, since the one that there is may have been filled from a damaged one by half. */
static int start_empty(size_t capacity, int error)
{
	log_line(LOG_WARNING,
		 "the table of sources cannot be taken over: %s: their limits and bans begin anew",
		 why_not(error));
	source_table_unmap(&old);
	source_table_close(&table);
	return source_table_open(&table, capacity);
}

int sources_init(size_t capacity, int old_fd, const struct plan *plan)
{
	if (source_table_open(&table, capacity) < 0)
		return -1;
	if (old_fd < 0 || (source_table_map(old_fd, &old) == 0 && take_over(plan) == 0))
		return 0;
	return start_empty(capacity, errno);
}

struct source *source_adopt(uint32_t old_place)
{
	if (old_place >= old.header.used || old.places[old_place].active == 0)
		return NULL;
	return source_find(&old.places[old_place].key);
}

void sources_adopted(void)
{
	source_table_unmap(&old);
}
