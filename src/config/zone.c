/* SPDX-License-Identifier: ISC */
/*
 * A time zone's rules, read when the configuration is, so that workers need no file for it.
 *
 * A file of /usr/share/zoneinfo (RFC 8536) holds the zone's history and, at its end, the rules for
 * the time to come in the form of POSIX's TZ.  For telling the time that is enough, but where
 * changes to come follow no rule and stand in the history: Morocco's, by the moon.  A zone is a
 * name and never a path: what is read lies beneath that directory, is a regular file of the format,
 * and what is taken out of it is short and printable.
 */
#include "config.h"

#include "config/zone.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define DIRECTORY      "/usr/share/zoneinfo"
#define NAME_LENGTH    64
#define FILE_MAX       65536 /* bytes; the largest has a few thousand */
#define RULES_MAX      127
#define HEADER	       44
#define COUNTS	       20 /* where in it six counts of four bytes begin */

#define FAIL(why, ...) (snprintf(why, VALUE_WHY, __VA_ARGS__), -1)

static bool is_name(const char *name)
{
	const size_t length = strlen(name);

	return length > 0 && length <= NAME_LENGTH && name[0] != '/' && name[length - 1] != '/' &&
	       !strstr(name, "//") &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_+-/")] == '\0';
}

static uint64_t count_at(const unsigned char *header, int which)
{
	const unsigned char *at = header + COUNTS + 4 * which;

	return (uint64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* The length of what follows a header, where a time has so many bytes. */
static uint64_t block_size(const unsigned char *header, unsigned time_size)
{
	enum { UT, STANDARD, LEAPS, TIMES, TYPES, CHARACTERS };

	return count_at(header, TIMES) * (time_size + 1) + count_at(header, TYPES) * 6 +
	       count_at(header, CHARACTERS) + count_at(header, LEAPS) * (time_size + 4) +
	       count_at(header, STANDARD) + count_at(header, UT);
}

static bool has_header(const unsigned char *bytes, size_t size, uint64_t at)
{
	return at <= size && size - at >= HEADER && memcmp(bytes + at, "TZif", 4) == 0 &&
	       bytes[at + 4] >= '2';
}

/* What tzset(3) takes for rules and never for the name of a file. */
static bool are_rules(const char *text, size_t length)
{
	if (length == 0 || length > RULES_MAX ||
	    (!isalpha((unsigned char)text[0]) && text[0] != '<'))
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

char *zone_parse(const unsigned char *bytes, size_t size)
{
	uint64_t at = 0;
	const char *rules;

	/* A block with times of four bytes, and one with eight. */
	for (unsigned time_size = 4; time_size <= 8; time_size += 4) {
		if (!has_header(bytes, size, at))
			return NULL;
		at += HEADER + block_size(bytes + at, time_size);
	}
	if (at + 2 > size || bytes[at] != '\n' || bytes[size - 1] != '\n')
		return NULL;
	rules = (const char *)bytes + at + 1;
	if (!are_rules(rules, size - 2 - at))
		return NULL;
	return xstrndup(rules, size - 2 - at);
}

static ssize_t read_file(const char *path, unsigned char *bytes, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	ssize_t got = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
		if (S_ISREG(status.st_mode))
			got = read(fd, bytes, size);
	}
	close(fd); /* read-only: nothing to lose */
	return got;
}

static int explain(const char *name, char why[static VALUE_WHY])
{
	if (errno == ENOENT && access(DIRECTORY, F_OK) < 0)
		return FAIL(why, "there is no %s to look up \"%.64s\" in: install tzdata",
			    DIRECTORY, name);
	if (errno == ENOENT || errno == ENOTDIR)
		return FAIL(why, "there is no time zone \"%.64s\" in %s", name, DIRECTORY);
	return FAIL(why, "%s/%.64s: %.64s", DIRECTORY, name, strerror(errno));
}

int zone_read(const char *name, char **rules, char why[static VALUE_WHY])
{
	char path[sizeof(DIRECTORY) + NAME_LENGTH + 2];
	unsigned char bytes[FILE_MAX];
	ssize_t got;

	if (!is_name(name))
		return FAIL(why, "\"%.64s\" is not the name of a time zone such as Europe/Berlin",
			    name);
	snprintf(path, sizeof(path), "%s/%s", DIRECTORY, name);
	got = read_file(path, bytes, sizeof(bytes));
	if (got < 0)
		return explain(name, why);
	*rules = zone_parse(bytes, (size_t)got);
	if (*rules == NULL)
		return FAIL(why, "%s: is not a time zone's file with rules for the time to come",
			    path);
	return 0;
}
