/* SPDX-License-Identifier: ISC */
/* The rules of a cage by Landlock: which files, and which ports. */
#ifndef RULESET_H
#define RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/landlock.h"

struct rule {
	char *path; /* owned; NULL: a port */
	uint16_t port;
	uint64_t rights; /* enum landlock_right, or enum landlock_port_right */
	bool optional;	 /* may be missing: the loader's files on another system */
	size_t writable; /* how much of the path leads to where workers may write by another rule,
			    and so put a link in the place of what comes behind; 0: they may not */
};

struct rules {
	struct rule *all; /* sorted by path and port, each once */
	size_t count;
	struct landlock_handled handled; /* all zero: nothing is denied */
};

/* What a key gives: read-only, execute, read-write. */
extern const uint64_t rights_to_read, rights_to_execute, rights_to_write;

/* Adds rights to what a path has; keeps the order. */
void rules_add_path(struct rules *rules, const char *path, uint64_t rights, bool optional);
void rules_add_port(struct rules *rules, uint16_t port, uint64_t rights);

/* Finds out what is writable, once all rules are there: before the two below. */
void rules_settle(struct rules *rules);

/* What a rule's path leads to, without following what workers have put there; 0, or -1 with errno.
 */
int rules_stat(const struct rules *rules, size_t index, struct stat *status);

void rules_fini(struct rules *rules);

/* A ruleset for landlock(7): the descriptor, close-on-exec; -1 with errno, and in *which the path
 * that is missing, NULL when it is something else.  Only what this kernel knows is asked of it.
 * Needs a kernel with Landlock. */
int rules_build(const struct rules *rules, const char **which);

#endif
