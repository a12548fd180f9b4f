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
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 4096

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

/* Line by line, each in one piece.  How many bytes were taken: what is behind the last line end
 * waits for its rest, unless it fills the chunk. */
static size_t write_lines(struct begat_session *session, const char *bytes, size_t length, bool all)
{
	const char *at = bytes, *end = bytes + length, *newline;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		/* the session remembers a failure */
		(void)begat_write_text(session, at, (size_t)(newline + 1 - at));
		at = newline + 1;
	}
	if (at < end && (all || at == bytes)) {
		(void)begat_write_text(session, at, (size_t)(end - at));
		at = end;
	}
	return (size_t)(at - bytes);
}

int file_show(struct begat_session *session, const char *path, size_t max)
{
	char bytes[CHUNK], last = '\n';
	size_t size, offset = 0;
	const int fd = file_open(path, max, &size);
	ssize_t got;

	if (fd < 0)
		return -1;
	while (offset < size && (got = file_read(fd, offset, bytes, sizeof(bytes))) > 0) {
		const size_t taken =
			write_lines(session, bytes, (size_t)got, (size_t)got < sizeof(bytes));

		last = bytes[taken - 1];
		offset += taken;
	}
	if (last != '\n')
		(void)begat_write_text(session, "\n", 1);
	close(fd); /* read-only: nothing to lose */
	return offset > 0;
}

void file_complain(const char *handler, const char *path, const char *why)
{
	static char last[128];

	if (why && strcmp(why, last) != 0)
		dprintf(STDERR_FILENO, "%s: %s: %s\n", handler, path, why);
	snprintf(last, sizeof(last), "%s", why ? why : "");
}
