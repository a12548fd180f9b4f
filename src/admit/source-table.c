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

static uint64_t size_of(uint32_t capacity)
{
	return size_of_places(capacity) + count_heads(capacity) * sizeof(uint32_t);
}

/* Nobody can cut it short any more. */
static int size_file(int fd, uint64_t size)
{
	return ftruncate(fd, (off_t)size) < 0 ? -1 : fcntl(fd, F_ADD_SEALS, SEALS);
}

/* Shared, although it is ours alone: the next one finds it by its descriptor. */
static int map(struct source_table *table, uint32_t capacity)
{
	void *memory;

	table->capacity = capacity;
	table->size = size_of(capacity);
	table->mask = count_heads(capacity) - 1;
	memory = mmap(NULL, table->size, PROT_READ | PROT_WRITE, MAP_SHARED, table->fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	table->header = memory;
	table->places = (struct source *)(table->header + 1);
	table->heads = (uint32_t *)(table->places + capacity + 1);
	return 0;
}

/* getrandom(2) gives so few bytes whole. */
static int make_header(struct source_header *header, uint32_t capacity)
{
	*header = (struct source_header){
		.layout = SOURCE_TABLE_LAYOUT,
		.each = sizeof(struct source),
		.capacity = capacity,
	};
	memcpy(header->magic, SOURCE_TABLE_MAGIC, sizeof(header->magic));
	return getrandom(header->secret, sizeof(header->secret), 0) < 0 ? -1 : 0;
}

static int check_capacity(size_t capacity)
{
	if (capacity > 0 && capacity <= INT32_MAX)
		return 0;
	errno = EINVAL;
	return -1;
}

static int open_table(struct source_table *table, uint32_t capacity)
{
	if (size_file(table->fd, size_of(capacity)) < 0 || map(table, capacity) < 0)
		return -1;
	if (madvise(table->header, table->size, MADV_DONTFORK) < 0)
		return -1;
	return make_header(table->header, capacity);
}

int source_table_open(struct source_table *table, size_t capacity)
{
	int error;

	if (check_capacity(capacity) < 0)
		return -1;
	*table = (struct source_table){ .fd = memfd_open("begat-sources") };
	if (table->fd < 0)
		return -1;
	if (open_table(table, (uint32_t)capacity) == 0)
		return 0;
	error = errno;
	source_table_close(table);
	errno = error;
	return -1;
}

int source_table_attach(struct source_table *table, int fd)
{
	struct source_view view;
	uint32_t capacity;

	if (source_table_map(fd, &view) < 0)
		return -1;
	capacity = view.header.capacity;
	errno = view.size >= size_of(capacity) ? 0 : EINVAL;
	source_table_unmap(&view);
	*table = (struct source_table){ .fd = fd };
	return errno || map(table, capacity) < 0 ? -1 : 0;
}

void source_table_detach(struct source_table *table)
{
	(void)munmap(table->header, table->size); /* just as it was mapped: cannot fail */
}

/* Pages that are removed are without a byte that is not zero. */
int source_table_empty(struct source_table *table)
{
	const uint32_t capacity = table->header->capacity;

	if (madvise(table->header, table->size, MADV_REMOVE) < 0)
		return -1;
	return make_header(table->header, capacity);
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
	if (header->capacity == 0 || header->used > header->capacity ||
	    size_of_places(header->capacity) > size) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/* One that was made may have been written to by a worker that has been broken into. */
static bool is_usable(int fd)
{
	struct source_header header;
	struct stat info;

	return memfd_has_seals(fd, F_SEAL_SHRINK) && fstat(fd, &info) == 0 &&
	       pread(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header) &&
	       check_header(&header, (size_t)info.st_size) == 0 &&
	       (uint64_t)info.st_size >= size_of(header.capacity);
}

/* All that is there, if anything is, becomes zero, and it has at least that size. */
static int clear_file(int fd, uint64_t size)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return -1;
	if (info.st_size > 0 &&
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, info.st_size) < 0)
		return -1;
	return (uint64_t)info.st_size >= size ? 0 : ftruncate(fd, (off_t)size);
}

static int write_header(int fd, const struct source_header *header)
{
	return pwrite(fd, header, sizeof(*header), 0) == (ssize_t)sizeof(*header) ? 0 : -1;
}

int source_table_prepare(int fd, size_t capacity)
{
	struct source_header header;

	if (is_usable(fd))
		return 0;
	if (check_capacity(capacity) < 0 || make_header(&header, (uint32_t)capacity) < 0 ||
	    clear_file(fd, size_of((uint32_t)capacity)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		return -1;
	return write_header(fd, &header);
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
