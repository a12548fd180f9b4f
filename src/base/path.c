/* SPDX-License-Identifier: ISC */
/*
 * What a name leads to.
 *
 * A pid file, a lock file or a socket's file is removed by its name, and by then the name may be
 * another process's: a daemon that was started meanwhile, or a client of the directory with bad
 * intentions.  A file is known by its device and inode; a link of that name is another file.
 */
#include "config.h"

#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS 40 /* on the way, as path_resolution(7) has it */

bool path_is(const char *path, dev_t device, ino_t inode)
{
	struct stat there;

	return lstat(path, &there) == 0 && there.st_dev == device && there.st_ino == inode;
}

int path_remove(const char *path, dev_t device, ino_t inode)
{
	return path_is(path, device, inode) ? unlink(path) : 0;
}

bool path_is_fd(const char *path, int fd)
{
	struct stat ours;

	return fstat(fd, &ours) == 0 && path_is(path, ours.st_dev, ours.st_ino);
}

const char *path_inside(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	if (length && directory[length - 1] == '/')
		length--;
	if (strncmp(path, directory, length) != 0 || (path[length] && path[length] != '/'))
		return NULL;
	return path[length] ? path + length : "/";
}

/* What a link says, which is asked of the very link that was looked at. */
static ssize_t read_link(int directory_fd, const char *name, char target[static PATH_MAX])
{
	const int fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;
	ssize_t length = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0) {
		errno = S_ISLNK(status.st_mode) ? ELOOP : ENOTDIR;
		if (S_ISLNK(status.st_mode) && (status.st_uid == 0 || status.st_uid == geteuid()))
			length = readlinkat(fd, "", target, PATH_MAX);
	}
	(void)close(fd); /* O_PATH: nothing to lose */
	return length;
}

/* Puts what the link in front of the path says into its place. */
static int replace_link(int directory_fd, char path[static PATH_MAX], const char *rest)
{
	char target[PATH_MAX], left[PATH_MAX];
	const ssize_t length = read_link(directory_fd, path, target);

	if (length < 0)
		return -1;
	strcpy(left, rest); /* a part of path */
	if (snprintf(path, PATH_MAX, "%.*s/%s", (int)length, target, left) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static int open_root(void)
{
	return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int replace(int *fd, int by)
{
	(void)close(*fd); /* O_PATH: nothing to lose */
	*fd = by;
	return by < 0 ? -1 : 0;
}

/* One name of the path, which is cut off, or replaced where it is a link. */
static int take_step(int *fd, char path[static PATH_MAX], int *links)
{
	char *rest = path + strcspn(path, "/");
	int next;

	if (*rest)
		*rest++ = '\0';
	next = openat(*fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next >= 0) {
		memmove(path, rest, strlen(rest) + 1);
		return replace(fd, next);
	}
	if (errno != ENOTDIR && errno != ELOOP)
		return -1;
	errno = ELOOP;
	if ((*links)++ == LINKS || replace_link(*fd, path, rest) < 0)
		return -1;
	return path[0] == '/' ? replace(fd, open_root()) : 0;
}

int path_open_directory(const char *path, const char **name)
{
	char left[PATH_MAX];
	int fd = open_root(), links = 0, error;
	size_t slashes;

	*name = strrchr(path, '/') + 1;
	snprintf(left, sizeof(left), "%.*s", (int)(*name - path), path);
	while (fd >= 0) {
		slashes = strspn(left, "/");
		memmove(left, left + slashes, strlen(left + slashes) + 1);
		if (*left == '\0')
			return fd;
		if (take_step(&fd, left, &links) == 0)
			continue;
		error = errno;
		if (fd >= 0)
			(void)close(fd); /* O_PATH: nothing to lose */
		errno = error;
		return -1;
	}
	return -1;
}
