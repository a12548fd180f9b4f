/* SPDX-License-Identifier: ISC */
/*
 * begatd -t --against PIDFILE: what a reload would change.
 *
 * The running daemon is not asked and does not notice: its pid file's lock says whether there is
 * one, and the text in effect is one of its descriptors, which /proc shows to root and to the user
 * who runs it.  The lock is only tried, shared and for a moment; nothing is ever written.
 */
#include "config.h"

#include "start/against.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/difference.h"
#include "report/log.h"

#define LINK "/memfd:" DIFFERENCE_NAME " (deleted)" /* memfd_create(2) */

static void fail_not_running(const char *pid_path) __attribute__((noreturn));
static void fail_not_running(const char *pid_path)
{
	fatal(EXIT_NOT_RUNNING, "%s: begatd is not running", pid_path);
}

static int open_pidfile(const char *pid_path)
{
	int fd = open(pid_path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 && errno == ENOENT)
		fail_not_running(pid_path);
	if (fd < 0)
		fatal(errno == EACCES ? EXIT_PRIVILEGE : EXIT_GENERIC, "%s: %m", pid_path);
	if (fstat(fd, &status) < 0)
		fatal(EXIT_GENERIC, "%s: %m", pid_path);
	if (!S_ISREG(status.st_mode))
		fatal(EXIT_GENERIC, "%s: not a regular file, so no pid file", pid_path);
	return fd;
}

/* The content counts for nothing while nobody holds the lock. */
static void check_lock(const char *pid_path, int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		(void)close(fd); /* and with it the lock */
		fail_not_running(pid_path);
	}
	if (errno != EWOULDBLOCK)
		fatal(EXIT_GENERIC, "%s: %m", pid_path);
}

static long read_pid(const char *pid_path)
{
	int fd = open_pidfile(pid_path);
	char text[32];
	ssize_t length;
	long pid;

	check_lock(pid_path, fd);
	length = pread(fd, text, sizeof(text) - 1, 0);
	if (length < 0)
		fatal(EXIT_GENERIC, "%s: %m", pid_path);
	(void)close(fd); /* only read from */
	text[length] = '\0';
	pid = strtol(text, NULL, 10);
	if (pid <= 0)
		fatal(EXIT_GENERIC, "%s: begatd has not written its pid yet; try again", pid_path);
	return pid;
}

static void fail_proc(const char *pid_path, long pid) __attribute__((noreturn));
static void fail_proc(const char *pid_path, long pid)
{
	if (errno == EACCES || errno == EPERM)
		fatal(EXIT_PRIVILEGE,
		      "%s: process %ld is another user's; try again as root, or as that user",
		      pid_path, pid);
	if (errno == ENOENT || errno == ESRCH)
		fatal(EXIT_GENERIC,
		      "%s: process %ld cannot be seen; it has just ended, or is in another "
		      "container",
		      pid_path, pid);
	fatal(EXIT_GENERIC, "%s: process %ld: %m", pid_path, pid);
}

static bool is_effect(int directory, const char *name)
{
	char link[sizeof(LINK) + 1];
	ssize_t length = readlinkat(directory, name, link, sizeof(link));

	/* One that is closed by now is not the one. */
	return length == sizeof(LINK) - 1 && memcmp(link, LINK, sizeof(LINK) - 1) == 0;
}

/* The text in effect of a process. */
static int open_effect(const char *pid_path, long pid)
{
	char *path = xasprintf("/proc/%ld/fd", pid);
	DIR *directory = opendir(path);
	struct dirent *entry;
	int fd;

	free(path);
	if (directory == NULL)
		fail_proc(pid_path, pid);
	do {
		errno = 0;
		entry = readdir(directory);
	} while (entry && !is_effect(dirfd(directory), entry->d_name));
	if (entry == NULL && errno)
		fail_proc(pid_path, pid);
	if (entry == NULL)
		fatal(EXIT_GENERIC,
		      "%s: process %ld does not show what it runs with; try again if it has just "
		      "been started, otherwise restart it: it is of an older version",
		      pid_path, pid);
	fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_proc(pid_path, pid);
	(void)closedir(directory); /* only read from */
	return fd;
}

static void print_difference(const struct difference *difference, FILE *out)
{
	for (char **line = difference->lines; *line; line++)
		fprintf(out, "%s\n", *line);
	fprintf(out, "a reload would: keep %u, add %u, change %u, remove %u\n", difference->kept,
		difference->added, difference->changed, difference->removed);
}

void against_print(const char *pid_path, const struct config *config, FILE *out)
{
	long pid = read_pid(pid_path);
	int before = open_effect(pid_path, pid);
	int after = difference_save(config);
	struct difference difference;

	if (after < 0)
		fatal(EXIT_GENERIC, "the configuration in effect: %m");
	if (difference_make(before, after, &difference) < 0)
		fatal(EXIT_GENERIC, "%s: what process %ld runs with cannot be read: %m", pid_path,
		      pid);
	(void)close(before); /* only read from, like the other */
	(void)close(after);
	print_difference(&difference, out);
	difference_fini(&difference);
}
