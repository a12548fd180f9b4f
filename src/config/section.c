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

const struct key_info key_table[KEY_COUNT] = {
	[KEY_LOG] = { "log", IN_GLOBAL, false },
	[KEY_LOG_LEVEL] = { "log-level", IN_GLOBAL, false },
	[KEY_STOP_TIMEOUT] = { "stop-timeout", IN_GLOBAL, false },
	[KEY_RELOAD_TIMEOUT] = { "reload-timeout", IN_GLOBAL, false },
	[KEY_PIDFILE] = { "pidfile", IN_GLOBAL, false },
	[KEY_CONTROL] = { "control", IN_GLOBAL, false },
	[KEY_USER] = { "user", IN_GLOBAL | IN_SECTION, false },
	[KEY_GROUP] = { "group", IN_GLOBAL | IN_SECTION, false },
	[KEY_INSTANCES] = { "instances", IN_GLOBAL | IN_SECTION, false },
	[KEY_LISTEN] = { "listen", IN_SERVICE, true },
	[KEY_BACKLOG] = { "backlog", IN_SECTION, false },
	[KEY_SOCKET_USER] = { "socket-user", IN_SECTION, false },
	[KEY_SOCKET_GROUP] = { "socket-group", IN_SECTION, false },
	[KEY_SOCKET_MODE] = { "socket-mode", IN_SECTION, false },
	[KEY_HANDLER] = { "handler", IN_SECTION, false },
	[KEY_EXEC] = { "exec", IN_SECTION, true },
	[KEY_OPTIONS] = { "options", IN_SECTION, true },
	[KEY_WAIT] = { "wait", IN_SECTION, false },
	[KEY_ARG0] = { "arg0", IN_SECTION, false },
	[KEY_BANNER] = { "banner", IN_SECTION, false },
	[KEY_CRLF] = { "crlf", IN_SECTION, false },
	[KEY_STDERR] = { "stderr", IN_SECTION, false },
	[KEY_DIRECTORY] = { "directory", IN_SECTION, false },
	[KEY_ENV] = { "env", IN_SECTION, true },
	[KEY_PASS_ENV] = { "pass-env", IN_SECTION, true },
	[KEY_DISABLE] = { "disable", IN_SECTION, false },
	[KEY_FIRST_BYTE_TIMEOUT] = { "first-byte-timeout", IN_SECTION, false },
	[KEY_IDLE_TIMEOUT] = { "idle-timeout", IN_SECTION, false },
	[KEY_MAX_TIME] = { "max-time", IN_SECTION, false },
	[KEY_KILL_GRACE] = { "kill-grace", IN_SECTION, false },
	[KEY_GROUPS] = { "groups", IN_SECTION, true },
	[KEY_UMASK] = { "umask", IN_SECTION, false },
	[KEY_NO_NEW_PRIVILEGES] = { "no-new-privileges", IN_SECTION, false },
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

void item_add(struct setting *setting, const char *text, int line)
{
	setting->items = xreallocarray(setting->items, setting->count + 1, sizeof(struct item));
	setting->items[setting->count++] = (struct item){ .text = xstrdup(text), .line = line };
}
