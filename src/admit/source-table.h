/* SPDX-License-Identifier: ISC */
/*
 * The memory of the sources: a sealed memfd with a header, the sources by place, and the heads of
 * the hash chains.  What the next master, perhaps of another version, reads of it are the header
 * and the sources.
 */
#ifndef SOURCE_TABLE_H
#define SOURCE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "admit/source.h"

struct source_header {
	char magic[8];
	uint32_t layout;	 /* SOURCE_TABLE_LAYOUT */
	uint32_t each;		 /* bytes of a source */
	uint32_t capacity;	 /* places */
	uint32_t used;		 /* that have ever been used: from the first on */
	uint32_t oldest, newest; /* of the idle ones: place + 1; 0: none */
	uint64_t secret[2];	 /* of the hash: source_key_hash() */
	int64_t rate_ns;	 /* bucket of a service, admit/limit.h: of a listener's own table */
	uint32_t busy;		 /* somebody is about to change it, or has died of that */
	uint32_t padding;
};
#define SOURCE_TABLE_MAGIC  "sources"
#define SOURCE_TABLE_LAYOUT 2

struct source_table {
	struct source_header *header;
	struct source *places; /* capacity of them, and the spare one */
	uint32_t *heads;       /* place + 1 of the first in each chain; 0: none */
	uint32_t capacity;     /* as it was when it was mapped */
	uint32_t mask;	       /* as many, a power of two, less 1 */
	size_t size;
	int fd;
};

/* What somebody else has written, to be read only. */
struct source_view {
	struct source_header header; /* a copy, and sound: its places are all there */
	const struct source *places; /* of which each byte may be anything */
	void *memory;		     /* NULL: there is none */
	size_t size;
};

/* An empty one, which children that are forked do not have.  0, or -1 with errno. */
int source_table_open(struct source_table *table, size_t capacity);
void source_table_close(struct source_table *table);

/* Makes an empty one behind a descriptor, unless there is one already, without mapping it. */
int source_table_prepare(int fd, size_t capacity);

/* Maps one for writing that was prepared.  0, or -1 with errno, as source_table_map(). */
int source_table_attach(struct source_table *table, int fd);
void source_table_detach(struct source_table *table);

/* Empties one. */
int source_table_empty(struct source_table *table);

/* 0, or -1 with errno: EINVAL when it is no table or a damaged one, ESTALE when it has another
 * layout. */
int source_table_map(int fd, struct source_view *view);
void source_table_unmap(struct source_view *view);

#endif
