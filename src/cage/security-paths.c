/* SPDX-License-Identifier: ISC */
/*
 * What the rules for files leave.
 *
 * A rule that is wide enough counts as none.  What no program starts without (itself, its loader
 * and libraries, /dev/null) is its own, and not counted; nor is an optional path that is missing.
 */
#include "config.h"

#include "cage/security-paths.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_one_of(const char *path, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(path, *names) == 0)
			return true;
	return false;
}

static bool is_everything(const char *path)
{
	return strcmp(path, "/") == 0;
}

static bool is_of_system(const char *path)
{
	static const char *const trees[] = { "/",    "/bin",   "/boot", "/dev",	 "/etc", "/home",
					     "/lib", "/lib64", "/proc", "/root", "/run", "/sbin",
					     "/sys", "/usr",   "/var",	NULL };

	return is_one_of(path, trees);
}

static bool has_all_programs(const char *path)
{
	return is_one_of(path, (const char *const[]){ "/", "/usr", "/usr/bin", "/bin", NULL });
}

static bool is_beneath(const char *path, const char *tree)
{
	const size_t length = strlen(tree);

	if (is_everything(tree))
		return true;
	return strncmp(path, tree, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool is_shared(const char *path)
{
	return is_everything(path) || is_beneath(path, "/tmp") || is_beneath(path, "/var/tmp");
}

bool paths_is_there(const struct rule *rule)
{
	return rule->path && (!rule->optional || access(rule->path, F_OK) == 0 || errno == EACCES);
}

bool paths_is_writable(const struct rule *rule)
{
	const uint64_t rights = LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_DIR | LANDLOCK_REMOVE_FILE |
				LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG | LANDLOCK_TRUNCATE;

	return rule->path && rule->rights & rights;
}

bool paths_is_own(const struct rules *own, const struct rule *rule)
{
	for (size_t i = 0; i < own->count; i++)
		if (strcmp(own->all[i].path, rule->path) == 0)
			return !(rule->rights & ~own->all[i].rights);
	return false;
}

/* The one in the other, either way. */
static bool is_executable_too(const struct rules *rules, const char *path)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct rule *each = &rules->all[i];

		if (each->path && each->rights & LANDLOCK_EXECUTE &&
		    (is_beneath(each->path, path) || is_beneath(path, each->path)))
			return true;
	}
	return false;
}

static void add_writable(const struct rules *rules, const char *path, struct security_paths *paths)
{
	paths->writable++;
	paths->system_writable |= is_of_system(path);
	paths->tmp_writable |= is_shared(path);
	paths->both |= is_executable_too(rules, path);
}

static void add_path(const struct rules *rules, const struct rule *rule,
		     struct security_paths *paths)
{
	paths->count++;
	if (rule->rights & LANDLOCK_READ_FILE)
		paths->all_readable |= is_everything(rule->path);
	if (paths_is_writable(rule))
		add_writable(rules, rule->path, paths);
	if (rule->rights & LANDLOCK_EXECUTE) {
		paths->executable++;
		paths->all_executable |= has_all_programs(rule->path);
	}
}

void paths_look(const struct rules *rules, const struct rules *own, struct security_paths *paths)
{
	const bool open = !rules->handled.files;

	*paths = (struct security_paths){
		.all_readable = open,
		.all_executable = open,
		.system_writable = open,
		.tmp_writable = open,
		.both = open,
	};
	for (size_t i = 0; i < rules->count; i++)
		if (paths_is_there(&rules->all[i]) && !paths_is_own(own, &rules->all[i]))
			add_path(rules, &rules->all[i], paths);
}
