/* SPDX-License-Identifier: ISC */
/*
 * Reading a configuration file.
 *
 * begatd may be root, so the file says what root does: it is read only when nobody but root and the
 * running user can have written it.  libconfuse never opens anything: it ends the process when a
 * file turns out to be a directory.  Reading never blocks, neither on a pipe nor on a terminal.
 */
#include "config.h"

#include "config/confile.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define TOO_LARGE "is larger than 8 MiB"

__attribute__((format(printf, 3, 4))) static void complain(const struct confile *file,
							   struct problem_list *problems,
							   const char *format, ...)
{
	struct origin whole = { .file = file->name };
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	if (file->from.file)
		problem_add(problems, &file->from, "include: %s: %s", file->name, text);
	else
		problem_add(problems, &whole, "%s", text);
	free(text);
}

/* A group of the running user alone, as many systems give one to each user. */
static bool is_own_group(gid_t gid)
{
	const struct group *group = getgrgid(gid);
	const struct passwd *user = getpwuid(geteuid());

	if (group == NULL || user == NULL || user->pw_gid != gid)
		return false;
	for (char *const *member = group->gr_mem; *member; member++)
		if (strcmp(*member, user->pw_name) != 0)
			return false;
	return strcmp(group->gr_name, user->pw_name) == 0;
}

static const char *check_writers(const struct stat *status)
{
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return "belongs to another user, who could change it; use chown";
	if (status->st_mode & S_IWOTH)
		return "is writable by everybody; use chmod o-w";
	if ((status->st_mode & S_IWGRP) && status->st_gid != 0 && !is_own_group(status->st_gid))
		return "is writable by its group; use chmod g-w";
	return NULL;
}

static const char *check_kind(const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		return "is a directory";
	if (!S_ISREG(status->st_mode))
		return "is not a regular file";
	if (status->st_size > CONFILE_MAX)
		return TOO_LARGE;
	return NULL;
}

static int check_file(const struct confile *file, int fd, struct problem_list *problems)
{
	struct stat status;
	const char *reason;

	if (fstat(fd, &status) < 0)
		reason = strerror(errno);
	else if ((reason = check_kind(&status)) == NULL)
		reason = check_writers(&status);
	if (reason == NULL)
		return 0;
	complain(file, problems, "%s", reason);
	return -1;
}

/* One byte more than there may be, to see a file that has grown. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size) {
		got = read(fd, text + length, size - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

static char *read_text(const struct confile *file, int fd, size_t *length,
		       struct problem_list *problems)
{
	char *text = xcalloc(CONFILE_MAX + 2, 1);
	ssize_t got = read_all(fd, text, CONFILE_MAX + 1);

	if (got < 0)
		complain(file, problems, "%s", strerror(errno));
	else if (got > CONFILE_MAX)
		complain(file, problems, TOO_LARGE);
	if (got < 0 || got > CONFILE_MAX) {
		free(text);
		return NULL;
	}
	*length = (size_t)got;
	return text;
}

char *confile_read(const struct confile *file, size_t *length, struct problem_list *problems)
{
	int fd = open(file->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char *text = NULL;

	if (fd < 0) {
		complain(file, problems, "%s", strerror(errno));
		return NULL;
	}
	if (check_file(file, fd, problems) == 0)
		text = read_text(file, fd, length, problems);
	close(fd); /* read only: nothing to lose */
	return text;
}
