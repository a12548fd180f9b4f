/* SPDX-License-Identifier: ISC */
/*
 * Where the FIFO of a keeper is to be found.
 *
 * The directory may belong to somebody hostile, who can replace anything at any time.  It is opened
 * once, so that a path cannot be led elsewhere; in it we remove only FIFOs that we know by device
 * and inode or that fifo_is_ours() takes for ours.  A name changes hands by an exchange
 * (renameat2(2)), so that it always leads to a FIFO and nothing is overwritten, and then we see
 * what has really been exchanged.
 *
 * A file system that cannot exchange gets a rename(2): whoever puts a file there between our look
 * and that call loses it.
 */
#include "config.h"

#include "worker/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

static bool is_temporary(const char *each, const char *name)
{
	const size_t length = strlen(name);

	return each[0] == '.' && strncmp(each + 1, name, length) == 0 &&
	       strncmp(each + 1 + length, SPOUT_MARK, strlen(SPOUT_MARK)) == 0 &&
	       strlen(each + 1 + length) == strlen(SPOUT_MARK) + SPOUT_RANDOM;
}

static void remove_left(const struct place *place, const char *each)
{
	struct stat status;

	if (fstatat(place->directory_fd, each, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fifo_is_ours(&status, &place->owner))
		(void)unlinkat(place->directory_fd, each, 0); /* else it stays: it is in no way */
}

static void remove_all_left(const struct place *place)
{
	const struct dirent *entry;
	const int fd = openat(place->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	while (directory && (entry = readdir(directory)))
		if (is_temporary(entry->d_name, place->name))
			remove_left(place, entry->d_name);
	if (directory)
		(void)closedir(directory); /* only read from */
	else if (fd >= 0)
		(void)close(fd); /* likewise */
}

int place_open(struct place *place, const char *path, const struct fifo_owner *owner)
{
	place->owner = *owner;
	place->directory_fd = path_open_directory(path, &place->name);
	if (place->directory_fd < 0)
		return -1;
	remove_all_left(place);
	return 0;
}

int place_look(const struct place *place, struct spout *spout, int *fd)
{
	struct stat status;

	*fd = openat(place->directory_fd, place->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(*fd, &status) < 0)
		return -1;
	spout->device = status.st_dev;
	spout->inode = status.st_ino;
	errno = EEXIST;
	return fifo_is_ours(&status, &place->owner) ? 0 : -1;
}

int place_make(struct place *place, struct spout *spout, struct lookout *lookout)
{
	return spout_make(spout, place->directory_fd, place->name, &place->owner, lookout,
			  place->temporary);
}

static int exchange(const struct place *place)
{
	return renameat2(place->directory_fd, place->temporary, place->directory_fd, place->name,
			 RENAME_EXCHANGE);
}

/* These must have been our two; else everything goes back to where it was. */
static int check_exchange(const struct place *place, const struct spout *spout,
			  const struct spout *old)
{
	if (spout_is_at(old, place->directory_fd, place->temporary) == 1 &&
	    spout_is_at(spout, place->directory_fd, place->name) == 1) {
		spout_remove(old, place->directory_fd, place->temporary);
		return 0;
	}
	(void)exchange(place); /* if that fails, there is nothing more that we may do */
	errno = EEXIST;
	return -1;
}

static bool is_unsupported(int error)
{
	return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

static int put_over(const struct place *place, const struct spout *spout, const struct spout *old)
{
	if (exchange(place) == 0)
		return check_exchange(place, spout, old);
	if (!is_unsupported(errno))
		return -1;
	if (spout_is_at(old, place->directory_fd, place->name) == 1)
		return renameat(place->directory_fd, place->temporary, place->directory_fd,
				place->name);
	errno = EEXIST;
	return -1;
}

static int put_in(const struct place *place)
{
	if (renameat2(place->directory_fd, place->temporary, place->directory_fd, place->name,
		      RENAME_NOREPLACE) == 0)
		return 0;
	if (!is_unsupported(errno))
		return -1;
	if (linkat(place->directory_fd, place->temporary, place->directory_fd, place->name, 0) < 0)
		return -1;
	return unlinkat(place->directory_fd, place->temporary, 0);
}

int place_put(const struct place *place, const struct spout *spout, const struct spout *old)
{
	if (old && put_over(place, spout, old) == 0)
		return 0;
	if (old && errno != ENOENT)
		return -1;
	if (put_in(place) < 0)
		return -1;
	if (spout_is_at(spout, place->directory_fd, place->name) == 1)
		return 0;
	errno = EEXIST; /* what had the temporary name was not ours */
	return -1;
}

void place_remove_temporary(const struct place *place, const struct spout *spout)
{
	spout_remove(spout, place->directory_fd, place->temporary);
}
