/* SPDX-License-Identifier: ISC */
/*
 * Control groups.
 *
 * begatd makes them while it makes a plan, and hands descriptors on: the master has workers born
 * into them and never names one.  All of it stays below the group that we were started in, which
 * must have been given to us.  Not given are: the root of the hierarchy, which belongs to the
 * machine (in a container the root that we see is another's branch, and ours); and a unit's group
 * that systemd(1) has not marked as delegated, even though root could write to it.
 *
 * There may be another begatd in it, with services of the same names.  Groups of services are an
 * instance's, and their names say whose; begat-master is everybody's, for nobody moves out again.
 *
 * Nothing is ever ended here, and no group removed that has processes in it.
 */
#include "config.h"

#include "cage/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "cage/own-group.h"

#define OURS  "begat-master"
#define TRIES 5 /* at moving everybody out of a group in which they fork */

#define DELEGATE                                                                                   \
	"under systemd, write Delegate=yes into begatd's unit; else make a group and start "       \
	"begatd in it"

static const struct {
	const char *name, *file;
	size_t limit; /* offset of its field */
} controllers[] = {
	{ "memory", "memory.max", offsetof(struct cgroup_limits, memory_max) },
	{ "pids", "pids.max", offsetof(struct cgroup_limits, tasks_max) },
};
#define CONTROLLERS (sizeof(controllers) / sizeof(*controllers))

static struct own_group base; /* asked once, for it stays so */
static bool base_is_known;
static char prefix[sizeof("begat-01234567-")] = "begat-00000000-"; /* of our groups' names */
static bool is_first; /* no workers of ours are there but those of a daemon that died */

void cgroup_init(const char *whose, bool is_start)
{
	const uint64_t hash = hash_text(whose);

	snprintf(prefix, sizeof(prefix), "begat-%08x-", (unsigned)(uint32_t)(hash ^ hash >> 32));
	is_first = is_start;
}

static void say(char why[static CGROUP_WHY], const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void say(char why[static CGROUP_WHY], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, CGROUP_WHY, format, arguments);
	va_end(arguments);
}

static int64_t limit_of(const struct cgroup_limits *limits, size_t controller)
{
	return *(const int64_t *)((const char *)limits + controllers[controller].limit);
}

static int open_base(char why[static CGROUP_WHY])
{
	int fd;

	if (!base_is_known)
		own_group_find(OURS, &base);
	base_is_known = true;
	if (!base.path) {
		say(why, "control groups of version 2 cannot be seen from here: mount them, "
			 "by \"mount -t cgroup2 none /sys/fs/cgroup\"");
		return -1;
	}
	fd = open(base.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		say(why, "%s, the control group that begatd is in: %s", base.path, strerror(errno));
	return fd;
}

/* Whether a file with names and blanks has this name in it. */
static bool has_word(int directory_fd, const char *file, const char *word)
{
	char text[512], *rest = text, *each;
	int fd = openat(directory_fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	text[length > 0 ? length : 0] = '\0';
	while ((each = strsep(&rest, " \n")))
		if (strcmp(each, word) == 0)
			return true;
	return false;
}

static bool is_unit(const char *path)
{
	const char *end = strrchr(path, '.');

	return end && (strcmp(end, ".service") == 0 || strcmp(end, ".scope") == 0 ||
		       strcmp(end, ".slice") == 0);
}

/* systemd(1) marks what it gives away; to an ordinary user it gives by ownership. */
static bool is_given(int base_fd)
{
	char mark;

	if (geteuid() != 0 || !is_unit(base.path))
		return true;
	return (fgetxattr(base_fd, "trusted.delegate", &mark, 1) == 1 && mark == '1') ||
	       (fgetxattr(base_fd, "user.delegate", &mark, 1) == 1 && mark == '1');
}

static bool is_root(int base_fd)
{
	return faccessat(base_fd, "cgroup.type", F_OK, 0) < 0 && errno == ENOENT;
}

/* Below a "domain threaded" or "domain invalid" one, processes cannot be born. */
static int check_type(int base_fd, char why[static CGROUP_WHY])
{
	if (has_word(base_fd, "cgroup.type", "threaded") ||
	    has_word(base_fd, "cgroup.type", "invalid")) {
		say(why,
		    "%s, the control group that begatd is in, is not of the type \"domain\": start "
		    "begatd in another one",
		    base.path);
		return -1;
	}
	if (faccessat(base_fd, "cgroup.kill", F_OK, 0) == 0)
		return 0;
	say(why, "this kernel cannot end all processes of a group (cgroup.kill), which needs "
		 "Linux 5.14");
	return -1;
}

static int check_access(int base_fd, bool controls, char why[static CGROUP_WHY])
{
	static const char *const files[] = { ".", "cgroup.procs", "cgroup.subtree_control" };

	if (is_root(base_fd) || !is_given(base_fd)) {
		say(why, "%s, the control group that begatd is in, was not given to it: " DELEGATE,
		    base.path);
		return -1;
	}
	for (size_t i = 0; i < (controls ? 3 : 2); i++) {
		if (faccessat(base_fd, files[i], W_OK, AT_EACCESS) == 0)
			continue;
		say(why, "begatd may not make groups in %s (%s): " DELEGATE, base.path,
		    strerror(errno));
		return -1;
	}
	return check_type(base_fd, why);
}

static int check_controller(int base_fd, const char *name, char why[static CGROUP_WHY])
{
	int top_fd;
	bool elsewhere;

	if (has_word(base_fd, "cgroup.controllers", name))
		return 0;
	top_fd = open(base.top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	elsewhere = top_fd >= 0 && has_word(top_fd, "cgroup.controllers", name);
	if (top_fd >= 0)
		(void)close(top_fd); /* nothing was written */
	if (elsewhere)
		say(why,
		    "%s does not have the controller \"%s\": under systemd, write "
		    "Delegate=yes into begatd's unit; else write \"+%s\" to "
		    "cgroup.subtree_control of the groups above",
		    base.path, name, name);
	else
		say(why,
		    "the controller \"%s\" is not there in version 2 of control groups: where "
		    "version 1 has it, boot Linux with cgroup_no_v1=%s",
		    name, name);
	return -1;
}

static int check(int base_fd, const struct cgroup_limits *limits, char why[static CGROUP_WHY])
{
	bool controls = false;

	for (size_t i = 0; i < CONTROLLERS; i++)
		controls = controls || limit_of(limits, i);
	if (check_access(base_fd, controls, why) < 0)
		return -1;
	for (size_t i = 0; i < CONTROLLERS; i++)
		if (limit_of(limits, i) && check_controller(base_fd, controllers[i].name, why) < 0)
			return -1;
	return 0;
}

int cgroup_check(const struct cgroup_limits *limits, char why[static CGROUP_WHY])
{
	int base_fd = open_base(why), result;

	if (base_fd < 0)
		return -1;
	result = check(base_fd, limits, why);
	(void)close(base_fd); /* nothing was written */
	return result;
}

/* 0, or -1 with errno. */
static int write_file(int directory_fd, const char *name, const char *text)
{
	int fd = openat(directory_fd, name, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int saved;

	if (fd < 0)
		return -1;
	written = write(fd, text, strlen(text));
	saved = errno;
	(void)close(fd); /* the kernel has taken it, or has said why not */
	errno = saved;
	return written < 0 ? -1 : 0;
}

static int make(int directory_fd, const char *name, bool *is_new)
{
	*is_new = mkdirat(directory_fd, name, 0755) == 0;
	return *is_new || errno == EEXIST ? 0 : -1;
}

/* Moves everybody who is in the group itself, us too, into OURS.  0, or -1 with errno. */
static int move_down(int base_fd)
{
	int fd = openat(base_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	bool is_new;
	int result = file ? make(base_fd, OURS, &is_new) : -1, saved;

	while (result == 0 && getline(&line, &size, file) >= 0)
		if (write_file(base_fd, OURS "/cgroup.procs", line) < 0 && errno != ESRCH)
			result = -1;
	saved = errno;
	free(line);
	if (file)
		(void)fclose(file); /* nothing was written */
	else if (fd >= 0)
		(void)close(fd); /* as above */
	errno = saved;
	return result;
}

/* Lets groups below have a controller, which the kernel refuses as long as there is a process
 * beside them. */
static int enable(int base_fd, const char *name, char why[static CGROUP_WHY])
{
	char order[32];
	int result = -1, error = EBUSY;

	if (has_word(base_fd, "cgroup.subtree_control", name))
		return 0;
	snprintf(order, sizeof(order), "+%s", name);
	for (int i = 0; result < 0 && error == EBUSY && i < TRIES; i++) {
		result = write_file(base_fd, "cgroup.subtree_control", order);
		error = errno;
		if (result < 0 && error == EBUSY && move_down(base_fd) < 0)
			error = errno;
	}
	if (result < 0)
		say(why, "%s: the controller \"%s\" cannot be enabled: %s", base.path, name,
		    strerror(error));
	return result;
}

/* "max" where there is no limit, for there may have been one before. */
static int set_limit(int group_fd, size_t controller, int64_t limit, char why[static CGROUP_WHY])
{
	const char *file = controllers[controller].file;
	char text[32] = "max";

	if (limit)
		snprintf(text, sizeof(text), "%lld", (long long)limit);
	if (write_file(group_fd, file, text) == 0 || (!limit && errno == ENOENT))
		return 0;
	say(why, "%s: %s cannot be set to %s: %s", base.path, file, text, strerror(errno));
	return -1;
}

static int set_limits(int group_fd, const struct cgroup_limits *limits, char why[static CGROUP_WHY])
{
	for (size_t i = 0; i < CONTROLLERS; i++)
		if (set_limit(group_fd, i, limit_of(limits, i), why) < 0)
			return -1;
	return 0;
}

/* Whether cgroup_set_limits() will be able to: a plan in force that is not kept is too late. */
static int check_limits(int group_fd, const struct cgroup_limits *limits,
			char why[static CGROUP_WHY])
{
	for (size_t i = 0; i < CONTROLLERS; i++) {
		const char *file = controllers[i].file;

		if (faccessat(group_fd, file, W_OK, AT_EACCESS) == 0 ||
		    (!limit_of(limits, i) && errno == ENOENT))
			continue;
		say(why, "%s: %s cannot be written: %s", base.path, file, strerror(errno));
		return -1;
	}
	return 0;
}

/* One that cgroup.kill was ever written to is of no use: since Linux 6.14, and where that was taken
 * over, whoever is born into it is killed at birth.  Busy is that of a daemon that has died. */
static void remove_old(int base_fd, const char *name)
{
	if (is_first)
		(void)unlinkat(base_fd, name, AT_REMOVEDIR);
}

/* The descriptor, or -1 with errno. */
static int open_named(int base_fd, const char *name)
{
	return openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The same with a reason. */
static int make_group(int base_fd, const char *service, bool *is_new, char why[static CGROUP_WHY])
{
	char *name = xasprintf("%s%s", prefix, service);
	int fd;

	remove_old(base_fd, name);
	fd = make(base_fd, name, is_new);
	if (fd == 0)
		fd = open_named(base_fd, name);
	if (fd < 0)
		say(why, "%s/%s: %s", base.path, name, strerror(errno));
	free(name);
	return fd;
}

static int open_group(int base_fd, const char *service, const struct cgroup_limits *limits,
		      char why[static CGROUP_WHY])
{
	bool is_new;
	int fd, result;

	if (check(base_fd, limits, why) < 0)
		return -1;
	for (size_t i = 0; i < CONTROLLERS; i++)
		if (limit_of(limits, i) && enable(base_fd, controllers[i].name, why) < 0)
			return -1;
	fd = make_group(base_fd, service, &is_new, why);
	if (fd < 0)
		return -1;
	result = is_new || is_first ? set_limits(fd, limits, why) : check_limits(fd, limits, why);
	if (result == 0)
		return fd;
	(void)close(fd); /* nothing was written */
	return -1;
}

int cgroup_open(const char *service, const struct cgroup_limits *limits,
		char why[static CGROUP_WHY])
{
	int base_fd = open_base(why), fd;

	if (base_fd < 0)
		return -1;
	fd = open_group(base_fd, service, limits, why);
	(void)close(base_fd); /* nothing was written */
	return fd;
}

int cgroup_set_limits(const char *service, const struct cgroup_limits *limits,
		      char why[static CGROUP_WHY])
{
	int base_fd = open_base(why), fd, result = -1;
	char *name;

	if (base_fd < 0)
		return -1;
	name = xasprintf("%s%s", prefix, service);
	fd = open_named(base_fd, name);
	if (fd < 0) {
		say(why, "%s/%s: %s", base.path, name, strerror(errno));
	} else {
		result = set_limits(fd, limits, why);
		(void)close(fd); /* nothing was written */
	}
	free(name);
	(void)close(base_fd); /* as above */
	return result;
}

static bool is_named(const char *name, char *const *services)
{
	for (; *services; services++)
		if (strcmp(*services, name) == 0)
			return true;
	return false;
}

void cgroup_clean(char *const *services)
{
	char why[CGROUP_WHY];
	int fd = open_base(why);
	DIR *directory = fd < 0 || check_access(fd, false, why) < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!directory && fd >= 0)
		(void)close(fd); /* nothing was written */
	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    is_named(entry->d_name + strlen(prefix), services))
			continue;
		/* Busy as long as a worker of a removed service is at it: another time, then. */
		(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	if (directory)
		(void)closedir(directory); /* nothing was written */
}
