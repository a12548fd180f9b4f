/* SPDX-License-Identifier: ISC */
/*
 * The memory of the sources.
 *
 * The file has its full size at once, and pages come when they are touched: a table that is hardly
 * used costs hardly anything, and one that an attacker fills costs what it was made for.  Nobody
 * can cut it short afterwards, or who has it mapped would die of SIGBUS; so who maps one that was
 * made by somebody else asks for that seal before anything else.  (Where the kernel promises no
 * more memory than it has, vm.overcommit_memory=2, a page that is touched may still be refused.)
 *
 * Called by source.c alone.
 */
#include "config.h"

#include "admit/source-table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memfd.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)

/* A head for each place at least, so that a chain has one source on the average. */
static uint32_t count_heads(size_t capacity)
{
	uint32_t count = 1;

	while (count < capacity)
		count *= 2;
	return count;
}

/* Up to the heads; the spare place included. */
static uint64_t size_of_places(uint32_t capacity)
{
	return sizeof(struct source_header) + ((uint64_t)capacity + 1) * sizeof(struct source);
}

/* Shared, although it is ours alone: the next master finds it by its descriptor. */
static int map(struct source_table *table)
{
	void *memory;

	if (ftruncate(table->fd, (off_t)table->size) < 0 ||
	    fcntl(table->fd, F_ADD_SEALS, SEALS) < 0)
		return -1;
	memory = mmap(NULL, table->size, PROT_READ | PROT_WRITE, MAP_SHARED, table->fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	table->header = memory;
	return madvise(memory, table->size, MADV_DONTFORK);
}

/* getrandom(2) gives so few bytes whole. */
static int write_header(struct source_header *header, uint32_t capacity)
{
	memcpy(header->magic, SOURCE_TABLE_MAGIC, sizeof(header->magic));
	header->layout = SOURCE_TABLE_LAYOUT;
	header->each = sizeof(struct source);
	header->capacity = capacity;
	return getrandom(header->secret, sizeof(header->secret), 0) < 0 ? -1 : 0;
}

int source_table_open(struct source_table *table, size_t capacity)
{
	int error;

	if (capacity == 0 || capacity > INT32_MAX) {
		errno = EINVAL;
		return -1;
	}
	*table = (struct source_table){ .mask = count_heads(capacity) - 1 };
	table->size = size_of_places(capacity) + (table->mask + 1ULL) * sizeof(*table->heads);
	table->fd = memfd_open("begat-sources");
	if (table->fd < 0)
		return -1;
	if (map(table) == 0 && write_header(table->header, capacity) == 0) {
		table->places = (struct source *)(table->header + 1);
		table->heads = (uint32_t *)(table->places + capacity + 1);
		return 0;
	}
	error = errno;
	source_table_close(table);
	errno = error;
	return -1;
}

void source_table_close(struct source_table *table)
{
	if (table->header)
		(void)munmap(table->header, table->size); /* just as it was mapped: cannot fail */
	(void)close(table->fd);				  /* no more than memory */
	*table = (struct source_table){ .fd = -1 };
}

static int check_header(const struct source_header *header, size_t size)
{
	if (memcmp(header->magic, SOURCE_TABLE_MAGIC, sizeof(header->magic)) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (header->layout != SOURCE_TABLE_LAYOUT || header->each != sizeof(struct source)) {
		errno = ESTALE;
		return -1;
	}
	if (header->used > header->capacity || size_of_places(header->capacity) > size) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

int source_table_map(int fd, struct source_view *view)
{
	struct stat info;

	*view = (struct source_view){ 0 };
	if (!memfd_has_seals(fd, F_SEAL_SHRINK) || fstat(fd, &info) < 0 ||
	    info.st_size < (off_t)sizeof(view->header)) {
		errno = EINVAL;
		return -1;
	}
	view->size = (size_t)info.st_size;
	view->memory = mmap(NULL, view->size, PROT_READ, MAP_SHARED, fd, 0);
	if (view->memory == MAP_FAILED) {
		view->memory = NULL;
		return -1;
	}
	view->header = *(const struct source_header *)view->memory;
	view->places = (const struct source *)((const char *)view->memory + sizeof(view->header));
	if (check_header(&view->header, view->size) == 0)
		return 0;
	source_table_unmap(view); /* leaves errno: munmap(2) of what was mapped cannot fail */
	return -1;
}

void source_table_unmap(struct source_view *view)
{
	if (view->memory)
		(void)munmap(view->memory, view->size); /* just as it was mapped: cannot fail */
	*view = (struct source_view){ 0 };
}
