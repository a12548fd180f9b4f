/* SPDX-License-Identifier: ISC */
/*
 * Landlock, landlock(7), by raw system calls: each returns -errno or what the kernel says, touches
 * no memory of the C library, and may be used where the memory is still the master's.  The headers
 * of Debian 12 know only the first of these rights, so all of them are named here.
 */
#ifndef BASE_LANDLOCK_H
#define BASE_LANDLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/raw.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif

/* Rights to files and what is beneath directories, with the ABI that they came with. */
enum landlock_right {
	LANDLOCK_EXECUTE = 1 << 0, /* 1 */
	LANDLOCK_WRITE_FILE = 1 << 1,
	LANDLOCK_READ_FILE = 1 << 2,
	LANDLOCK_READ_DIR = 1 << 3,
	LANDLOCK_REMOVE_DIR = 1 << 4,
	LANDLOCK_REMOVE_FILE = 1 << 5,
	LANDLOCK_MAKE_CHAR = 1 << 6,
	LANDLOCK_MAKE_DIR = 1 << 7,
	LANDLOCK_MAKE_REG = 1 << 8,
	LANDLOCK_MAKE_SOCK = 1 << 9,
	LANDLOCK_MAKE_FIFO = 1 << 10,
	LANDLOCK_MAKE_BLOCK = 1 << 11,
	LANDLOCK_MAKE_SYM = 1 << 12,
	LANDLOCK_REFER = 1 << 13,     /* 2 */
	LANDLOCK_TRUNCATE = 1 << 14,  /* 3 */
	LANDLOCK_IOCTL_DEV = 1 << 15, /* 5 */
};

/* What there is to do with a file that is no directory; the kernel takes nothing else for one. */
#define LANDLOCK_OF_FILES                                                                          \
	(LANDLOCK_EXECUTE | LANDLOCK_WRITE_FILE | LANDLOCK_READ_FILE | LANDLOCK_TRUNCATE |         \
	 LANDLOCK_IOCTL_DEV)

/* TCP ports; ABI 4. */
enum landlock_port_right { LANDLOCK_BIND = 1 << 0, LANDLOCK_CONNECT = 1 << 1 };

/* What reaches no process outside; ABI 6. */
enum landlock_scope { LANDLOCK_ABSTRACT_SOCKETS = 1 << 0, LANDLOCK_SIGNALS = 1 << 1 };

/* What a ruleset denies where no rule allows it: struct landlock_ruleset_attr. */
struct landlock_handled {
	uint64_t files;
	uint64_t ports;
	uint64_t scopes;
};

/* 1 and up; -ENOSYS or -EOPNOTSUPP when this kernel has none. */
static inline long landlock_abi(void)
{
	return RAW(SYS_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
}

/* A close-on-exec descriptor.  The kernel takes zeros in what it does not know. */
static inline long landlock_create(const struct landlock_handled *handled)
{
	return RAW(SYS_landlock_create_ruleset, handled, sizeof(*handled), 0);
}

/* Of a file, only what there is to do with a file.  path_fd may be O_PATH. */
static inline long landlock_allow_path(int ruleset_fd, int path_fd, uint64_t rights)
{
	const struct {
		uint64_t rights;
		int32_t fd;
	} __attribute__((packed)) rule = { rights, path_fd };

	return RAW(SYS_landlock_add_rule, ruleset_fd, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0);
}

static inline long landlock_allow_port(int ruleset_fd, uint16_t port, uint64_t rights)
{
	const struct {
		uint64_t rights, port;
	} rule = { rights, port };

	return RAW(SYS_landlock_add_rule, ruleset_fd, 2 /* LANDLOCK_RULE_NET_PORT */, &rule, 0);
}

/* For ever, for this process and its children; needs no_new_privs or CAP_SYS_ADMIN. */
static inline long landlock_restrict(int ruleset_fd)
{
	return RAW(SYS_landlock_restrict_self, ruleset_fd, 0);
}

#endif
