/* SPDX-License-Identifier: ISC */
/*
 * Keys of a cage that say the opposite of each other.
 *
 * Called by cage.c when every value by itself is right.  A wall that would not be where the
 * administrator believes it to be is an error; one that merely does not hold this user is a
 * warning. Each message is at the key that is in vain, and names the other with its place, which
 * may be in another section or file.
 */
#include "config.h"

#include "config/contradiction.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cage/kernel.h"
#include "cage/syscalls.h"

#define PLACE 300 /* bytes of the other key's place */

/* "chroot (begat.conf:7)" */
static const char *format_place(const struct builder *builder, enum key key,
				char text[static PLACE])
{
	const struct setting *setting = builder_find(builder, key);

	if (setting)
		snprintf(text, PLACE, "%s (%.200s:%d)", key_table[key].name, setting->origin.file,
			 setting->origin.line);
	else
		snprintf(text, PLACE, "%s", key_table[key].name);
	return text;
}

static const struct origin *place_of(const struct builder *builder, enum key key)
{
	const struct setting *setting = builder_find(builder, key);

	return setting ? &setting->origin : &builder->service->origin;
}

static void contradict(const struct builder *builder, enum key key, enum key other, const char *why)
{
	char place[PLACE];

	problem_add(&builder->loader->problems, place_of(builder, key), "%s: contradicts %s: %s",
		    key_table[key].name, format_place(builder, other, place), why);
}

/* Paths */

struct paths {
	enum key key;
	char *const *list; /* may be NULL */
};

#define LISTS 3

static void find_lists(const struct builder *builder, struct paths lists[static LISTS])
{
	const struct service_cage *cage = &builder->service->cage;

	lists[0] = (struct paths){ KEY_READ_ONLY, cage->read_only };
	lists[1] = (struct paths){ KEY_READ_WRITE, cage->read_write };
	lists[2] = (struct paths){ KEY_EXECUTE, cage->execute };
}

/* Where it stands in a list whose items may be written in other ways. */
static struct origin find_item(const struct builder *builder, enum key key, const char *path)
{
	const struct setting *setting = builder_find(builder, key);
	char why[VALUE_WHY], *each;
	bool found = false;
	size_t i;

	for (i = 0; i < setting->count; i++) {
		if (value_parse_path(setting->items[i].text, &each, why) < 0)
			continue;
		found = strcmp(each, path) == 0;
		free(each);
		if (found)
			break;
	}
	return item_origin(setting, i);
}

/* What path leads to, where that is outside of root; the caller frees it.  NULL: it is within, or
 * one of them is not there, which is said elsewhere. */
static char *find_outside(const char *path, const char *root)
{
	char *real = realpath(path, NULL), *real_root = realpath(root, NULL);

	if (real_root == NULL || (real && path_inside(real, real_root))) {
		free(real);
		real = NULL;
	}
	free(real_root);
	return real;
}

static void check_path_in_root(const struct builder *builder, enum key key, const char *path)
{
	const char *root = builder->service->cage.chroot;
	char *outside = NULL, place[PLACE];
	struct origin at;

	if (!builder->service->disable)
		outside = find_outside(path, root);
	else if (!path_inside(path, root))
		outside = xstrdup(path);
	if (outside == NULL)
		return;
	at = find_item(builder, key, path);
	format_place(builder, KEY_CHROOT, place);
	if (path_inside(path, root))
		problem_add(
			&builder->loader->problems, &at,
			"%s: %.200s leads to %.200s, outside of %s; name the file within it that "
			"is meant",
			key_table[key].name, path, outside, place);
	else
		problem_add(&builder->loader->problems, &at,
			    "%s: %.200s is outside of %s; paths are those of the host, such as "
			    "%.200s%.200s",
			    key_table[key].name, path, place, root, path);
	free(outside);
}

static void check_root(const struct builder *builder)
{
	const struct service_cage *cage = &builder->service->cage;
	struct paths lists[LISTS];

	if (cage->chroot == NULL)
		return;
	find_lists(builder, lists);
	for (size_t i = 0; i < LISTS; i++)
		for (char *const *path = lists[i].list; path && *path; path++)
			check_path_in_root(builder, lists[i].key, *path);
	if (cage->private_tmp)
		contradict(
			builder, KEY_PRIVATE_TMP, KEY_CHROOT,
			"the /tmp that is made private is the host's, which is outside of it; use "
			"private-tmp = false");
}

/* Landlock only ever allows: what lies in a directory that may be written may be written too. */
static void check_unwritten(const struct builder *builder, const char *path, const char *written)
{
	struct origin at;
	char place[PLACE];

	if (!path_inside(path, written))
		return;
	at = find_item(builder, KEY_READ_ONLY, path);
	problem_add(
		&builder->loader->problems, &at,
		"read-only: %.200s can be written, because of %.200s in %s; name there only what "
		"is to be written",
		path, written, format_place(builder, KEY_READ_WRITE, place));
}

static void check_read_only(const struct builder *builder)
{
	const struct service_cage *cage = &builder->service->cage;

	for (char *const *path = cage->read_only; path && *path; path++)
		for (char *const *other = cage->read_write; other && *other; other++)
			check_unwritten(builder, *path, *other);
}

/* private-tmp */

static bool is_in_tmp(const char *path)
{
	return path && ((path_inside(path, "/tmp") && strcmp(path, "/tmp") != 0) ||
			(path_inside(path, "/var/tmp") && strcmp(path, "/var/tmp") != 0));
}

static void check_out_of_tmp(const struct builder *builder, enum key key, const char *path)
{
	struct origin at;
	char place[PLACE];

	if (!is_in_tmp(path))
		return;
	at = find_item(builder, key, path);
	problem_add(&builder->loader->problems, &at,
		    "%s: %.200s is not there with %s, which makes /tmp and /var/tmp empty",
		    key_table[key].name, path, format_place(builder, KEY_PRIVATE_TMP, place));
}

static void check_tmp(const struct builder *builder)
{
	const struct service *service = builder->service;
	struct paths lists[LISTS];

	if (!service->cage.private_tmp || service->cage.chroot)
		return;
	find_lists(builder, lists);
	for (size_t i = 0; i < LISTS; i++)
		for (char *const *path = lists[i].list; path && *path; path++)
			check_out_of_tmp(builder, lists[i].key, *path);
	check_out_of_tmp(builder, KEY_DIRECTORY, service->directory);
	if (service->exec)
		check_out_of_tmp(builder, KEY_EXEC, service->exec[0]);
}

/* Networks and groups */

/* A Unix socket with a path is reached from everywhere. */
static bool needs_network(const struct service *service)
{
	for (char *const *target = service_targets(service); *target; target++)
		if (strncmp(*target, "unix:/", 6) != 0)
			return true;
	return false;
}

static void check_network(const struct builder *builder)
{
	static const char why[] = "there is no network to reach; leave one of them out";
	const struct service_cage *cage = &builder->service->cage;

	if (!cage->private_network)
		return;
	if (needs_network(builder->service))
		contradict(builder, KEY_REDIRECT, KEY_PRIVATE_NETWORK,
			   "there is no network to reach; use private-network = false");
	if (cage->connect.count)
		contradict(builder, KEY_CONNECT, KEY_PRIVATE_NETWORK, why);
	if (cage->bind.count)
		contradict(builder, KEY_BIND, KEY_PRIVATE_NETWORK, why);
}

/* Who says "cgroup = false" in a service takes back what the defaults have for groups. */
static void check_group(const struct builder *builder, enum key key, bool wanted)
{
	char place[PLACE];

	if (!wanted || builder->service->cage.cgroup)
		return;
	if (builder_own(builder, KEY_CGROUP) && !builder_own(builder, key))
		return;
	problem_add(&builder->loader->problems, place_of(builder, key),
		    "%s: a control group keeps it, and \"%s\" has none: set %s to true",
		    key_table[key].name, builder->service->name,
		    format_place(builder, KEY_CGROUP, place));
}

static void check_groups(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;

	check_group(builder, KEY_MEMORY_MAX, cage->memory_max > 0);
	check_group(builder, KEY_TASKS_MAX, cage->tasks_max > 0);
	if (cage->cgroup)
		return;
	cage->memory_max = 0;
	cage->tasks_max = 0;
}

/* Privileges */

static bool is_root(const struct service *service)
{
	return (service->identity.set ? service->identity.uid : geteuid()) == 0;
}

/* At the moment at which the last walls go up.  Handlers never keep any. */
static bool keeps_capability(const struct service *service, int number)
{
	if (service->handler)
		return false;
	if (service->cage.set_capabilities)
		return service->cage.capabilities >> number & 1;
	return is_root(service) && (kernel_get()->capabilities >> number & 1);
}

/* Landlock and seccomp want either: landlock(7), seccomp(2). */
static void check_privileges(const struct builder *builder)
{
	const struct service *service = builder->service;
	const struct service_cage *cage = &service->cage;
	const struct {
		enum key key;
		bool set;
	} walls[] = {
		{ KEY_READ_ONLY, cage->read_only != NULL },
		{ KEY_READ_WRITE, cage->read_write != NULL },
		{ KEY_EXECUTE, cage->execute != NULL },
		{ KEY_CONNECT, cage->connect.set },
		{ KEY_BIND, cage->bind.set },
		{ KEY_SYSTEM_CALLS, cage->system_calls && !syscalls_is_all(cage->system_calls) },
	};

	if (service->no_new_privileges || keeps_capability(service, CAP_SYS_ADMIN))
		return;
	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++)
		if (walls[i].set)
			contradict(
				builder, walls[i].key, KEY_NO_NEW_PRIVILEGES,
				"the kernel takes it only from who can gain no privileges, or has "
				"CAP_SYS_ADMIN; use no-new-privileges = true");
}

/* Walls that do not hold root */

static void check_processes(const struct builder *builder)
{
	const struct service *service = builder->service;

	for (size_t i = 0; i < service->cage.nlimits; i++)
		if (service->cage.limits[i].resource == RLIMIT_NPROC &&
		    service->cage.limits[i].soft != RLIM_INFINITY && is_root(service))
			problem_warn(&builder->loader->problems, place_of(builder, KEY_LIMITS),
				     "limits: nproc does not hold root, as who \"%s\" runs; use "
				     "tasks-max, or another user",
				     service->name);
}

static void check_root_in_root(const struct builder *builder)
{
	const struct service *service = builder->service;

	if (service->cage.chroot && is_root(service) && keeps_capability(service, CAP_SYS_CHROOT))
		problem_warn(&builder->loader->problems, place_of(builder, KEY_CHROOT),
			     "chroot: root, as who \"%s\" runs, gets out of it; use another user, "
			     "or capabilities without sys-chroot",
			     service->name);
}

void contradiction_check(const struct builder *builder)
{
	check_root(builder);
	check_read_only(builder);
	check_tmp(builder);
	check_network(builder);
	check_groups(builder);
	check_privileges(builder);
	check_processes(builder);
	check_root_in_root(builder);
}
