/* SPDX-License-Identifier: ISC */
/*
 * Users and groups, resolved while the configuration is loaded: the master looks nothing up.
 *
 * The default is "nobody"; root must be asked for by name.  "groups" is the exact supplementary
 * set; without it, it is what initgroups(3) would set.  Only root can give a worker another
 * identity, so as an ordinary user everything stays as it is, and asking for more is an error and
 * not a wish.
 */
#include "config.h"

#include "config/account.h"

#include <bsd/stdlib.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define DEFAULT_USER "nobody"
#define ID_MAX	     4294967294LL /* the largest but one: -1 means "as it is" */

struct resolving {
	const struct account_request *request;
	struct service_identity *identity;
	struct problem_list *problems;
};

static int parse_id(const char *text, id_t *id)
{
	const char *error;

	if (*text == '\0' || text[strspn(text, "0123456789")])
		return -1;
	*id = (id_t)strtonum(text, 0, ID_MAX, &error);
	return error ? -1 : 0;
}

int account_find_user(const char *name, uid_t *uid)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		return parse_id(name, uid);
	*uid = user->pw_uid;
	return 0;
}

int account_find_group(const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);

	if (group == NULL)
		return parse_id(name, gid);
	*gid = group->gr_gid;
	return 0;
}

char *account_user_name(uid_t uid)
{
	const struct passwd *user = getpwuid(uid);
	char *name = user ? xstrdup(user->pw_name) : NULL;
	uid_t again;

	if (name && account_find_user(name, &again) == 0 && again == uid)
		return name;
	free(name);
	return xasprintf("%u", uid);
}

char *account_group_name(gid_t gid)
{
	const struct group *group = getgrgid(gid);
	char *name = group ? xstrdup(group->gr_name) : NULL;
	gid_t again;

	if (name && account_find_group(name, &again) == 0 && again == gid)
		return name;
	free(name);
	return xasprintf("%u", gid);
}

static const char *text_of(const struct setting *setting)
{
	return setting && setting->count ? setting->items[0].text : NULL;
}

static struct origin origin_of(const struct resolving *resolving, const struct setting *setting)
{
	return setting ? setting->origin : resolving->request->at;
}

/* Sets everything that the database says about the user; name may be a number. */
static int set_user(struct resolving *resolving, const char *name)
{
	struct service_identity *identity = resolving->identity;
	struct origin at = origin_of(resolving, resolving->request->user);
	const struct passwd *user = getpwnam(name);
	uid_t uid;

	if (user == NULL && parse_id(name, &uid) == 0)
		user = getpwuid(uid);
	else if (user == NULL) {
		problem_add(resolving->problems, &at, "user: there is no user \"%.64s\"", name);
		return -1;
	}
	if (user == NULL && resolving->request->group == NULL) {
		problem_add(resolving->problems, &at,
			    "user: %.64s is not in the user database; set \"group\" too", name);
		return -1;
	}
	identity->uid = user ? user->pw_uid : uid;
	identity->gid = user ? user->pw_gid : (gid_t)-1;
	identity->user = xstrdup(user ? user->pw_name : name);
	identity->home = xstrdup(user && *user->pw_dir ? user->pw_dir : "/");
	identity->shell = xstrdup(user && *user->pw_shell ? user->pw_shell : "/bin/sh");
	return 0;
}

static int set_group(struct resolving *resolving)
{
	const struct setting *setting = resolving->request->group;
	struct origin at = origin_of(resolving, setting);
	const char *name = text_of(setting);

	if (name && account_find_group(name, &resolving->identity->gid) < 0) {
		problem_add(resolving->problems, &at, "group: there is no group \"%.64s\"", name);
		return -1;
	}
	resolving->identity->group = account_group_name(resolving->identity->gid);
	return 0;
}

static int compare_gid(const void *first, const void *second)
{
	gid_t a = *(const gid_t *)first, b = *(const gid_t *)second;

	return (a > b) - (a < b);
}

static void sort_groups(struct service_identity *identity)
{
	size_t kept = 0;

	if (identity->ngroups == 0)
		return;
	qsort(identity->groups, identity->ngroups, sizeof(gid_t), compare_gid);
	for (size_t i = 0; i < identity->ngroups; i++)
		if (i == 0 || identity->groups[i] != identity->groups[kept - 1])
			identity->groups[kept++] = identity->groups[i];
	identity->ngroups = kept;
}

static void set_listed_groups(struct resolving *resolving)
{
	const struct setting *setting = resolving->request->groups;
	struct service_identity *identity = resolving->identity;

	identity->groups = xcalloc(setting->count, sizeof(gid_t));
	for (size_t i = 0; i < setting->count; i++) {
		struct origin at = item_origin(setting, i);
		gid_t *gid = &identity->groups[identity->ngroups];

		if (account_find_group(setting->items[i].text, gid) == 0)
			identity->ngroups++;
		else
			problem_add(resolving->problems, &at, "groups: there is no group \"%.64s\"",
				    setting->items[i].text);
	}
}

static void set_own_groups(struct service_identity *identity)
{
	int count = 64, room = 0;

	do {
		room = count;
		identity->groups = xreallocarray(identity->groups, (size_t)room, sizeof(gid_t));
	} while (getgrouplist(identity->user, identity->gid, identity->groups, &count) < 0 &&
		 count > room);
	identity->ngroups = (size_t)count;
}

static void check_groups(const struct resolving *resolving)
{
	const struct account_request *request = resolving->request;
	const struct setting *said = request->groups ? request->groups : request->user;

	if (resolving->identity->ngroups > SERVICE_GROUPS_MAX)
		problem_add(resolving->problems, said ? &said->origin : &request->at,
			    "%zu supplementary groups are more than %d; name those that are needed "
			    "with "
			    "\"groups\"",
			    resolving->identity->ngroups, SERVICE_GROUPS_MAX);
}

static void resolve_other(struct resolving *resolving)
{
	const char *name = text_of(resolving->request->user);

	resolving->identity->set = true;
	if (set_user(resolving, name ? name : DEFAULT_USER) < 0 || set_group(resolving) < 0)
		return;
	if (resolving->request->groups)
		set_listed_groups(resolving);
	else
		set_own_groups(resolving->identity);
	sort_groups(resolving->identity);
	check_groups(resolving);
}

static void check_self(struct resolving *resolving)
{
	const struct account_request *request = resolving->request;
	const char *user = text_of(request->user), *group = text_of(request->group);
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (user && (account_find_user(user, &uid) < 0 || uid != geteuid()))
		problem_add(resolving->problems, &request->user->origin,
			    "user: only root can run a service as \"%.64s\"", user);
	if (group && (account_find_group(group, &gid) < 0 || gid != getegid()))
		problem_add(resolving->problems, &request->group->origin,
			    "group: only root can run a service as \"%.64s\"", group);
	if (request->groups)
		problem_add(resolving->problems, &request->groups->origin,
			    "groups: only root can set them");
}

static void resolve_self(struct resolving *resolving)
{
	struct service_identity *identity = resolving->identity;
	const struct passwd *user = getpwuid(geteuid());

	check_self(resolving);
	identity->uid = geteuid();
	identity->gid = getegid();
	identity->home = xstrdup(user && *user->pw_dir ? user->pw_dir : "/");
	identity->shell = xstrdup(user && *user->pw_shell ? user->pw_shell : "/bin/sh");
	identity->user = account_user_name(identity->uid);
	identity->group = account_group_name(identity->gid);
}

void account_resolve(const struct account_request *request, struct service_identity *identity,
		     struct problem_list *problems)
{
	struct resolving resolving = { .request = request,
				       .identity = identity,
				       .problems = problems };

	*identity = (struct service_identity){ 0 };
	if (geteuid() == 0)
		resolve_other(&resolving);
	else
		resolve_self(&resolving);
}

void account_fini(struct service_identity *identity)
{
	free(identity->groups);
	free(identity->user);
	free(identity->group);
	free(identity->home);
	free(identity->shell);
	*identity = (struct service_identity){ 0 };
}

static char *copy_text(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void account_copy(const struct service_identity *from, struct service_identity *to)
{
	*to = *from;
	to->groups = xcalloc(from->ngroups, sizeof(gid_t));
	if (from->ngroups)
		memcpy(to->groups, from->groups, from->ngroups * sizeof(gid_t));
	to->user = copy_text(from->user);
	to->group = copy_text(from->group);
	to->home = copy_text(from->home);
	to->shell = copy_text(from->shell);
}
