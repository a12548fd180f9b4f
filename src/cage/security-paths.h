/* SPDX-License-Identifier: ISC */
/* What the rules for files leave, as begatd --security looks at it. */
#ifndef SECURITY_PATHS_H
#define SECURITY_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "cage/ruleset.h"

/* Of paths that are there, and not a program's own. */
struct security_paths {
	size_t count, writable, executable;
	bool all_readable, all_executable; /* as good as no rule */
	bool system_writable;		   /* a tree that the system lives in */
	bool tmp_writable;		   /* one that everybody shares */
	bool both;			   /* what may be written may be executed */
};

/* Whether a rule is for a path, which is there; whether it lets write; and whether it gives no more
 * than what the programs cannot start without. */
bool paths_is_there(const struct rule *rule);
bool paths_is_writable(const struct rule *rule);
bool paths_is_own(const struct rules *own, const struct rule *rule);

void paths_look(const struct rules *rules, const struct rules *own, struct security_paths *paths);

#endif
