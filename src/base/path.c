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

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
