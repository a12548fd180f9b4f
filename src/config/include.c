/* SPDX-License-Identifier: ISC */
/*
 * The queue of files that a configuration includes.
 *
 * An include only queues: the files are read one after the other when the file that names them is
 * done, so nothing nests, and every file is read once however often it is named.  Names are
 * relative to the file that includes them.  A pattern skips what editors and package managers leave
 * behind.
 */
#include "config.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "config/confile.h"

#define WILDCARDS "*?["

static const char *const leftovers[] = { "*~",	     "*.bak",	 "*.swp",    "*.ucf-*",
					 "*.dpkg-*", "*.rpmnew", "*.rpmsave" };

struct adding {
	struct confile_queue *queue;
	size_t parent;
	const struct origin *at;
	struct problem_list *problems;
	bool pattern; /* not a single name */
};

static bool is_leftover(const char *name)
{
	for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++)
		if (fnmatch(leftovers[i], name, 0) == 0)
			return true;
	return false;
}

static void identify(struct confile *file)
{
	struct stat status;

	if (stat(file->name, &status) < 0)
		return; /* confile_read() will say why */
	file->known = true;
	file->device = status.st_dev;
	file->inode = status.st_ino;
}

void confile_add_main(struct confile_queue *queue, const char *name)
{
	struct confile *file = &queue->files[0];

	*file = (struct confile){ .name = xstrdup(name) };
	identify(file);
	queue->count = 1;
}

static bool is_same(const struct confile *a, const struct confile *b)
{
	return a->known && b->known && a->device == b->device && a->inode == b->inode;
}

/* Whether the file is one of those that lead to this include. */
static bool is_ancestor(const struct adding *adding, const struct confile *file)
{
	const struct confile *each = &adding->queue->files[adding->parent];

	for (;;) {
		if (is_same(each, file))
			return true;
		if (each->from.file == NULL)
			return false;
		each = &adding->queue->files[each->parent];
	}
}

static bool is_queued(const struct confile_queue *queue, const struct confile *file)
{
	for (size_t i = 0; i < queue->count; i++)
		if (is_same(&queue->files[i], file))
			return true;
	return false;
}

/* Takes the name over. */
static void add_file(const struct adding *adding, char *name)
{
	struct confile_queue *queue = adding->queue;
	struct confile file = { .name = name, .from = *adding->at, .parent = adding->parent };

	identify(&file);
	if (!file.known) {
		problem_add(adding->problems, adding->at, "include: %s: %s", name, strerror(errno));
	} else if (is_queued(queue, &file)) {
		if (!adding->pattern && is_ancestor(adding, &file))
			problem_add(adding->problems, adding->at,
				    "include: %s leads to this file: an include loop", name);
	} else if (queue->count == CONFILE_COUNT) {
		problem_add(adding->problems, adding->at, "include: more than %d files",
			    CONFILE_COUNT);
	} else {
		queue->files[queue->count++] = file;
		return;
	}
	free(name);
}

static bool is_directory(const char *name)
{
	struct stat status;

	return stat(name, &status) == 0 && S_ISDIR(status.st_mode);
}

static void add_matches(const struct adding *adding, const glob_t *found)
{
	for (size_t i = 0; i < found->gl_pathc; i++) {
		const char *name = found->gl_pathv[i];
		const char *slash = strrchr(name, '/');

		if (!is_leftover(slash ? slash + 1 : name) && !is_directory(name))
			add_file(adding, xstrdup(name));
	}
}

/* A directory that is not there has no files to include. */
static int judge_error(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static void add_pattern(const struct adding *adding, const char *pattern)
{
	glob_t found;
	int result = glob(pattern, 0, judge_error, &found);

	if (result == 0)
		add_matches(adding, &found);
	else if (result != GLOB_NOMATCH)
		problem_add(adding->problems, adding->at, "include: %s: cannot be searched",
			    pattern);
	globfree(&found);
}

/* The directory of the file, ready to be put before a name; with escape, before a pattern. */
static char *directory_of(const char *file, bool escape)
{
	const char *slash = strrchr(file, '/');
	size_t length = slash ? (size_t)(slash - file) + 1 : 0, out = 0;
	char *directory = xcalloc(2 * length + 1, 1);

	for (size_t in = 0; in < length; in++) {
		if (escape && strchr(WILDCARDS "\\", file[in]))
			directory[out++] = '\\';
		directory[out++] = file[in];
	}
	return directory;
}

void confile_add(struct confile_queue *queue, size_t parent, const struct origin *at,
		 const char *pattern, struct problem_list *problems)
{
	struct adding adding = { .queue = queue,
				 .parent = parent,
				 .at = at,
				 .problems = problems,
				 .pattern = strpbrk(pattern, WILDCARDS) != NULL };
	char *directory = pattern[0] == '/'
				  ? xstrdup("")
				  : directory_of(queue->files[parent].name, adding.pattern);
	char *name = xasprintf("%s%s", directory, pattern);

	if (adding.pattern) {
		add_pattern(&adding, name);
		free(name);
	} else {
		add_file(&adding, name);
	}
	free(directory);
}

void confile_take_names(struct confile_queue *queue, char ***names, size_t *count)
{
	for (size_t i = 0; i < queue->count; i++)
		strv_add(names, count, queue->files[i].name);
	queue->count = 0;
}
