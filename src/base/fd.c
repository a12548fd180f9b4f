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
