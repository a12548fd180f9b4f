/* SPDX-License-Identifier: ISC */
/* The files of a configuration: reading one, and the queue of those that are included. */
#ifndef CONFILE_H
#define CONFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/problem.h"

#define CONFILE_MAX   (8 * 1024 * 1024) /* bytes of one file */
#define CONFILE_COUNT 256		/* files of one configuration */

struct confile {
	char *name;	    /* as messages show it */
	struct origin from; /* the include; file NULL: the main file */
	size_t parent;	    /* index of the file with the include */
	bool known;	    /* device and inode are known: the file is there */
	dev_t device;
	ino_t inode;
};

struct confile_queue {
	struct confile files[CONFILE_COUNT];
	size_t count;
};

/* The first file; then what an include of files[parent] names, in sorted order and each file once.
 * A name without wildcard must exist; includes that go round in a circle are an error. */
void confile_add_main(struct confile_queue *queue, const char *name);
void confile_add(struct confile_queue *queue, size_t parent, const struct origin *at,
		 const char *pattern, struct problem_list *problems);

/* The whole text, which the caller frees, NUL-terminated; or NULL, and the reason is in problems.
 * Only a regular file that nobody but root and the running user can write is read. */
char *confile_read(const struct confile *file, size_t *length, struct problem_list *problems);

/* Frees the queue but not the names, which go to the configuration. */
void confile_take_names(struct confile_queue *queue, char ***names, size_t *count);

#endif
