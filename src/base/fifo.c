/* SPDX-License-Identifier: ISC */
/*
 * A named pipe in the file system.
 *
 * Its directory may belong to somebody who replaces whatever is there at the worst moment, so a
 * name is only ever looked at once: what it led to is held by an O_PATH descriptor, which opens
 * nothing, and is asked, given its owner, and opened by way of that.  A FIFO with a second name may
 * be somebody else's that was linked there, and stays as it is.
 */
#include "config.h"

#include "base/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"

#define TRIES 16 /* with somebody who makes and removes it all the time */

bool fifo_is_ours(const struct stat *status, const struct fifo_owner *owner)
{
	return S_ISFIFO(status->st_mode) && status->st_nlink == 1 &&
	       (status->st_uid == geteuid() || status->st_uid == owner->uid);
}

int fifo_reopen(int fd, int flags)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return open(self, flags | O_CLOEXEC | O_NOCTTY);
}

/* Nobody can open it before it has its owner. */
static int create(int directory_fd, const char *name)
{
	const mode_t mask = umask(0);
	const int result = mkfifoat(directory_fd, name, 0);

	(void)umask(mask); /* cannot fail */
	return result < 0 && errno != EEXIST ? -1 : 0;
}

static int set_owner(int fd, const struct fifo_owner *owner)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -1;
	if (!fifo_is_ours(&status, owner)) {
		errno = EEXIST;
		return -1;
	}
	return fd_set_owner(fd, owner->uid, owner->gid, owner->mode);
}

int fifo_make(int directory_fd, const char *name, const struct fifo_owner *owner)
{
	int fd, result, error;

	for (int i = 0; i < TRIES; i++) {
		fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return -1;
		if (fd < 0 && create(directory_fd, name) < 0)
			return -1;
		if (fd < 0)
			continue;
		result = set_owner(fd, owner);
		error = errno;
		(void)close(fd); /* O_PATH: nothing to lose */
		errno = error;
		return result;
	}
	errno = EAGAIN;
	return -1;
}
