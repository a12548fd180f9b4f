/* SPDX-License-Identifier: ISC */
/*
 * The cage of a service, as the administrator wants it: the keys, value by value.
 *
 * Called by service.c.  What two keys say against each other is seen by contradiction.c, and what
 * cannot be had here by ability.c, which also takes out again what can be done without.  So what is
 * left in struct service_cage is right, can be had, and is all that was asked for; what a handler
 * or a program has by itself comes to it later, in cage/.
 *
 * Files that are named must be there, but not for a service that is disabled.
 */
#include "config.h"

#include "config/cage.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cage/capability.h"
#include "cage/kernel.h"
#include "cage/syscalls.h"
#include "config/ability.h"
#include "config/contradiction.h"
#include "config/ports.h"
#include "config/rlimit.h"

#define MEMORY_MAX (1LL << 50)
#define TASKS_MAX  4194304 /* of the kernel: PID_MAX_LIMIT */

static void complain_twice(const struct builder *builder, const struct origin *at, enum key key,
			   const char *text)
{
	problem_add(&builder->loader->problems, at, "%s: %.200s is there twice",
		    key_table[key].name, text);
}

/* The root */

/* "/" is no other root than ours, and takes back one of the defaults. */
static void load_chroot(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_CHROOT);
	const struct service *service = builder->service;
	char why[VALUE_WHY], *path;

	if (setting == NULL)
		return;
	if (value_parse_path(setting->items[0].text, &path, why) < 0) {
		builder_complain(builder, &setting->origin, KEY_CHROOT, why);
		return;
	}
	if (!service->disable && value_check_directory(NULL, path, why) < 0)
		builder_complain(builder, &setting->origin, KEY_CHROOT, why);
	if (strcmp(path, "/") != 0)
		builder->service->cage.chroot = path;
	else
		free(path);
}

void cage_load_root(const struct builder *builder)
{
	static const char *const words[] = { "require", "best-effort", NULL };

	builder->service->cage.best_effort = builder_word(builder, KEY_SANDBOX, words, 0) == 1;
	load_chroot(builder);
}

/* limits */

static bool has_limit(const struct service_cage *cage, int resource)
{
	for (size_t i = 0; i < cage->nlimits; i++)
		if (cage->limits[i].resource == resource)
			return true;
	return false;
}

static void add_limit(struct service_cage *cage, const struct service_limit *limit)
{
	size_t place = cage->nlimits++;

	cage->limits = xreallocarray(cage->limits, cage->nlimits, sizeof(*cage->limits));
	for (; place > 0 && cage->limits[place - 1].resource > limit->resource; place--)
		cage->limits[place] = cage->limits[place - 1];
	cage->limits[place] = *limit;
}

static void load_limits(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_LIMITS);
	struct service_cage *cage = &builder->service->cage;
	struct service_limit limit;
	char why[VALUE_WHY];

	for (size_t i = 0; setting && i < setting->count; i++) {
		const struct origin at = item_origin(setting, i);

		if (rlimit_parse(setting->items[i].text, &limit, why) < 0)
			builder_complain(builder, &at, KEY_LIMITS, why);
		else if (has_limit(cage, limit.resource))
			complain_twice(builder, &at, KEY_LIMITS, rlimit_name(limit.resource));
		else
			add_limit(cage, &limit);
	}
}

/* capabilities */

#ifdef HAVE_CAPNG
#define NO_NAMES ""
#else
#define NO_NAMES                                                                                   \
	"; this begatd was built without libcap-ng and knows them by number only: "                \
	"<linux/capability.h>"
#endif

static void complain_capability(const struct builder *builder, const struct origin *at,
				const char *name)
{
	const char *nearest = capability_nearest(name);

	problem_add(&builder->loader->problems, at,
		    "capabilities: there is no capability \"%.64s\"%s%s%s" NO_NAMES, name,
		    nearest ? "; did you mean \"" : "", nearest ? nearest : "",
		    nearest ? "\"?" : "");
}

/* Those of the defaults are passed over for a handler, which never has any. */
static void load_capabilities(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_CAPABILITIES);
	struct service_cage *cage = &builder->service->cage;

	if (setting == NULL || builder->service->handler)
		return;
	cage->set_capabilities = true;
	for (size_t i = 0; i < setting->count; i++) {
		const struct origin at = item_origin(setting, i);
		const char *name = setting->items[i].text;
		int number = capability_find(name);

		if (number < 0)
			complain_capability(builder, &at, name);
		else if (cage->capabilities >> number & 1)
			complain_twice(builder, &at, KEY_CAPABILITIES, name);
		else
			cage->capabilities |= UINT64_C(1) << number;
	}
}

/* Paths */

static bool has_text(char *const *list, const char *text)
{
	for (; list && *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static void load_path(const struct builder *builder, enum key key, const struct origin *at,
		      const char *text, char ***list)
{
	char why[VALUE_WHY], *path;
	size_t count = 0;

	if (value_parse_path(text, &path, why) < 0) {
		builder_complain(builder, at, key, why);
		return;
	}
	if (!builder->service->disable && value_check_there(path, why) < 0)
		builder_complain(builder, at, key, why);
	else if (has_text(*list, path))
		complain_twice(builder, at, key, path);
	while ((*list)[count])
		count++;
	strv_add(list, &count, path);
}

static void load_paths(const struct builder *builder, enum key key, char ***list)
{
	const struct setting *setting = builder_find(builder, key);

	if (setting == NULL)
		return;
	*list = xcalloc(1, sizeof(**list));
	for (size_t i = 0; i < setting->count; i++) {
		const struct origin at = item_origin(setting, i);

		load_path(builder, key, &at, setting->items[i].text, list);
	}
}

/* system-calls */

/* Without libseccomp no name is known, and that there are no filters is said once (ability.c). */
static void check_call(const struct builder *builder, const struct origin *at, const char *item,
		       char *const *list)
{
	char why[VALUE_WHY];

	if (kernel_get()->has_filters && syscalls_check(item, why) < 0)
		builder_complain(builder, at, KEY_SYSTEM_CALLS, why);
	else if (has_text(list, item))
		complain_twice(builder, at, KEY_SYSTEM_CALLS, item);
}

static void load_system_calls(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_SYSTEM_CALLS);
	char ***list = &builder->service->cage.system_calls;
	size_t count = 0;

	if (setting && setting->count == 0)
		builder_complain(builder, &setting->origin, KEY_SYSTEM_CALLS,
				 "the list is empty, and nothing runs without system calls; to let "
				 "all of them in write @all");
	for (size_t i = 0; setting && i < setting->count; i++) {
		const struct origin at = item_origin(setting, i);

		check_call(builder, &at, setting->items[i].text, *list);
		strv_add(list, &count, xstrdup(setting->items[i].text));
	}
}

/* The others */

static void load_nice(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;

	cage->set_nice = builder_find(builder, KEY_NICE) != NULL;
	builder_integer(builder, KEY_NICE, -20, 19, &cage->nice);
}

static void load_private(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;

	cage->set_private_network = builder_find(builder, KEY_PRIVATE_NETWORK) != NULL;
	builder_bool(builder, KEY_PRIVATE_NETWORK, &cage->private_network);
	builder_bool(builder, KEY_PRIVATE_TMP, &cage->private_tmp);
	builder_bool(builder, KEY_PRIVATE_PIDS, &cage->private_pids);
}

static void load_cgroup(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;
	long long tasks = 0;

	builder_bool(builder, KEY_CGROUP, &cage->cgroup);
	builder_size(builder, KEY_MEMORY_MAX, MEMORY_MAX, &cage->memory_max);
	builder_number(builder, KEY_TASKS_MAX, TASKS_MAX, &tasks);
	cage->tasks_max = (unsigned)tasks;
}

void cage_load_values(const struct builder *builder)
{
	static const char *const death_words[] = { "finish", "die", NULL };
	struct service_cage *cage = &builder->service->cage;

	cage->die_with_master = builder_word(builder, KEY_ON_MASTER_DEATH, death_words, 0) == 1;
	load_nice(builder);
	load_limits(builder);
	load_capabilities(builder);
	load_private(builder);
	load_paths(builder, KEY_READ_ONLY, &cage->read_only);
	load_paths(builder, KEY_READ_WRITE, &cage->read_write);
	load_paths(builder, KEY_EXECUTE, &cage->execute);
	ports_load(builder, KEY_CONNECT, &cage->connect);
	ports_load(builder, KEY_BIND, &cage->bind);
	load_system_calls(builder);
	builder_bool(builder, KEY_MEMORY_DENY_WRITE_EXECUTE, &cage->deny_write_execute);
	load_cgroup(builder);
}

/* The rest of what is looked up within the root. */
static void check_directory(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_DIRECTORY);
	const struct service *service = builder->service;
	char why[VALUE_WHY];

	if (setting && service->cage.chroot && !service->disable &&
	    value_check_directory(service->cage.chroot, service->directory, why) < 0)
		builder_complain(builder, &setting->origin, KEY_DIRECTORY, why);
}

void cage_load(const struct builder *builder)
{
	cage_load_values(builder);
	check_directory(builder);
	contradiction_check(builder);
	ability_check(builder);
}

void cage_settings_fini(struct service_cage *cage)
{
	free(cage->limits);
	free(cage->chroot);
	strv_free(cage->read_only);
	strv_free(cage->read_write);
	strv_free(cage->execute);
	free(cage->connect.all);
	free(cage->bind.all);
	strv_free(cage->system_calls);
}
