/* SPDX-License-Identifier: ISC */
/*
 * The cage of a service.
 *
 * A handler is ours, and we know what it needs: it gets that and no more, and what the
 * administrator says comes on top.  A program is somebody's, and is only kept from what the
 * administrator says; to that is added what the way to it needs, and what no program can start
 * without.
 *
 * Nothing is asked of the kernel that it does not have: by now that is no error.
 */
#include "config.h"

#include "cage/cage.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cage/builtin.h"
#include "cage/guard.h"
#include "cage/kernel.h"
#include "cage/program.h"
#include "cage/syscalls.h"
#include "config/targets.h"
#include "config/value.h"
#include "handlers/handler.h"

#define MIB	       (1024 * 1024)
#define HANDLER_DATA   (64 * MIB)
#define COMMANDS_DATA  (512 * MIB)
#define COMMANDS_NPROC 4096

/* What is denied, where no rule allows it. */

static void handle(struct rules *rules, bool files, bool bind, bool connect)
{
	const int abi = kernel_get()->landlock;
	uint64_t ports = 0;

	if (abi == 0)
		return;
	ports |= bind ? LANDLOCK_BIND : 0;
	ports |= connect ? LANDLOCK_CONNECT : 0;
	rules->handled.files = files ? kernel_landlock_files(abi) : 0;
	rules->handled.ports = ports & kernel_landlock_ports(abi);
	rules->handled.scopes = files ? kernel_landlock_scopes(abi) : 0;
}

/* Where nothing is denied there is no ruleset that rules could belong to. */
static void mask(struct rules *rules)
{
	if ((rules->handled.files | rules->handled.ports | rules->handled.scopes) == 0)
		rules_fini(rules);
	for (size_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->all[i];

		rule->rights &= rule->path ? rules->handled.files : rules->handled.ports;
	}
}

static void add_paths(struct rules *rules, char *const *paths, uint64_t rights)
{
	for (; paths && *paths; paths++)
		rules_add_path(rules, *paths, rights, false);
}

static void add_ports(struct rules *rules, const struct service_ports *ports, uint64_t right)
{
	for (size_t i = 0; i < ports->count; i++)
		rules_add_port(rules, ports->all[i], right);
}

static void add_settings(const struct service *service, struct rules *rules)
{
	const struct service_cage *said = &service->cage;

	add_paths(rules, said->read_only, rights_to_read);
	add_paths(rules, said->read_write, rights_to_write);
	add_paths(rules, said->execute, rights_to_execute);
	if (rules->handled.ports & LANDLOCK_CONNECT)
		add_ports(rules, &said->connect, LANDLOCK_CONNECT);
	if (rules->handled.ports & LANDLOCK_BIND)
		add_ports(rules, &said->bind, LANDLOCK_BIND);
}

/* System calls */

static void add_calls(char ***list, size_t *count, const char *const *calls)
{
	for (; calls && *calls; calls++)
		strv_add(list, count, xstrdup(*calls));
}

static bool has_list(const struct service_cage *said)
{
	return said->system_calls && !syscalls_is_all(said->system_calls);
}

/* With what our own code still does in it. */
static char **calls_of_program(const struct service *service)
{
	const char *const *said = (const char *const *)service->cage.system_calls;
	char **list = NULL;
	size_t count = 0;

	if (!has_list(&service->cage))
		return NULL;
	add_calls(&list, &count, said);
	add_calls(&list, &count, builtin_calls_to_exec());
	return list;
}

static const char *value_of(const struct service *service, const char *option)
{
	for (size_t i = 0; i < service->nvalues; i++)
		if (strcmp(service->values[i].name, option) == 0)
			return service->values[i].string;
	return NULL;
}

static bool has_zone(const struct service *service)
{
	const struct begat_option *option = service->handler->options;

	for (; option && option->name; option++)
		if (option->type == BEGAT_OPTION_ZONE && value_of(service, option->name))
			return true;
	return false;
}

static char **calls_of_handler(const struct service *service, bool commands)
{
	char **said = service->cage.system_calls, **list = NULL;
	size_t count = 0;

	if (said && syscalls_is_all(said))
		return NULL;
	if (said)
		add_calls(&list, &count, (const char *const *)said);
	else
		add_calls(&list, &count, builtin_system_calls(service->handler, commands));
	if (said == NULL && service->admission.proxies)
		add_calls(&list, &count, builtin_calls_to_meet());
	if (said == NULL && service_stands(service))
		add_calls(&list, &count, builtin_calls_to_stand());
	if (said == NULL && service->banner && value_has_field(service->banner, 'n'))
		add_calls(&list, &count, builtin_calls_to_ask());
	if (said == NULL && has_zone(service))
		add_calls(&list, &count, builtin_calls_to_know_zones());
	return list;
}

/* Handlers */

static void add_declared(const struct service *service, const struct begat_path *declared,
			 struct rules *rules)
{
	const char *root = service->cage.chroot ? service->cage.chroot : "";
	const char *path = declared->path ? declared->path : value_of(service, declared->option);
	char *whole;

	if (path == NULL)
		return;
	whole = xasprintf("%s%s%s", root, path, declared->suffix ? declared->suffix : "");
	rules_add_path(rules, whole, rights_to_read, true);
	free(whole);
}

/* Programs for everybody: they show how the machine is doing, or something out of what every
 * package may read. */
static void add_commands(const struct service *service, struct rules *rules)
{
	static const struct begat_path shown[] = { { .path = "/proc" }, { .path = "/usr/share" } };

	for (size_t i = 0; i < service->nvalues; i++)
		if (service->values[i].argv)
			program_add_rules(rules, service->values[i].argv[0], service->cage.chroot);
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		add_declared(service, &shown[i], rules);
}

static bool has_commands(const struct service *service)
{
	if (service->handler == &redirect_handler) /* whose lists are targets */
		return false;
	for (size_t i = 0; i < service->nvalues; i++)
		if (service->values[i].argv)
			return true;
	return false;
}

static void add_targets(const struct service *service, struct rules *rules)
{
	for (char *const *target = service_targets(service); *target; target++)
		if (strncmp(*target, "unix:@", strlen("unix:@")) == 0)
			rules->handled.scopes &= ~(uint64_t)LANDLOCK_ABSTRACT_SOCKETS;
		else if (target_port(*target) && !target_is_datagram(*target))
			rules_add_port(rules, (uint16_t)target_port(*target), LANDLOCK_CONNECT);
}

static bool has_ports(const struct service_cage *said)
{
	return said->connect.count || said->bind.count;
}

/* Where there is no empty network for them, there are no sockets of the Internet. */
static unsigned guards_of_commands(const struct service *service, const struct cage *cage)
{
	if (cage->private_network)
		return GUARD_NAMESPACES;
	if (has_ports(&service->cage) || service->cage.set_private_network)
		return GUARD_NAMESPACES | GUARD_TCP;
	return GUARD_NAMESPACES | GUARD_UNIX;
}

static void add_limit(struct cage *cage, int resource, uint64_t value)
{
	for (size_t i = 0; i < cage->nlimits; i++)
		if (cage->limits[i].resource == resource)
			return; /* was said */
	cage->limits = xreallocarray(cage->limits, cage->nlimits + 1, sizeof(*cage->limits));
	cage->limits[cage->nlimits++] = (struct service_limit){ resource, value, value };
}

/* A core would have in it what the master knows.  Processes are counted by user, and most services
 * have the same. */
static void add_limits(struct cage *cage, bool commands)
{
	add_limit(cage, RLIMIT_CORE, 0);
	if (commands)
		add_limit(cage, RLIMIT_NPROC, COMMANDS_NPROC);
	else
		add_limit(cage, RLIMIT_FSIZE, 0);
#ifndef ENABLE_SANITIZERS /* whose shadows are data, too */
	add_limit(cage, RLIMIT_DATA, commands ? COMMANDS_DATA : HANDLER_DATA);
#endif
}

/* By our own lists only these two do. */
static bool makes_sockets(const struct service *service)
{
	if (service->cage.system_calls)
		return has_list(&service->cage);
	return service->handler == &redirect_handler || service->handler == &ident_handler;
}

static void make_handler(const struct service *service, struct cage *cage)
{
	const struct begat_path *declared = service->handler->paths;
	const bool commands = has_commands(service);

	cage->set_capabilities =
		geteuid() == 0 ? service->identity.uid == 0 : kernel_get()->capabilities != 0;
	add_limits(cage, commands);
	if (!service->cage.set_private_network)
		cage->private_network = commands && !has_ports(&service->cage) &&
					service->identity.set && kernel_has_namespaces();
	if (!commands && kernel_get()->has_deny_write_execute)
		cage->deny_write_execute = true;
	if (!service->no_new_privileges) /* the kernel has neither of the two without */
		return;
	if (commands)
		cage->guards = guards_of_commands(service, cage);
	else if (makes_sockets(service) && !cage->private_network)
		cage->guards = GUARD_TCP;
	handle(&cage->rules, true, true, true);
	for (; declared && (declared->path || declared->option); declared++)
		add_declared(service, declared, &cage->rules);
	if (commands)
		add_commands(service, &cage->rules);
	if (service->handler == &redirect_handler)
		add_targets(service, &cage->rules);
	add_settings(service, &cage->rules);
	cage->system_calls = calls_of_handler(service, commands);
}

/* Programs */

/* What it may execute has to start, too. */
static void add_programs(const struct service_cage *said, struct rules *rules)
{
	const size_t root = said->chroot ? strlen(said->chroot) : 0;
	struct stat there;

	for (char **path = said->execute; path && *path; path++)
		if (stat(*path, &there) == 0 && S_ISREG(there.st_mode) && strlen(*path) > root)
			program_add_rules(rules, *path + root, said->chroot);
}

static void make_program(const struct service *service, struct cage *cage)
{
	const struct service_cage *said = &service->cage;
	const bool files = said->read_only || said->read_write || said->execute;

	cage->set_capabilities = said->set_capabilities;
	cage->capabilities = said->capabilities;
	if (geteuid() != 0 && kernel_get()->capabilities != 0)
		cage->set_capabilities = true; /* ours are for listeners, not for programs */
	handle(&cage->rules, files, said->bind.set, said->connect.set);
	if (said->bind.set || said->connect.set)
		cage->guards = GUARD_TCP;
	if (files)
		program_add_rules(&cage->rules, service->exec[0], said->chroot);
	add_programs(said, &cage->rules);
	add_settings(service, &cage->rules);
	cage->system_calls = calls_of_program(service);
}

static struct service_limit *copy_limits(const struct service_cage *said)
{
	struct service_limit *limits = xcalloc(said->nlimits, sizeof(*limits));

	if (said->nlimits)
		memcpy(limits, said->limits, said->nlimits * sizeof(*limits));
	return limits;
}

void cage_make(const struct service *service, struct cage *cage)
{
	const struct service_cage *said = &service->cage;

	*cage = (struct cage){
		.limits = copy_limits(said),
		.nlimits = said->nlimits,
		.set_nice = said->set_nice,
		.nice = said->nice,
		.chroot = said->chroot,
		.private_network = said->private_network,
		.private_tmp = said->private_tmp,
		.private_pids = said->private_pids,
		.deny_write_execute = said->deny_write_execute,
		.die_with_master = said->die_with_master,
		.cgroup = said->cgroup,
		.memory_max = said->memory_max,
		.tasks_max = said->tasks_max,
	};
	if (service->handler)
		make_handler(service, cage);
	else if (service->exec)
		make_program(service, cage);
	mask(&cage->rules);
	cage->drop_bounding =
		cage->set_capabilities && (kernel_get()->capabilities >> CAP_SETPCAP & 1);
	if (!guard_is_known())
		cage->guards = 0;
	if (kernel_get()->has_filters)
		return;
	strv_free(cage->system_calls);
	cage->system_calls = NULL;
	cage->guards = 0;
}

void cage_fini(struct cage *cage)
{
	rules_fini(&cage->rules);
	free(cage->limits);
	cage->limits = NULL;
	strv_free(cage->system_calls);
	cage->system_calls = NULL;
}
