/* SPDX-License-Identifier: ISC */
/*
 * What a program needs to get going.
 *
 * A program is only ever looked at, within bounds: whoever wrote it may have wanted to mislead us,
 * and gets no more by it than read and execute for regular files, which Landlock does not give but
 * merely leaves to permissions.  Libraries are mapped, not executed: only the loader needs more
 * than to be read.
 */
#include "config.h"

#include "cage/program.h"

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/raw.h"

#define HEAD	 256 /* bytes of a program that the kernel looks at */
#define SEGMENTS 128 /* program headers that we look through */
#define NESTING	 3   /* script, env, what env finds, and its own interpreter */

/* What a name within root leads to, links within root followed as they are after chroot(2); without
 * an answer the plain name, which will be missing when the ruleset is built. */
static char *locate(const char *root, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char self[32], found[PATH_MAX];
	ssize_t length = -1;
	int root_fd, fd;

	if (!root)
		return xstrdup(path);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = root_fd < 0 ? -1 : (int)RAW(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (fd >= 0) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		length = readlink(self, found, sizeof(found) - 1);
		(void)close(fd); /* nothing was written */
	}
	if (root_fd >= 0)
		(void)close(root_fd); /* as above */
	if (length <= 0 || found[0] != '/')
		return xasprintf("%s%s%s", root, path[0] == '/' ? "" : "/", path);
	return xstrndup(found, (size_t)length);
}

static bool is_regular(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_executable(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0111);
}

static void add_executable(struct rules *rules, const char *path, const char *root, int depth);

/* What env(1) finds. */
static void add_from_path(struct rules *rules, const char *name, const char *root, int depth)
{
	char *places = xstrdup(PATH_STANDARD), *rest = places, *place;
	bool found = false;

	while (!found && (place = strsep(&rest, ":"))) {
		char *path = xasprintf("%s/%s", place, name), *file = locate(root, path);

		found = is_executable(file);
		if (found)
			add_executable(rules, path, root, depth);
		free(file);
		free(path);
	}
	free(places);
}

/* "#!/usr/bin/env -S A=b python3 -u": python3. */
static void add_of_env(struct rules *rules, char *words, const char *root, int depth)
{
	char *word;

	while ((word = strsep(&words, " \t")))
		if (*word && *word != '-' && !strchr(word, '='))
			break;
	if (word && *word == '/')
		add_executable(rules, word, root, depth);
	else if (word && !strchr(word, '/'))
		add_from_path(rules, word, root, depth);
}

/* The interpreter of a script, by its first line. */
static void add_interpreter(struct rules *rules, char *line, const char *root, int depth)
{
	char *rest = line + strspn(line, " \t"), *path, *name;

	path = strsep(&rest, " \t");
	if (*path != '/')
		return;
	add_executable(rules, path, root, depth);
	name = strrchr(path, '/') + 1;
	if (rest && strcmp(name, "env") == 0)
		add_of_env(rules, rest, root, depth);
}

/* The ELF interpreter: ld.so(8). */
static void add_loader(struct rules *rules, int fd, const char *head, const char *root)
{
	char path[PATH_MAX];
	ElfW(Ehdr) header;
	ElfW(Phdr) segment;

	memcpy(&header, head, sizeof(header));
	if (header.e_phentsize != sizeof(segment))
		return;
	for (unsigned i = 0; i < header.e_phnum && i < SEGMENTS; i++) {
		off_t at = (off_t)(header.e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return;
		if (segment.p_type != PT_INTERP)
			continue;
		if (segment.p_filesz < 2 || segment.p_filesz > sizeof(path) ||
		    pread(fd, path, segment.p_filesz, (off_t)segment.p_offset) !=
			    (ssize_t)segment.p_filesz ||
		    path[0] != '/' || path[segment.p_filesz - 1] != '\0')
			return;
		add_executable(rules, path, root, NESTING); /* needs nothing itself */
		return;
	}
}

/* Of this machine's word size; a foreign one finds its loader by the administrator's execute. */
static bool is_elf(const char *head, ssize_t length)
{
	return length >= (ssize_t)sizeof(ElfW(Ehdr)) && memcmp(head, ELFMAG, SELFMAG) == 0 &&
	       head[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32);
}

static void add_needs(struct rules *rules, const char *file, const char *root, int depth)
{
	/* Another kind of file than a regular one could block, or do something, when opened. */
	int fd = is_regular(file) ? open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
	char head[HEAD + 1];
	ssize_t length;

	if (fd < 0)
		return;
	length = pread(fd, head, HEAD, 0);
	head[length > 0 ? length : 0] = '\0';
	if (is_elf(head, length)) {
		add_loader(rules, fd, head, root);
	} else if (strncmp(head, "#!", 2) == 0) {
		head[strcspn(head, "\n")] = '\0';
		add_interpreter(rules, head + 2, root, depth + 1);
	}
	(void)close(fd); /* nothing was written */
}

static void add_executable(struct rules *rules, const char *path, const char *root, int depth)
{
	char *file = locate(root, path);

	/* A program may say "#!/", which would be everything. */
	if (depth == 0 || is_regular(file))
		rules_add_path(rules, file, rights_to_execute, depth > 0);
	if (depth < NESTING)
		add_needs(rules, file, root, depth);
	free(file);
}

static void add_all(struct rules *rules, const char *const *paths, uint64_t rights,
		    const char *root)
{
	for (; *paths; paths++) {
		char *file = locate(root, *paths);

		rules_add_path(rules, file, rights, true);
		free(file);
	}
}

void program_add_rules(struct rules *rules, const char *path, const char *root)
{
	static const char *const read[] = { "/etc/ld.so.cache",
					    "/etc/ld.so.preload",
					    "/lib",
					    "/lib64",
					    "/usr/lib",
					    "/usr/lib64",
					    "/usr/local/lib",
					    "/etc/localtime",
					    "/usr/share/zoneinfo",
					    "/usr/share/locale",
					    "/dev/random",
					    "/dev/urandom",
					    NULL };
	static const char *const written[] = { "/dev/null", "/dev/zero", "/dev/full", NULL };

	add_executable(rules, path, root, 0);
	add_all(rules, read, rights_to_read, root);
	add_all(rules, written, rights_to_write & LANDLOCK_OF_FILES, root); /* no directories */
}
