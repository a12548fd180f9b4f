/* SPDX-License-Identifier: ISC */
/*
 * What of a cage can be had here, from this kernel, by this build, and by the user who runs us.
 *
 * Called by cage.c.  The kernel is asked only when a key needs it (cage/kernel.h), so that whoever
 * sets none of them pays for none.  What is checked is what the worker will do, with the privileges
 * that we have now: the master keeps them.  A service that is disabled may be meant for another
 * machine.
 */
#include "config.h"

#include "config/ability.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "cage/capability.h"
#include "cage/cgroup.h"
#include "cage/kernel.h"
#include "cage/syscalls.h"
#include "config/rlimit.h"

#ifdef HAVE_SECCOMP
#define NO_FILTERS                                                                                 \
	"this kernel has no filters of system calls; they need CONFIG_SECCOMP_FILTER, and a "      \
	"container may deny them"
#else
#define NO_FILTERS                                                                                 \
	"this begatd was built without libseccomp; build it with libseccomp-dev installed"
#endif

static bool has_capability(int number)
{
	return kernel_get()->capabilities >> number & 1;
}

static void complain(const struct builder *builder, const struct origin *at, enum key key,
		     const char *why)
{
	struct problem_list *problems = &builder->loader->problems;

	if (builder->service->cage.best_effort)
		problem_warn(problems, at, "%s: %s; it is left out", key_table[key].name, why);
	else
		problem_add(problems, at, "%s: %s; or use sandbox = \"best-effort\"",
			    key_table[key].name, why);
}

static void complain_at_key(const struct builder *builder, enum key key, const char *why)
{
	const struct setting *setting = builder_find(builder, key);

	complain(builder, setting ? &setting->origin : &builder->service->origin, key, why);
}

/* Where the item stands that begins with this name and an equals sign. */
static struct origin find_item(const struct builder *builder, enum key key, const char *name)
{
	const struct setting *setting = builder_find(builder, key);
	size_t length = strlen(name);

	for (size_t i = 0; i < setting->count; i++)
		if (strncmp(setting->items[i].text, name, length) == 0 &&
		    setting->items[i].text[length] == '=')
			return item_origin(setting, i);
	return setting->origin;
}

/* Root and namespaces */

void ability_check_root(const struct builder *builder)
{
	struct service *service = builder->service;

	if (service->cage.chroot == NULL || service->disable || has_capability(CAP_SYS_CHROOT))
		return;
	complain_at_key(builder, KEY_CHROOT,
			"needs CAP_SYS_CHROOT, which this begatd does not have; run it as root");
	if (!service->cage.best_effort)
		return;
	free(service->cage.chroot);
	service->cage.chroot = NULL;
}

static const char *namespaces_lack(void)
{
	if (!has_capability(CAP_SYS_ADMIN))
		return "needs CAP_SYS_ADMIN, which this begatd does not have; run it as root";
	return "this kernel makes no namespaces for us, or a container denies them; see "
	       "/proc/sys/user/max_*_namespaces";
}

static void check_namespaces(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;
	const struct {
		enum key key;
		bool *wanted;
	} keys[] = {
		{ KEY_PRIVATE_NETWORK, &cage->private_network },
		{ KEY_PRIVATE_TMP, &cage->private_tmp },
		{ KEY_PRIVATE_PIDS, &cage->private_pids },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!*keys[i].wanted || kernel_has_namespaces())
			continue;
		complain_at_key(builder, keys[i].key, namespaces_lack());
		*keys[i].wanted = false;
	}
}

/* Landlock */

static void check_files(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;
	const struct {
		enum key key;
		char ***list;
	} keys[] = {
		{ KEY_READ_ONLY, &cage->read_only },
		{ KEY_READ_WRITE, &cage->read_write },
		{ KEY_EXECUTE, &cage->execute },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (*keys[i].list == NULL || kernel_get()->landlock >= 1)
			continue;
		complain_at_key(
			builder, keys[i].key,
			"this kernel has no Landlock, which needs Linux 5.13 and \"landlock\" "
			"in /sys/kernel/security/lsm (boot with lsm=landlock,...)");
		strv_free(*keys[i].list);
		*keys[i].list = NULL;
	}
}

static void check_port(const struct builder *builder, enum key key, struct service_ports *ports)
{
	const int abi = kernel_get()->landlock;
	char why[VALUE_WHY];

	if (abi >= 4)
		return;
	if (abi >= 1)
		snprintf(why, sizeof(why),
			 "Landlock of this kernel (ABI %d) knows no ports, which needs Linux 6.7; "
			 "private-network takes the whole network away",
			 abi);
	else
		snprintf(why, sizeof(why),
			 "this kernel has no Landlock, which knows ports since Linux 6.7; "
			 "private-network takes the whole network away");
	complain_at_key(builder, key, why);
	free(ports->all);
	*ports = (struct service_ports){ .set = false };
}

static void check_ports(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;

	if (cage->connect.set)
		check_port(builder, KEY_CONNECT, &cage->connect);
	if (cage->bind.set)
		check_port(builder, KEY_BIND, &cage->bind);
}

/* Filters, which a list of all calls does not need, and memory */

static void check_calls(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;

	if (cage->system_calls == NULL || syscalls_is_all(cage->system_calls) ||
	    kernel_get()->has_filters)
		return;
	complain_at_key(builder, KEY_SYSTEM_CALLS, NO_FILTERS);
	strv_free(cage->system_calls);
	cage->system_calls = NULL;
}

static void check_memory(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;

	if (!cage->deny_write_execute || kernel_get()->has_deny_write_execute)
		return;
	complain_at_key(builder, KEY_MEMORY_DENY_WRITE_EXECUTE,
			"this kernel does not know PR_SET_MDWE, which needs Linux 6.3");
	cage->deny_write_execute = false;
}

/* Capabilities */

static void complain_capabilities(const struct builder *builder, uint64_t missing)
{
	char name[CAPABILITY_NAME], why[VALUE_WHY];

	for (int number = 0; number < 64; number++) {
		if (!(missing >> number & 1))
			continue;
		capability_format(number, name);
		snprintf(why, sizeof(why),
			 "this begatd does not have %s itself, and cannot give it", name);
		complain_at_key(builder, KEY_CAPABILITIES, why);
	}
}

/* The bounding set is root's to change; who has nothing else changes nothing. */
static void check_capabilities(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;
	uint64_t missing;

	if (!cage->set_capabilities)
		return;
	missing = cage->capabilities & ~kernel_get()->capabilities;
	if (missing)
		complain_capabilities(builder, missing);
	cage->capabilities &= ~missing;
	if (!builder->service->identity.set || has_capability(CAP_SETPCAP))
		return;
	complain_at_key(builder, KEY_CAPABILITIES,
			"needs CAP_SETPCAP, which this begatd does not have");
	cage->set_capabilities = false;
	cage->capabilities = 0;
}

/* nice and limits */

/* The numbers of getpriority(2), of which RLIMIT_NICE holds 20 less. */
static int least_nice(void)
{
	struct rlimit limit;
	int own, least;

	errno = 0;
	own = getpriority(PRIO_PROCESS, 0); /* of ourselves: cannot fail */
	if (getrlimit(RLIMIT_NICE, &limit) < 0)
		return own;
	least = limit.rlim_cur > 40 ? -20 : 20 - (int)limit.rlim_cur;
	return least < own ? least : own;
}

static void check_nice(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;
	char why[VALUE_WHY];

	if (!cage->set_nice || cage->nice >= least_nice() || has_capability(CAP_SYS_NICE))
		return;
	snprintf(why, sizeof(why),
		 "%d needs CAP_SYS_NICE, which this begatd does not have; %d is the least",
		 cage->nice, least_nice());
	complain_at_key(builder, KEY_NICE, why);
	cage->set_nice = false;
	cage->nice = 0;
}

/* Nobody may have more descriptors than this, whatever the privileges. */
static uint64_t most_descriptors(void)
{
	FILE *file = fopen("/proc/sys/fs/nr_open", "re");
	uint64_t most;

	if (file == NULL)
		return RLIM_INFINITY;
	if (fscanf(file, "%" SCNu64, &most) != 1)
		most = RLIM_INFINITY;
	fclose(file); /* was read only */
	return most;
}

static int check_descriptors(const struct service_limit *limit, char why[static VALUE_WHY])
{
	const uint64_t most = most_descriptors();
	char text[RLIMIT_TEXT];

	if (limit->hard <= most)
		return 0;
	rlimit_format(limit, text);
	snprintf(why, VALUE_WHY,
		 "%s is more than this kernel gives anybody, which is %" PRIu64
		 ": see sysctl fs.nr_open",
		 text, most);
	return -1;
}

static int check_hard(const struct service_limit *limit, char why[static VALUE_WHY])
{
	struct service_limit most = { .resource = limit->resource };
	char wanted[RLIMIT_TEXT], text[RLIMIT_TEXT];
	struct rlimit ours;

	if (getrlimit((__rlimit_resource_t)limit->resource, &ours) < 0 ||
	    limit->hard <= ours.rlim_max || has_capability(CAP_SYS_RESOURCE))
		return 0;
	most.soft = most.hard = ours.rlim_max;
	rlimit_format(limit, wanted);
	rlimit_format(&most, text);
	snprintf(why, VALUE_WHY,
		 "%s is above the hard limit of this begatd, %s; raise that where it is started "
		 "(ulimit -H, Limit...= in its unit)",
		 wanted, text);
	return -1;
}

static bool can_limit(const struct service_limit *limit, char why[static VALUE_WHY])
{
	if (limit->resource == RLIMIT_NOFILE && check_descriptors(limit, why) < 0)
		return false;
	return check_hard(limit, why) == 0;
}

static void complain_limit(const struct builder *builder, const struct service_limit *limit,
			   const char *why)
{
	const struct origin at = find_item(builder, KEY_LIMITS, rlimit_name(limit->resource));

	complain(builder, &at, KEY_LIMITS, why);
}

static void check_limits(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;
	size_t kept = 0;
	char why[VALUE_WHY];

	for (size_t i = 0; i < cage->nlimits; i++) {
		if (can_limit(&cage->limits[i], why))
			cage->limits[kept++] = cage->limits[i];
		else
			complain_limit(builder, &cage->limits[i], why);
	}
	cage->nlimits = kept;
}

/* Control groups */

static void check_group(const struct builder *builder)
{
	struct service_cage *cage = &builder->service->cage;
	const struct cgroup_limits limits = { .memory_max = cage->memory_max,
					      .tasks_max = cage->tasks_max };
	char why[CGROUP_WHY];

	if (!cage->cgroup)
		return;
	if (!kernel_get()->has_clone_into_cgroup)
		snprintf(why, sizeof(why),
			 "this kernel cannot make a process in a group, which needs "
			 "Linux 5.7");
	else if (cgroup_check(&limits, why) == 0)
		return;
	complain_at_key(builder, KEY_CGROUP, why);
	cage->cgroup = false;
	cage->memory_max = 0;
	cage->tasks_max = 0;
}

void ability_check(const struct builder *builder)
{
	if (builder->service->disable)
		return;
	check_namespaces(builder);
	check_files(builder);
	check_ports(builder);
	check_calls(builder);
	check_memory(builder);
	check_capabilities(builder);
	check_nice(builder);
	check_limits(builder);
	check_group(builder);
}
