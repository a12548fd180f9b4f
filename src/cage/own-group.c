/* SPDX-License-Identifier: ISC */
/*
 * Where our own control group is.
 *
 * /proc/self/cgroup names it as seen from the root of our cgroup namespace; mountinfo says which
 * part of the hierarchy can be seen where: the whole of it at /sys/fs/cgroup, beside version 1 in
 * /sys/fs/cgroup/unified, or in a container one branch.  Only the two together make a path.
 */
#include "config.h"

#include "cage/own-group.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct mount {
	const char *root, *point;
};

static bool is_octal(const char *digits)
{
	return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' &&
	       digits[2] >= '0' && digits[2] <= '7';
}

/* "\040" is a blank: proc(5). */
static char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && is_octal(from + 1)) {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
				       (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return text;
}

/* A line of mountinfo, when it is about cgroups of version 2. */
static bool parse_mount(char *line, struct mount *mount)
{
	char *words[5], *rest = line;
	const char *type;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!(words[i] = strsep(&rest, " ")))
			return false;
	type = rest ? strstr(rest, " - ") : NULL; /* after any number of optional fields */
	if (!type || strncmp(type, " - cgroup2 ", 11) != 0)
		return false;
	*mount = (struct mount){ unescape(words[3]), unescape(words[4]) };
	return true;
}

/* Our own group as the kernel names it, which the caller frees; NULL: none. */
static char *read_own(void)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char *line = NULL, *own = NULL;
	size_t size = 0;

	while (file && !own && getline(&line, &size, file) >= 0)
		if (strncmp(line, "0::/", 4) == 0)
			own = xstrndup(line + 3, strcspn(line + 3, "\n"));
	free(line);
	if (file)
		(void)fclose(file); /* nothing was written */
	return own;
}

/* What is left of a group's name below that root; NULL when it is not there. */
static const char *below(const char *group, const char *root)
{
	size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

	/* "/..": a group beside the root of our cgroup namespace. */
	if (strncmp(group, root, length) != 0 || strncmp(group, "/..", 3) == 0 ||
	    (group[length] != '/' && group[length] != '\0'))
		return NULL;
	return strcmp(group + length, "/") == 0 ? "" : group + length;
}

static void look_at_mount(char *line, const char *own, struct own_group *group)
{
	struct mount mount;
	const char *rest;

	if (!parse_mount(line, &mount) || !(rest = below(own, mount.root)))
		return;
	/* A later one may be mounted over an earlier one. */
	own_group_fini(group);
	group->path = xasprintf("%s%s", mount.point, rest);
	group->top = xstrdup(mount.point);
}

void own_group_find(const char *within, struct own_group *group)
{
	char *own = read_own(), *line = NULL, *last;
	FILE *file = own ? fopen("/proc/self/mountinfo", "re") : NULL;
	size_t size = 0;

	*group = (struct own_group){ 0 };
	while (file && getline(&line, &size, file) >= 0)
		look_at_mount(line, own, group);
	free(line);
	free(own);
	if (file)
		(void)fclose(file); /* nothing was written */
	last = group->path ? strrchr(group->path, '/') : NULL;
	if (last && strcmp(last + 1, within) == 0)
		*last = '\0';
}

void own_group_fini(struct own_group *group)
{
	free(group->path);
	free(group->top);
	*group = (struct own_group){ 0 };
}
