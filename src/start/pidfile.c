/* SPDX-License-Identifier: ISC */
/*
 * The pid file.
 *
 * The lock decides, never the content: a stale number, garbage or an empty file mean nothing, and a
 * live daemon cannot be mistaken.  The lock is on an open file description of its own with
 * close-on-exec, unlike libbsd's pidfile_open(3), whose lock an exec'd worker would keep after the
 * master's death.  A symbolic link, a directory or somebody else's file is refused: whoever can
 * write a root daemon's pid file chooses whom root kills.
 */
#include "config.h"

#include "start/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "report/log.h"

/* The pid in a file that another process has locked; 0 when it says none. */
static long read_pid(int fd)
{
	char text[32];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return 0;
	text[length] = '\0';
	return strtol(text, NULL, 10);
}

static void fail_locked(const char *path, int fd) __attribute__((noreturn));
static void fail_locked(const char *path, int fd)
{
	long pid = read_pid(fd);

	if (pid > 0)
		fatal(EXIT_GENERIC, "%s: already running, pid %ld", path, pid);
	fatal(EXIT_GENERIC, "%s: already running", path);
}

static void check_file(const char *path, int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		fatal(EXIT_GENERIC, "%s: %m", path);
	if (!S_ISREG(status.st_mode))
		fatal(EXIT_GENERIC, "%s: not a regular file; remove it", path);
	if (status.st_uid != geteuid())
		fatal(EXIT_GENERIC, "%s: belongs to user %u, not to us; remove it", path,
		      (unsigned)status.st_uid);
	if (status.st_nlink > 1)
		fatal(EXIT_GENERIC, "%s: has other names; remove it", path);
}

/* Others must not be able to put a file of theirs in the place of ours. */
static void check_directory(const char *path)
{
	char *copy = xstrdup(path);
	const char *directory = dirname(copy);
	struct stat status;

	if (stat(directory, &status) < 0)
		fatal(EXIT_GENERIC, "%s: %m", directory);
	if ((status.st_mode & 002) && !(status.st_mode & S_ISVTX))
		fatal(EXIT_GENERIC,
		      "%s: others can write there; choose another place for the pid file",
		      directory);
	if (geteuid() == 0 && status.st_uid != 0)
		fatal(EXIT_GENERIC,
		      "%s: belongs to user %u; root's pid file must lie in a directory of "
		      "root's",
		      directory, (unsigned)status.st_uid);
	free(copy);
}

/* $XDG_RUNTIME_DIR/begat is ours to make; /run always is there. */
static void make_directory(const char *path)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	size_t length = runtime ? strlen(runtime) : 0;
	char *copy;

	if (geteuid() == 0 || length == 0 || strncmp(path, runtime, length) != 0)
		return;
	copy = xstrdup(path);
	if (mkdir(dirname(copy), 0700) < 0 && errno != EEXIST)
		fatal(EXIT_GENERIC, "%s: %m", copy);
	free(copy);
}

static void write_pid(const char *path, int fd)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) != length)
		fatal(EXIT_GENERIC, "%s: %m", path);
}

/* A start that fails leaves nothing behind.  The master has its own way; an exec runs no handlers
 * of atexit(3). */
static struct {
	const char *path;
	int fd;
} taken;

static void drop(void)
{
	if (path_is_fd(taken.path, taken.fd))
		(void)unlink(taken.path); /* failing already */
}

static int open_locked(const char *path)
{
	int fd = fd_park(open(
		path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644));

	if (fd < 0)
		fatal(errno == EACCES ? EXIT_PRIVILEGE : EXIT_GENERIC, "%s: %m", path);
	check_file(path, fd);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			fail_locked(path, fd);
		fatal(EXIT_GENERIC, "%s: %m", path);
	}
	return fd;
}

int pidfile_take(const char *path)
{
	make_directory(path);
	check_directory(path);
	taken.path = path;
	/* A daemon that was ending when we opened its file has removed it by our lock. */
	while (!path_is_fd(path, taken.fd = open_locked(path)))
		(void)close(taken.fd); /* nothing was written */
	if (atexit(drop) != 0)
		fatal(EXIT_GENERIC, "%s: atexit: %m", path);
	write_pid(path, taken.fd);
	return taken.fd;
}
