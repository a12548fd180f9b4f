/* SPDX-License-Identifier: ISC */
/*
 * Files that a handler shows to its client: the message of the day, quotations.
 *
 * The administrator names them, but what is there when a client comes may be anything: a named pipe
 * that would block the worker in open(2), a terminal that would become its controlling one, a log
 * of gigabytes.  Files are read and never mapped, since a mapped file that somebody truncates ends
 * its reader with SIGBUS.
 */
#include "config.h"

#include "handlers/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(const struct stat *status, size_t max)
{
	if (S_ISREG(status->st_mode) && (unsigned long long)status->st_size <= max)
		return 0;
	errno = S_ISREG(status->st_mode) ? EFBIG : S_ISDIR(status->st_mode) ? EISDIR : EINVAL;
	return -1;
}

int file_open(const char *path, size_t max, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) < 0 || check(&status, max) < 0) {
		int error = errno;

		close(fd); /* read-only: nothing to lose */
		errno = error;
		return -1;
	}
	*size = status.st_size;
	return fd;
}

ssize_t file_read(int fd, size_t offset, void *bytes, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = pread(fd, (char *)bytes + length, size - length, offset + length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += got;
	}
	return length;
}
