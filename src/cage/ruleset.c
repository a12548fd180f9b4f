/* SPDX-License-Identifier: ISC */
/*
 * Rules for Landlock.
 *
 * begatd lists them while it makes a plan, and turns them into a ruleset that all workers of a
 * service share.  Names mean what they lead to when the ruleset is built: each is opened once, and
 * all that is asked and allowed is about that descriptor.  What an older kernel does not know is
 * left out, so that the same list does its best on each.
 */
#include "config.h"

#include "cage/ruleset.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cage/kernel.h"

#define READ	(LANDLOCK_READ_FILE | LANDLOCK_READ_DIR)
#define EXECUTE (READ | LANDLOCK_EXECUTE)
/* Everything but to execute, and to make device nodes. */
#define WRITE                                                                                      \
	(READ | LANDLOCK_WRITE_FILE | LANDLOCK_TRUNCATE | LANDLOCK_IOCTL_DEV | LANDLOCK_REFER |    \
	 LANDLOCK_REMOVE_DIR | LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG |      \
	 LANDLOCK_MAKE_SOCK | LANDLOCK_MAKE_FIFO | LANDLOCK_MAKE_SYM)

const uint64_t rights_to_read = READ, rights_to_execute = EXECUTE, rights_to_write = WRITE;

static int compare(const struct rule *rule, const char *path, uint16_t port)
{
	if (!rule->path != !path)
		return path ? 1 : -1; /* files first */
	return path ? strcmp(rule->path, path) : (int)rule->port - (int)port;
}

/* The rule, or a new one in its place. */
static struct rule *rule_get(struct rules *rules, const char *path, uint16_t port)
{
	size_t low = 0, high = rules->count;
	struct rule *rule;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(&rules->all[middle], path, port);

		if (order == 0)
			return &rules->all[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	rules->all = xreallocarray(rules->all, rules->count + 1, sizeof(*rules->all));
	rule = &rules->all[low];
	memmove(rule + 1, rule, (rules->count++ - low) * sizeof(*rule));
	*rule = (struct rule){ .path = path ? xstrdup(path) : NULL,
			       .port = port,
			       .optional = true };
	return rule;
}

void rules_add_path(struct rules *rules, const char *path, uint64_t rights, bool optional)
{
	struct rule *rule = rule_get(rules, path, 0);

	rule->rights |= rights;
	rule->optional = rule->optional && optional;
}

void rules_add_port(struct rules *rules, uint16_t port, uint64_t rights)
{
	struct rule *rule = rule_get(rules, NULL, port);

	rule->rights |= rights;
	rule->optional = false;
}

void rules_fini(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->all[i].path);
	free(rules->all);
	*rules = (struct rules){ 0 };
}

/* Where it leads to; as it is, where nothing is there. */
static char *find_real(const char *path, size_t length)
{
	char *plain = xstrndup(path, length), *real = realpath(plain, NULL);

	if (real == NULL)
		return plain;
	free(plain);
	return real;
}

static bool is_writable(const struct rules *rules, size_t index, const char *real)
{
	bool found = false;

	for (size_t i = 0; i < rules->count && !found; i++) {
		const struct rule *rule = &rules->all[i];
		char *directory;

		if (i == index || !rule->path || !(rule->rights & LANDLOCK_MAKE_SYM))
			continue;
		directory = find_real(rule->path, strlen(rule->path));
		found = path_inside(real, directory) != NULL;
		free(directory);
	}
	return found;
}

static bool has_writable(const struct rules *rules, size_t index)
{
	for (size_t i = 0; i < rules->count; i++)
		if (i != index && rules->all[i].path && rules->all[i].rights & LANDLOCK_MAKE_SYM)
			return true;
	return false;
}

/* From the root on, so that all before the first such place is as the administrator has it: it may
 * have other names in other rules.  What is behind it may be a worker's, and is not looked at. */
static size_t find_writable(const struct rules *rules, size_t index)
{
	const char *const path = rules->all[index].path;

	if (!path || !has_writable(rules, index))
		return 0;
	for (const char *end = path; end; end = strchr(end + 1, '/')) {
		const size_t length = end == path ? 1 : (size_t)(end - path);
		char *real = find_real(path, length);
		const bool found = path[length] && is_writable(rules, index, real);

		free(real);
		if (found)
			return length;
	}
	return 0;
}

void rules_settle(struct rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		rules->all[i].writable = find_writable(rules, i);
}

/* What workers have put there is not followed out of where they may write. */
static int open_within(const char *path, size_t length)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH };
	char *directory = xstrndup(path, length);
	int root_fd = open(directory, O_PATH | O_CLOEXEC), fd;

	free(directory);
	if (root_fd < 0)
		return -1;
	path += length;
	fd = (int)syscall(SYS_openat2, root_fd, path + strspn(path, "/"), &how, sizeof(how));
	(void)close(root_fd); /* nothing was written */
	return fd;
}

static int open_path(const struct rule *rule)
{
	return rule->writable ? open_within(rule->path, rule->writable)
			      : open(rule->path, O_PATH | O_CLOEXEC);
}

int rules_stat(const struct rules *rules, size_t index, struct stat *status)
{
	int fd = open_path(&rules->all[index]), result;

	if (fd < 0)
		return -1;
	result = fstat(fd, status);
	(void)close(fd); /* nothing was written */
	return result;
}

static int allow_path(int ruleset_fd, const struct rule *rule, uint64_t rights)
{
	struct stat status;
	int fd = open_path(rule);
	long result;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		result = -errno;
	else if (!S_ISDIR(status.st_mode) && !(rights &= LANDLOCK_OF_FILES))
		result = 0; /* the kernel does not take a rule that allows nothing */
	else
		result = landlock_allow_path(ruleset_fd, fd, rights);
	(void)close(fd); /* nothing was written */
	return (int)result;
}

/* What is not there, or what we cannot reach ourselves, needs no rule; nor does what leads out of
 * where workers may write, which has a rule of its own where it is meant (/etc/localtime). */
static bool is_missing(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == EXDEV;
}

static int allow(int ruleset_fd, const struct rule *rule, const struct landlock_handled *handled)
{
	uint64_t rights = rule->rights & (rule->path ? handled->files : handled->ports);
	int result;

	if (!rights)
		return 0;
	if (!rule->path)
		return (int)landlock_allow_port(ruleset_fd, rule->port, rights);
	result = allow_path(ruleset_fd, rule, rights);
	return rule->optional && is_missing(-result) ? 0 : result;
}

int rules_build(const struct rules *rules, const char **which)
{
	const int abi = kernel_get()->landlock;
	const struct landlock_handled handled = {
		.files = rules->handled.files & kernel_landlock_files(abi),
		.ports = rules->handled.ports & kernel_landlock_ports(abi),
		.scopes = rules->handled.scopes & kernel_landlock_scopes(abi),
	};
	int fd = (int)landlock_create(&handled), result = 0;

	*which = NULL;
	if (fd < 0) {
		errno = -fd;
		return -1;
	}
	for (size_t i = 0; result == 0 && i < rules->count; i++) {
		result = allow(fd, &rules->all[i], &handled);
		if (result < 0)
			*which = rules->all[i].path;
	}
	if (result == 0)
		return fd;
	(void)close(fd); /* nothing was written */
	errno = -result;
	return -1;
}
