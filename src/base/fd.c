/* SPDX-License-Identifier: ISC */
/*
 * Descriptors.
 *
 * begat's rule is that every descriptor is close-on-exec from its birth, and that the few that
 * cross an exec on purpose are named one by one.  0, 1 and 2 are always open, so that no socket is
 * ever mistaken for somebody's standard output.
 */
#include "config.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

int fd_park(int fd)
{
	int parked;

	if (fd < 0)
		return -1;
	parked = fcntl(fd, F_DUPFD_CLOEXEC, FD_PARKED);
	(void)close(fd); /* the copy holds what matters */
	return parked;
}

void fd_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing to lose, says the caller */
	*fd = -1;
}

int fd_pair(int *ours, int *theirs)
{
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	*ours = fd_park(ends[0]);
	*theirs = ends[1];
	if (*ours >= 0)
		return 0;
	error = errno;
	fd_close(theirs);
	errno = error;
	return -1;
}

static int compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int fd_close_others(int *keep, size_t count)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(keep, count, sizeof(*keep), compare);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < (int)from)
			continue;
		if ((unsigned)keep[i] > from && close_range(from, (unsigned)keep[i] - 1, 0) < 0)
			return -1;
		from = (unsigned)keep[i] + 1;
	}
	return close_range(from, ~0U, 0);
}

int fd_set_owner(int fd, uid_t uid, gid_t gid, mode_t mode)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -1;
	return chmod(self, mode);
}

int fd_write_all(int fd, const char *bytes, size_t size)
{
	ssize_t written;

	for (size_t done = 0; done < size; done += (size_t)written) {
		written = write(fd, bytes + done, size - done);
		if (written < 0 && errno != EINTR)
			return -1;
		if (written < 0)
			written = 0;
	}
	return 0;
}

int fd_execute(int fd, char **argv)
{
	return execveat(fd, "", argv, environ, AT_EMPTY_PATH);
}

int fd_open_standard(void)
{
	int fd;

	for (;;) {
		fd = open("/dev/null", O_RDWR | O_NOCTTY); /* no O_CLOEXEC: 0 to 2 are inherited */
		if (fd < 0)
			return -1;
		if (fd > 2)
			return close(fd);
	}
}
