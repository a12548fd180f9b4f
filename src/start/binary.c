/* SPDX-License-Identifier: ISC */
/*
 * Where our two programs are.
 *
 * A reload runs begatd again, from a process in another directory, perhaps after an upgrade or
 * after the package was removed.  So its path is made absolute while the first one starts, and is
 * taken only if it leads to the program that is running; and both programs are held open.
 */
#include "config.h"

#include "start/binary.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define SELF "/proc/self/exe"

static bool is_self(const char *path)
{
	struct stat there, self;

	return stat(path, &there) == 0 && stat(SELF, &self) == 0 && there.st_dev == self.st_dev &&
	       there.st_ino == self.st_ino;
}

/* As execvp(3) has looked for it. */
static char *search(const char *name)
{
	const char *directory = getenv("PATH");
	size_t length;
	char *path;

	for (; directory; directory = directory[length] ? directory + length + 1 : NULL) {
		length = (size_t)(strchrnul(directory, ':') - directory);
		path = xasprintf("%.*s/%s", length ? (int)length : 1, length ? directory : ".",
				 name);
		if (is_self(path))
			return path;
		free(path);
	}
	return NULL;
}

static char *read_self(void)
{
	char path[PATH_MAX];
	ssize_t length = readlink(SELF, path, sizeof(path));

	return length > 0 ? xstrndup(path, (size_t)length) : NULL;
}

/* The last name may be a link that an upgrade turns; the way to it was valid from where we are. */
static char *make_absolute(const char *path)
{
	char *copy = xstrdup(path), *directory, *absolute = NULL;

	directory = path[0] == '/' ? NULL : realpath(dirname(copy), NULL);
	if (path[0] == '/')
		absolute = xstrdup(path);
	else if (directory)
		absolute = xasprintf("%s/%s", directory, strrchr(path, '/') + 1);
	free(directory);
	free(copy);
	return absolute;
}

char *binary_find_self(const char *argv0)
{
	char *found = strchr(argv0, '/') ? xstrdup(argv0) : search(argv0);
	char *path = found ? make_absolute(found) : NULL;

	free(found);
	if (path && is_self(path))
		return path;
	free(path);
	return read_self();
}

const char *binary_master_path(void)
{
	const char *named = secure_getenv("BEGAT_MASTER");

	return named ? named : LIBEXECDIR "/begat/begat-master";
}

int binary_open(const char *path)
{
	return fd_park(open(path, O_PATH | O_CLOEXEC));
}

int binary_open_self(void)
{
	return binary_open(SELF);
}
