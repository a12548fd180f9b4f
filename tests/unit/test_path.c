/* SPDX-License-Identifier: ISC */
/* Paths: the way to a directory that somebody else might turn round. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "folder.h"
#include "suite.h"

static const char *in(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", directory, name);
	return path;
}

static bool leads_to(const char *path, const char *place)
{
	struct stat one, other;
	const char *name;
	const int fd = path_open_directory(path, &name);

	ck_assert_str_eq(name, "name");
	if (fd < 0)
		return false;
	ck_assert_int_eq(fstat(fd, &one), 0);
	ck_assert_int_eq(stat(place, &other), 0);
	close(fd);
	return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

START_TEST(goes_along_directories)
{
	enter_directory();
	ck_assert_int_eq(mkdir(in("a"), 0755), 0);
	ck_assert_int_eq(mkdir(in("a/b"), 0755), 0);
	ck_assert(leads_to(in("a/b/name"), in("a/b")));
	ck_assert(leads_to(in("a//b/../name"), in("a")));
	ck_assert(leads_to("/name", "/"));
	ck_assert(!leads_to(in("a/c/name"), in("a")));
	ck_assert_int_eq(errno, ENOENT);
	leave_directory();
}
END_TEST

START_TEST(follows_links_of_ours)
{
	enter_directory();
	ck_assert_int_eq(mkdir(in("a"), 0755), 0);
	ck_assert_int_eq(mkdir(in("b"), 0755), 0);
	ck_assert_int_eq(symlink("../a", in("b/relative")), 0);
	ck_assert_int_eq(symlink(in("b/relative"), in("absolute")), 0);
	ck_assert_int_eq(symlink(in("round"), in("round")), 0);
	ck_assert(leads_to(in("b/relative/name"), in("a")));
	ck_assert(leads_to(in("absolute/name"), in("a")));
	ck_assert(!leads_to(in("round/name"), in("a")));
	ck_assert_int_eq(errno, ELOOP);
	leave_directory();
}
END_TEST

/* Whoever has a directory on the way could make root put files anywhere. */
START_TEST(follows_no_link_of_others)
{
	enter_directory();
	if (geteuid() != 0) {
		leave_directory();
		return;
	}
	ck_assert_int_eq(mkdir(in("a"), 0755), 0);
	ck_assert_int_eq(symlink("a", in("theirs")), 0);
	ck_assert_int_eq(lchown(in("theirs"), 65534, 65534), 0);
	ck_assert(!leads_to(in("theirs/name"), in("a")));
	ck_assert_int_eq(errno, ELOOP);
	leave_directory();
}
END_TEST

START_TEST(what_is_no_directory_is_none)
{
	enter_directory();
	ck_assert_int_ge(open(in("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0644), 0);
	ck_assert(!leads_to(in("file/name"), directory));
	ck_assert_int_eq(errno, ENOTDIR);
	leave_directory();
}
END_TEST

SUITE("path", goes_along_directories, follows_links_of_ours, follows_no_link_of_others,
      what_is_no_directory_is_none)
