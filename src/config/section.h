/* SPDX-License-Identifier: ISC */
/* The keys of a configuration file, and a section's settings as text with its lines. */
#ifndef SECTION_H
#define SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "config/service.h"

enum key {
	/* the whole daemon */
	KEY_LOG,
	KEY_LOG_LEVEL,
	KEY_STOP_TIMEOUT,
	KEY_RELOAD_TIMEOUT,
	KEY_PIDFILE,
	KEY_CONTROL,
	KEY_CONTROL_GROUP,
	KEY_SOURCES,
	/* the whole daemon, and services */
	KEY_USER,
	KEY_GROUP,
	KEY_INSTANCES,
	/* services */
	KEY_LISTEN,
	KEY_BACKLOG,
	KEY_SOCKET_USER,
	KEY_SOCKET_GROUP,
	KEY_SOCKET_MODE,
	KEY_HANDLER,
	KEY_EXEC,
	KEY_REDIRECT,
	KEY_CONNECT_TIMEOUT,
	KEY_SEND_PROXY,
	KEY_OPTIONS,
	KEY_WAIT,
	KEY_TCPMUX,
	KEY_REPLY_MAX,
	KEY_REPLY_FACTOR,
	KEY_ARG0,
	KEY_BANNER,
	KEY_CRLF,
	KEY_STDERR,
	KEY_DIRECTORY,
	KEY_ENV,
	KEY_PASS_ENV,
	KEY_DISABLE,
	KEY_ONLY_FROM,
	KEY_NO_ACCESS,
	KEY_PROXY_PROTOCOL,
	KEY_ACCESS_TIMES,
	KEY_PER_SOURCE,
	KEY_RATE,
	KEY_RATE_PER_SOURCE,
	KEY_SOURCE_PREFIX,
	KEY_WHEN_FULL,
	KEY_BANNER_FAIL,
	KEY_BAN,
	KEY_BAN_AFTER,
	KEY_FIRST_BYTE_TIMEOUT,
	KEY_IDLE_TIMEOUT,
	KEY_MAX_TIME,
	KEY_KILL_GRACE,
	KEY_GROUPS,
	KEY_UMASK,
	KEY_NO_NEW_PRIVILEGES,
	KEY_SANDBOX,
	KEY_LIMITS,
	KEY_NICE,
	KEY_CHROOT,
	KEY_CAPABILITIES,
	KEY_PRIVATE_NETWORK,
	KEY_PRIVATE_TMP,
	KEY_PRIVATE_PIDS,
	KEY_READ_ONLY,
	KEY_READ_WRITE,
	KEY_EXECUTE,
	KEY_CONNECT,
	KEY_BIND,
	KEY_SYSTEM_CALLS,
	KEY_MEMORY_DENY_WRITE_EXECUTE,
	KEY_ON_MASTER_DEATH,
	KEY_CGROUP,
	KEY_MEMORY_MAX,
	KEY_TASKS_MAX,
	KEY_COUNT
};

enum section_kind { SECTION_GLOBAL, SECTION_DEFAULTS, SECTION_SERVICE };

struct item {
	char *text;
	int line;
};

struct setting {
	struct origin origin; /* file NULL: not set */
	struct item *items;   /* none: an empty list */
	size_t count;
};

struct section {
	enum section_kind kind;
	char *title; /* SECTION_SERVICE only */
	struct origin origin;
	struct setting settings[KEY_COUNT];
};

/* Where a key may stand. */
enum key_place { IN_GLOBAL = 1, IN_DEFAULTS = 2, IN_SERVICE = 4, IN_SECTION = 6 };

struct key_info {
	const char *name;
	enum key_place place;
	unsigned items; /* a list of at most so many; 0: one value */
};

extern const struct key_info key_table[KEY_COUNT];

/* KEY_COUNT when there is none of that name. */
enum key key_find(const char *name);

bool section_has(const struct section *section, enum key key);

/* Where an item of a setting stands. */
struct origin item_origin(const struct setting *setting, size_t index);

void item_add(struct setting *setting, const char *text, int line);
void setting_fini(struct setting *setting);
void section_fini(struct section *section);
void section_free(struct section *section);

#endif
