/* SPDX-License-Identifier: ISC */
/*
 * How much a service's workers expose.
 *
 * security_items is the whole of it: an item holds or it does not, and then it costs its weight.
 * What an item asks is what the cage really does, not what keys were set: a program whose filter
 * leaves it no call to open a file needs no rules for files.  Nothing is compiled or changed here.
 */
#include "config.h"

#include "cage/security.h"
#include "cage/program.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/landlock.h"
#include "cage/guard.h"

#define BIT(capability) (UINT64_C(1) << (capability))

/* Each of them gives back, by a detour, what root has. */
static const uint64_t powerful = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) |
				 BIT(CAP_FOWNER) | BIT(CAP_SETGID) | BIT(CAP_SETUID) |
				 BIT(CAP_SETPCAP) | BIT(CAP_NET_ADMIN) | BIT(CAP_SYS_MODULE) |
				 BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_ADMIN) |
				 BIT(CAP_MKNOD) | BIT(CAP_SETFCAP) | BIT(CAP_MAC_OVERRIDE) |
				 BIT(CAP_MAC_ADMIN) | BIT(CAP_SYS_BOOT) | BIT(CAP_BPF);

/* Facts */

bool security_can(const struct security *security, unsigned uses)
{
	return security->calls->uses & uses;
}

static bool has_rules(const struct security *security)
{
	return security->cage->rules.handled.files;
}

/* Which whoever may change it again is not in. */
static bool is_in_chroot(const struct security *security)
{
	return security->cage->chroot && !(security->capabilities & BIT(CAP_SYS_CHROOT));
}

static bool has_sockets(const struct security *security)
{
	return !security->cage->private_network && security_can(security, CALLS_CONNECT);
}

bool security_has_network(const struct security *security)
{
	return has_sockets(security) && !(security->cage->guards & GUARD_UNIX);
}

bool security_has_all_ports(const struct security *security, uint64_t right)
{
	return security_has_network(security) && !(security->cage->rules.handled.ports & right);
}

size_t security_count_ports(const struct security *security, uint64_t right)
{
	const struct rules *rules = &security->cage->rules;
	size_t count = 0;

	if (!security_has_network(security))
		return 0;
	for (size_t i = 0; i < rules->count; i++)
		count += rules->all[i].path == NULL && rules->all[i].rights & right;
	return count;
}

static bool has_limit(const struct security *security, int resource)
{
	for (size_t i = 0; i < security->cage->nlimits; i++)
		if (security->cage->limits[i].resource == resource)
			return security->cage->limits[i].hard != RLIM_INFINITY;
	return false;
}

static bool is_root(const struct security *security)
{
	return security->service->identity.uid == 0;
}

/* Items: who */

static bool has_root_group(const struct security *security)
{
	if (security->service->identity.gid == 0)
		return true;
	for (size_t i = 0; i < security->ngroups; i++)
		if (security->groups[i] == 0)
			return true;
	return false;
}

static bool has_powerful(const struct security *security)
{
	return security->capabilities & powerful;
}

static bool has_capability(const struct security *security)
{
	return security->capabilities;
}

static bool may_gain(const struct security *security)
{
	return !security->service->no_new_privileges && security_can(security, CALLS_EXECUTE);
}

/* Items: system calls */

static bool has_no_filter(const struct security *security)
{
	return !security->calls->filtered;
}

#define HAS_SET(name, set)                                                                         \
	static bool name(const struct security *security)                                          \
	{                                                                                          \
		return security->calls->sets & (set);                                              \
	}

HAS_SET(has_mount, CALLS_MOUNT)
HAS_SET(has_module, CALLS_MODULE)
HAS_SET(has_raw_io, CALLS_RAW_IO)
HAS_SET(has_debug, CALLS_DEBUG)
HAS_SET(has_privileged, CALLS_PRIVILEGED)
HAS_SET(has_reboot, CALLS_REBOOT)
HAS_SET(has_swap, CALLS_SWAP)
HAS_SET(has_clock, CALLS_CLOCK)
HAS_SET(has_keyring, CALLS_KEYRING)
HAS_SET(has_obsolete, CALLS_OBSOLETE)

/* Items: files */

static bool reads_all(const struct security *security)
{
	return security->paths.all_readable && security_can(security, CALLS_OPEN);
}

static bool writes_system(const struct security *security)
{
	return security->paths.system_writable && security_can(security, CALLS_CHANGE);
}

static bool executes_all(const struct security *security)
{
	return security->paths.all_executable && security_can(security, CALLS_EXECUTE);
}

static bool executes_written(const struct security *security)
{
	return security->paths.both && security_can(security, CALLS_EXECUTE) &&
	       security_can(security, CALLS_CHANGE);
}

static bool sees_host(const struct security *security)
{
	return !has_rules(security) && !is_in_chroot(security) &&
	       security_can(security, CALLS_OPEN | CALLS_CHANGE | CALLS_EXECUTE);
}

static bool shares_tmp(const struct security *security)
{
	return security->paths.tmp_writable && !security->cage->private_tmp &&
	       !is_in_chroot(security) && security_can(security, CALLS_CHANGE);
}

static bool makes_writable(const struct security *security)
{
	const bool writes = !has_rules(security) || security->paths.writable;

	return writes && (security->service->umask & 022) != 022 &&
	       security_can(security, CALLS_CHANGE);
}

/* Items: the network */

static bool connects_all(const struct security *security)
{
	return security_has_all_ports(security, LANDLOCK_CONNECT);
}

static bool connects(const struct security *security)
{
	return connects_all(security) || security_count_ports(security, LANDLOCK_CONNECT);
}

static bool binds_all(const struct security *security)
{
	return security_has_all_ports(security, LANDLOCK_BIND);
}

static bool binds(const struct security *security)
{
	return binds_all(security) || security_count_ports(security, LANDLOCK_BIND);
}

static bool has_abstract_sockets(const struct security *security)
{
	return has_sockets(security) &&
	       !(security->cage->rules.handled.scopes & LANDLOCK_ABSTRACT_SOCKETS);
}

/* Items: the rest */

static bool signals_others(const struct security *security)
{
	return !security->cage->private_pids && security_can(security, CALLS_SIGNAL) &&
	       !(security->cage->rules.handled.scopes & LANDLOCK_SIGNALS);
}

/* RLIMIT_NPROC does not hold root: setrlimit(2). */
static bool forks_freely(const struct security *security)
{
	const bool limited = has_limit(security, RLIMIT_NPROC) && !is_root(security);

	return !limited && !security->cage->tasks_max && security_can(security, CALLS_FORK);
}

static bool fills_memory(const struct security *security)
{
	return !has_limit(security, RLIMIT_AS) && !has_limit(security, RLIMIT_DATA) &&
	       !security->cage->memory_max;
}

static bool executes_memory(const struct security *security)
{
	return !security->cage->deny_write_execute && security_can(security, CALLS_MAP);
}

static bool tells_client(const struct security *security)
{
	return security->service->stderr_to == SERVICE_STDERR_CLIENT;
}

/* The table */

const struct security_item security_items[SECURITY_ITEMS] = {
	{ "root", "runs as root", "user", SECURITY_WHO, 12, is_root },
	{ "root-group", "is in root's group", "group, groups", SECURITY_WHO, 2, has_root_group },
	{ "powerful-capabilities", "keeps capabilities that are as good as root", "capabilities",
	  SECURITY_WHO, 10, has_powerful },
	{ "capabilities", "keeps capabilities", "capabilities", SECURITY_WHO, 4, has_capability },
	{ "new-privileges", "gains privileges by set-user-id programs", "no-new-privileges",
	  SECURITY_REST, 10, may_gain },

	{ "no-filter", "no filter of system calls", "system-calls", SECURITY_CALLS, 6,
	  has_no_filter },
	{ "calls-mount", "@mount", "system-calls", SECURITY_CALLS, 2, has_mount },
	{ "calls-module", "@module", "system-calls", SECURITY_CALLS, 2, has_module },
	{ "calls-raw-io", "@raw-io", "system-calls", SECURITY_CALLS, 2, has_raw_io },
	{ "calls-debug", "@debug", "system-calls", SECURITY_CALLS, 2, has_debug },
	{ "calls-privileged", "@privileged", "system-calls", SECURITY_CALLS, 2, has_privileged },
	{ "calls-reboot", "@reboot", "system-calls", SECURITY_CALLS, 1, has_reboot },
	{ "calls-swap", "@swap", "system-calls", SECURITY_CALLS, 1, has_swap },
	{ "calls-clock", "@clock", "system-calls", SECURITY_CALLS, 1, has_clock },
	{ "calls-keyring", "@keyring", "system-calls", SECURITY_CALLS, 1, has_keyring },
	{ "calls-obsolete", "@obsolete or @cpu-emulation", "system-calls", SECURITY_CALLS, 1,
	  has_obsolete },

	{ "reads-all", "reads every file", "read-only", SECURITY_FILES, 4, reads_all },
	{ "writes-system", "writes in the system's directories", "read-write", SECURITY_FILES, 5,
	  writes_system },
	{ "executes-all", "executes every program", "execute", SECURITY_FILES, 3, executes_all },
	{ "executes-written", "executes what it has written", "read-write, execute", SECURITY_FILES,
	  2, executes_written },
	{ "host-files", "sees the files of the whole host", "read-only, chroot", SECURITY_FILES, 3,
	  sees_host },
	{ "shared-tmp", "shares /tmp with everybody", "private-tmp", SECURITY_FILES, 2,
	  shares_tmp },
	{ "umask", "makes files that others may write", "umask", SECURITY_FILES, 1,
	  makes_writable },

	{ "connects-all", "connects to every TCP port", "connect", SECURITY_NETWORK, 3,
	  connects_all },
	{ "connects", "connects by TCP", "connect, private-network", SECURITY_NETWORK, 1,
	  connects },
	{ "binds-all", "binds every TCP port", "bind", SECURITY_NETWORK, 2, binds_all },
	{ "binds", "binds TCP ports", "bind, private-network", SECURITY_NETWORK, 1, binds },
	{ "other-sockets", "has UDP and other sockets", "private-network", SECURITY_NETWORK, 4,
	  security_has_network },
	{ "abstract-sockets", "reaches abstract Unix sockets", "private-network", SECURITY_NETWORK,
	  2, has_abstract_sockets },

	{ "signals", "signals other processes", "private-pids", SECURITY_REST, 2, signals_others },
	{ "processes", "has no limit of processes", "limits, tasks-max", SECURITY_REST, 2,
	  forks_freely },
	{ "memory", "has no limit of memory", "limits, memory-max", SECURITY_REST, 1,
	  fills_memory },
	{ "memory-execute", "executes memory that it has written", "memory-deny-write-execute",
	  SECURITY_REST, 2, executes_memory },
	{ "stderr", "tells its errors to clients", "stderr", SECURITY_REST, 1, tells_client },
};

bool security_is_open(const struct security *security, enum security_area area)
{
	switch (area) {
	case SECURITY_WHO:
		return is_root(security);
	case SECURITY_CALLS:
		return has_no_filter(security);
	case SECURITY_FILES:
		return !has_rules(security) && reads_all(security);
	case SECURITY_NETWORK:
		return connects_all(security) && binds_all(security);
	default:
		return false;
	}
}

/* The score */

const char *const security_words[] = {
	[SECURITY_TIGHT] = "tight",
	[SECURITY_GOOD] = "good",
	[SECURITY_FAIR] = "fair",
	[SECURITY_EXPOSED] = "exposed",
};

enum security_word security_word(unsigned score)
{
	if (score < 10)
		return SECURITY_TIGHT;
	if (score < 30)
		return SECURITY_GOOD;
	return score < 70 ? SECURITY_FAIR : SECURITY_EXPOSED;
}

static void look_at_groups(struct security *security)
{
	const struct service_identity *identity = &security->service->identity;
	int count;

	if (!identity->set) {
		count = getgroups(SECURITY_GROUPS, security->groups);
		security->ngroups = count < 0 ? 0 : (size_t)count; /* of more, none is looked at */
		return;
	}
	security->ngroups =
		identity->ngroups < SECURITY_GROUPS ? identity->ngroups : SECURITY_GROUPS;
	for (size_t i = 0; i < security->ngroups; i++)
		security->groups[i] = identity->groups[i];
}

/* Where nothing is said, root keeps its own. */
static uint64_t find_capabilities(const struct security *security)
{
	if (security->cage->set_capabilities)
		return security->cage->capabilities;
	return is_root(security) ? security->kernel->capabilities : 0;
}

static void look_at_own(struct security *security)
{
	const struct service *service = security->service;
	const char *root = security->cage->chroot;

	if (!has_rules(security))
		return;
	if (service->exec)
		program_add_rules(&security->own, service->exec[0], root);
	for (size_t i = 0; i < service->nvalues; i++)
		if (service->values[i].argv)
			program_add_rules(&security->own, service->values[i].argv[0], root);
}

void security_assess(const struct service *service, const struct cage *cage,
		     const struct kernel *kernel, struct calls_memory *memory,
		     struct security *security)
{
	*security = (struct security){
		.service = service,
		.cage = cage,
		.kernel = kernel,
		.calls = calls_find(memory, cage->system_calls),
	};
	look_at_groups(security);
	security->capabilities = find_capabilities(security);
	look_at_own(security);
	paths_look(&cage->rules, &security->own, &security->paths);
	for (size_t i = 0; i < SECURITY_ITEMS; i++) {
		security->costs[i] = security_items[i].costs(security);
		if (security->costs[i])
			security->score += security_items[i].weight;
	}
}

void security_fini(struct security *security)
{
	rules_fini(&security->own);
}

void security_each(const struct config *config, security_seen *seen, void *context)
{
	struct calls_memory memory = { 0 };
	struct security security;
	struct cage cage;

	for (size_t i = 0; i < config->nservices; i++) {
		if (config->services[i]->disable)
			continue;
		cage_make(config->services[i], &cage);
		security_assess(config->services[i], &cage, kernel_get(), &memory, &security);
		seen(context, &security);
		security_fini(&security);
		cage_fini(&cage);
	}
	calls_fini(&memory);
}
