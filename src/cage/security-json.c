/* SPDX-License-Identifier: ISC */
/*
 * begatd --security --json: all that is known about each service's cage, for programs.
 *
 * A list with an object for each enabled service.  Every key is always there; what does not apply
 * is null.  begatd(8) has them.
 */
#include "config.h"

#include "cage/security.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/landlock.h"
#include "base/latin1.h"
#include "base/mem.h"
#include "cage/capability.h"
#include "cage/guard.h"
#include "report/log.h"

static json_t *must(json_t *value)
{
	if (value == NULL)
		fatal(EXIT_GENERIC, "memory");
	return value;
}

/* Takes the value over. */
static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, must(value)) < 0)
		fatal(EXIT_GENERIC, "memory");
}

static void add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, must(value)) < 0)
		fatal(EXIT_GENERIC, "memory");
}

/* Names of files may be any bytes. */
static json_t *make_text(const char *bytes)
{
	const size_t size = bytes ? LATIN1_ENCODED(strlen(bytes)) : 0;
	char *utf8;
	json_t *text;

	if (bytes == NULL)
		return json_null();
	utf8 = xcalloc(size, 1);
	(void)latin1_encode(bytes, utf8, size); /* it fits */
	text = json_string(utf8);
	free(utf8);
	return text;
}

static json_t *make_score(unsigned tenths)
{
	return json_real(tenths / 10.0);
}

static json_t *make_groups(const struct security *security)
{
	json_t *groups = must(json_array());

	for (size_t i = 0; i < security->ngroups; i++)
		add(groups, json_integer(security->groups[i]));
	return groups;
}

static json_t *make_identity(const struct security *security)
{
	const struct service_identity *who = &security->service->identity;
	json_t *identity = must(json_object());

	set(identity, "user", make_text(who->user));
	set(identity, "group", make_text(who->group));
	set(identity, "uid", json_integer(who->uid));
	set(identity, "gid", json_integer(who->gid));
	set(identity, "groups", make_groups(security));
	return identity;
}

static json_t *make_capabilities(const struct security *security)
{
	json_t *names = must(json_array());
	char name[CAPABILITY_NAME];

	for (int i = 0; i < 64; i++) {
		if (!(security->capabilities >> i & 1))
			continue;
		capability_format(i, name);
		add(names, json_string(name));
	}
	return names;
}

/* Checks of arguments, beside the list of calls. */
static json_t *make_guards(const struct security *security)
{
	static const struct {
		enum guard guard;
		const char *name;
	} names[] = {
		{ GUARD_TCP, "tcp" },
		{ GUARD_UNIX, "unix" },
		{ GUARD_NAMESPACES, "namespaces" },
	};
	json_t *guards = must(json_array());

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (security->cage->guards & names[i].guard)
			add(guards, json_string(names[i].name));
	return guards;
}

static json_t *make_calls(const struct security *security)
{
	json_t *calls = must(json_object());

	set(calls, "filter", json_boolean(security->calls->filtered));
	set(calls, "left", json_integer((json_int_t)security->calls->count));
	set(calls, "guards", make_guards(security));
	return calls;
}

static json_t *make_path(const struct security *security, const struct rule *rule)
{
	json_t *path = must(json_object());

	set(path, "path", make_text(rule->path));
	set(path, "read", json_boolean(rule->rights & (LANDLOCK_READ_FILE | LANDLOCK_READ_DIR)));
	set(path, "write", json_boolean(paths_is_writable(rule)));
	set(path, "execute", json_boolean(rule->rights & LANDLOCK_EXECUTE));
	set(path, "own", json_boolean(paths_is_own(&security->own, rule)));
	return path;
}

/* null: there are no rules. */
static json_t *make_paths(const struct security *security)
{
	const struct rules *rules = &security->cage->rules;
	json_t *paths;

	if (!rules->handled.files)
		return json_null();
	paths = must(json_array());
	for (size_t i = 0; i < rules->count; i++)
		if (paths_is_there(&rules->all[i]))
			add(paths, make_path(security, &rules->all[i]));
	return paths;
}

static json_t *make_files(const struct security *security)
{
	json_t *files = must(json_object());
	char umask[8];

	set(files, "paths", make_paths(security));
	set(files, "chroot", make_text(security->cage->chroot));
	set(files, "private-tmp", json_boolean(security->cage->private_tmp));
	snprintf(umask, sizeof(umask), "%04o", security->service->umask);
	set(files, "umask", json_string(umask));
	return files;
}

/* null: all. */
static json_t *make_ports(const struct security *security, uint64_t right)
{
	const struct rules *rules = &security->cage->rules;
	json_t *ports;

	if (security_has_all_ports(security, right))
		return json_null();
	ports = must(json_array());
	for (size_t i = 0; i < rules->count && security_has_network(security); i++)
		if (rules->all[i].path == NULL && rules->all[i].rights & right)
			add(ports, json_integer(rules->all[i].port));
	return ports;
}

static json_t *make_network(const struct security *security)
{
	json_t *network = must(json_object());

	set(network, "private", json_boolean(security->cage->private_network));
	set(network, "sockets", json_boolean(security_has_network(security)));
	set(network, "connect", make_ports(security, LANDLOCK_CONNECT));
	set(network, "bind", make_ports(security, LANDLOCK_BIND));
	return network;
}

static json_t *make_keys(const char *keys)
{
	json_t *list = must(json_array());
	size_t length;

	for (; *keys; keys += strspn(keys, ", ")) {
		length = strcspn(keys, ",");
		add(list, json_stringn(keys, length));
		keys += length;
	}
	return list;
}

static json_t *make_items(const struct security *security)
{
	json_t *items = must(json_array()), *item;

	for (size_t i = 0; i < SECURITY_ITEMS; i++) {
		item = must(json_object());
		set(item, "name", json_string(security_items[i].name));
		set(item, "what", json_string(security_items[i].what));
		set(item, "keys", make_keys(security_items[i].keys));
		set(item, "weight", make_score(security_items[i].weight));
		set(item, "cost", make_score(security->costs[i] ? security_items[i].weight : 0));
		add(items, item);
	}
	return items;
}

static void add_service(void *services, const struct security *security)
{
	const struct service *service = security->service;
	json_t *object = must(json_object());

	set(object, "service", make_text(service->name));
	set(object, "file", make_text(service->origin.file));
	set(object, "line", json_integer(service->origin.line));
	set(object, "handler", make_text(service->handler ? service->handler->name : NULL));
	set(object, "program", make_text(service->exec ? service->exec[0] : NULL));
	set(object, "score", make_score(security->score));
	set(object, "word", json_string(security_words[security_word(security->score)]));
	set(object, "identity", make_identity(security));
	set(object, "capabilities", make_capabilities(security));
	set(object, "no-new-privileges", json_boolean(service->no_new_privileges));
	set(object, "system-calls", make_calls(security));
	set(object, "files", make_files(security));
	set(object, "network", make_network(security));
	set(object, "private-pids", json_boolean(security->cage->private_pids));
	set(object, "memory-deny-write-execute", json_boolean(security->cage->deny_write_execute));
	set(object, "items", make_items(security));
	add(services, object);
}

void security_print_json(const struct config *config, FILE *out)
{
	json_t *services = must(json_array());

	security_each(config, add_service, services);
	/* Whoever calls looks at the stream. */
	(void)json_dumpf(services, out, JSON_INDENT(1) | JSON_REAL_PRECISION(3));
	putc('\n', out);
	json_decref(services);
}
