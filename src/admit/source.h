/* SPDX-License-Identifier: ISC */
/*
 * The sources: who has come to a service lately, and what each of them has used up.  A source is an
 * address up to source-prefix, or the user of a Unix peer; the same source at two services is two.
 * The table is made once, in one piece, and never grows: a new source takes the place of the one
 * that has been idle for longest.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admit/connection.h"
#include "plan/plan.h"

struct source_key {
	uint64_t service; /* struct plan_service, id */
	uint8_t bits[16]; /* of the address, cut to its prefix; of the user, host byte order */
	uint32_t family;  /* AF_INET, AF_INET6, AF_UNIX */
	uint32_t length;  /* bits that count: sources of two sizes are never the same */
};

struct source {
	struct source_key key;
	int64_t rate_ns;	 /* bucket of rate-per-source: admit/limit.h */
	int64_t refused_ns;	 /* bucket of ban-after */
	int64_t banned_until_ns; /* monotonic; 0 or in the past: it is not banned */
	uint32_t active;	 /* workers; while there is one it keeps its place */
	uint32_t chain;		 /* the next of the same hash: place + 1; 0: none */
	uint32_t older, newer;	 /* among the idle ones, likewise */
};

/* Makes the table for so many, which must be more than there can be workers, and takes over what a
 * master before us has left behind a descriptor (-1: there is none): sources with workers, and
 * those of services that the plan has.  The old table is only read.  0, or -1 with errno.  Nothing
 * else here allocates. */
int sources_init(size_t capacity, int old_fd, const struct plan *plan);

/* The table's memfd, for the next master and for sources_map(). */
int sources_fd(void);

/* A listener's own table, for its standing worker: made by the master, behind an empty memfd,
 * unless it is there; mapped by the worker in the place of the master's, and emptied when a worker
 * before has left it in the middle of something.  0, or -1 with errno. */
int sources_prepare(int fd, size_t capacity);
int sources_attach(int fd);

/* Puts an empty memfd in its place, where what is there may be the work of somebody else. */
void sources_renew(int fd);

/* In the worker, around everything that changes it. */
void sources_begin(void);
void sources_end(void);

/* In the worker, the bucket of the service's rate at this listener, which outlives it. */
int64_t *sources_rate_ns(void);

/* Between sources_init() and sources_adopted(): the source that had this place in the old table,
 * NULL when there is none. */
struct source *source_adopt(uint32_t old_place);
void sources_adopted(void);

/* From 0. */
uint32_t source_place(const struct source *source);

void source_key_init(struct source_key *key, const struct plan_service *service,
		     const struct plan_admission *admission, const struct connection *connection);

/* NULL: it has not been here lately. */
struct source *source_find(const struct source_key *key);

/* Finds it, or makes it with nothing used up, in the place of the one that has been idle for
 * longest; in either case it is the newest now.  Never fails. */
struct source *source_add(const struct source_key *key);

/* One worker more, or less.  What is taken keeps its place. */
void source_take(struct source *source);
void source_give(struct source *source);

/* Lifts the bans of all sources within a prefix (struct source_key without service), at one service
 * (its id) or at all (0).  How many there were.  Walks the whole table. */
struct source_unban {
	const struct source_key *within;
	uint64_t service;
	int64_t now_ns;
};
size_t sources_unban(const struct source_unban *asked);

/* The same in a listener's own table, behind its descriptor, while its worker may be at it: that
 * one can spoil the count, and its own bans. */
size_t sources_unban_in(int fd, const struct source_unban *asked);

/* The places that have ever been used, read-only, for a process that was forked: a snapshot that
 * may be torn.  NULL with errno. */
const struct source *sources_map(int fd, size_t *count, size_t *capacity);

/* "192.0.2.7", "2001:db8::/64", "uid=1000": for people. */
void source_format(const struct source_key *key, char *text, size_t size);
#define SOURCE_TEXT 64

/* The other way, of a prefix of any length, without service: 0, or -1 for what source_format()
 * could not have made. */
int source_parse(const char *text, struct source_key *key);

#endif
