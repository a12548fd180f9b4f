/* SPDX-License-Identifier: ISC */
/*
 * The keys of a configuration file, and the settings of its sections.
 *
 * A setting is what was written, word for word, with the line of every item, so that whoever makes
 * a value of it can say where it is wrong.  Filled by schema.c, read by config.c and service.c, and
 * gone when the configuration is loaded.
 */
#include "config.h"

#include "config/section.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Entries of a list. */
#define LIST_MAX  4096
#define TIMES_MAX 1000
#define PEERS_MAX 500000

const struct key_info key_table[KEY_COUNT] = {
	[KEY_LOG] = { "log", IN_GLOBAL, 0 },
	[KEY_LOG_LEVEL] = { "log-level", IN_GLOBAL, 0 },
	[KEY_STOP_TIMEOUT] = { "stop-timeout", IN_GLOBAL, 0 },
	[KEY_RELOAD_TIMEOUT] = { "reload-timeout", IN_GLOBAL, 0 },
	[KEY_PIDFILE] = { "pidfile", IN_GLOBAL, 0 },
	[KEY_CONTROL] = { "control", IN_GLOBAL, 0 },
	[KEY_CONTROL_GROUP] = { "control-group", IN_GLOBAL, 0 },
	[KEY_SOURCES] = { "sources", IN_GLOBAL, 0 },
	[KEY_USER] = { "user", IN_GLOBAL | IN_SECTION, 0 },
	[KEY_GROUP] = { "group", IN_GLOBAL | IN_SECTION, 0 },
	[KEY_INSTANCES] = { "instances", IN_GLOBAL | IN_SECTION, 0 },
	[KEY_LISTEN] = { "listen", IN_SERVICE, LIST_MAX },
	[KEY_BACKLOG] = { "backlog", IN_SECTION, 0 },
	[KEY_SOCKET_USER] = { "socket-user", IN_SECTION, 0 },
	[KEY_SOCKET_GROUP] = { "socket-group", IN_SECTION, 0 },
	[KEY_SOCKET_MODE] = { "socket-mode", IN_SECTION, 0 },
	[KEY_HANDLER] = { "handler", IN_SECTION, 0 },
	[KEY_EXEC] = { "exec", IN_SECTION, LIST_MAX },
	[KEY_REDIRECT] = { "redirect", IN_SECTION, LIST_MAX },
	[KEY_CONNECT_TIMEOUT] = { "connect-timeout", IN_SECTION, 0 },
	[KEY_SEND_PROXY] = { "send-proxy", IN_SECTION, 0 },
	[KEY_OPTIONS] = { "options", IN_SECTION, LIST_MAX },
	[KEY_WAIT] = { "wait", IN_SECTION, 0 },
	[KEY_TCPMUX] = { "tcpmux", IN_SECTION, 0 },
	[KEY_REPLY_MAX] = { "reply-max", IN_SECTION, 0 },
	[KEY_REPLY_FACTOR] = { "reply-factor", IN_SECTION, 0 },
	[KEY_ARG0] = { "arg0", IN_SECTION, 0 },
	[KEY_BANNER] = { "banner", IN_SECTION, 0 },
	[KEY_CRLF] = { "crlf", IN_SECTION, 0 },
	[KEY_STDERR] = { "stderr", IN_SECTION, 0 },
	[KEY_DIRECTORY] = { "directory", IN_SECTION, 0 },
	[KEY_ENV] = { "env", IN_SECTION, LIST_MAX },
	[KEY_PASS_ENV] = { "pass-env", IN_SECTION, LIST_MAX },
	[KEY_DISABLE] = { "disable", IN_SECTION, 0 },
	[KEY_ONLY_FROM] = { "only-from", IN_SECTION, PEERS_MAX },
	[KEY_NO_ACCESS] = { "no-access", IN_SECTION, PEERS_MAX },
	[KEY_PROXY_PROTOCOL] = { "proxy-protocol", IN_SECTION, PEERS_MAX },
	[KEY_ACCESS_TIMES] = { "access-times", IN_SECTION, TIMES_MAX },
	[KEY_PER_SOURCE] = { "per-source", IN_SECTION, 0 },
	[KEY_RATE] = { "rate", IN_SECTION, 0 },
	[KEY_RATE_PER_SOURCE] = { "rate-per-source", IN_SECTION, 0 },
	[KEY_SOURCE_PREFIX] = { "source-prefix", IN_SECTION, LIST_MAX },
	[KEY_WHEN_FULL] = { "when-full", IN_SECTION, 0 },
	[KEY_BANNER_FAIL] = { "banner-fail", IN_SECTION, 0 },
	[KEY_BAN] = { "ban", IN_SECTION, 0 },
	[KEY_BAN_AFTER] = { "ban-after", IN_SECTION, 0 },
	[KEY_FIRST_BYTE_TIMEOUT] = { "first-byte-timeout", IN_SECTION, 0 },
	[KEY_IDLE_TIMEOUT] = { "idle-timeout", IN_SECTION, 0 },
	[KEY_MAX_TIME] = { "max-time", IN_SECTION, 0 },
	[KEY_KILL_GRACE] = { "kill-grace", IN_SECTION, 0 },
	[KEY_GROUPS] = { "groups", IN_SECTION, LIST_MAX },
	[KEY_UMASK] = { "umask", IN_SECTION, 0 },
	[KEY_NO_NEW_PRIVILEGES] = { "no-new-privileges", IN_SECTION, 0 },
	[KEY_SANDBOX] = { "sandbox", IN_SECTION, 0 },
	[KEY_LIMITS] = { "limits", IN_SECTION, LIST_MAX },
	[KEY_NICE] = { "nice", IN_SECTION, 0 },
	[KEY_CHROOT] = { "chroot", IN_SECTION, 0 },
	[KEY_CAPABILITIES] = { "capabilities", IN_SECTION, LIST_MAX },
	[KEY_PRIVATE_NETWORK] = { "private-network", IN_SECTION, 0 },
	[KEY_PRIVATE_TMP] = { "private-tmp", IN_SECTION, 0 },
	[KEY_PRIVATE_PIDS] = { "private-pids", IN_SECTION, 0 },
	[KEY_READ_ONLY] = { "read-only", IN_SECTION, LIST_MAX },
	[KEY_READ_WRITE] = { "read-write", IN_SECTION, LIST_MAX },
	[KEY_EXECUTE] = { "execute", IN_SECTION, LIST_MAX },
	[KEY_CONNECT] = { "connect", IN_SECTION, LIST_MAX },
	[KEY_BIND] = { "bind", IN_SECTION, LIST_MAX },
	[KEY_SYSTEM_CALLS] = { "system-calls", IN_SECTION, LIST_MAX },
	[KEY_MEMORY_DENY_WRITE_EXECUTE] = { "memory-deny-write-execute", IN_SECTION, 0 },
	[KEY_ON_MASTER_DEATH] = { "on-master-death", IN_SECTION, 0 },
	[KEY_CGROUP] = { "cgroup", IN_SECTION, 0 },
	[KEY_MEMORY_MAX] = { "memory-max", IN_SECTION, 0 },
	[KEY_TASKS_MAX] = { "tasks-max", IN_SECTION, 0 },
};

enum key key_find(const char *name)
{
	enum key key = 0;

	while (key < KEY_COUNT && strcmp(key_table[key].name, name) != 0)
		key++;
	return key;
}

bool section_has(const struct section *section, enum key key)
{
	return section->settings[key].origin.file != NULL;
}

struct origin item_origin(const struct setting *setting, size_t index)
{
	struct origin origin = setting->origin;

	if (index < setting->count)
		origin.line = setting->items[index].line;
	return origin;
}

void setting_fini(struct setting *setting)
{
	for (size_t i = 0; i < setting->count; i++)
		free(setting->items[i].text);
	free(setting->items);
	*setting = (struct setting){ 0 };
}

void section_fini(struct section *section)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		setting_fini(&section->settings[i]);
	free(section->title);
	section->title = NULL;
}

void section_free(struct section *section)
{
	if (section == NULL)
		return;
	section_fini(section);
	free(section);
}

/* The room is the next power of two, from 1 on: it doubles when the count has become one. */
void item_add(struct setting *setting, const char *text, int line)
{
	if ((setting->count & (setting->count - 1)) == 0)
		setting->items =
			xreallocarray(setting->items, setting->count ? 2 * setting->count : 1,
				      sizeof(struct item));
	setting->items[setting->count++] = (struct item){ .text = xstrdup(text), .line = line };
}
