/* SPDX-License-Identifier: ISC */
/* Named sets of system calls, as systemd.exec(5) has them in SystemCallFilter=. */
#ifndef SYSCALL_SETS_H
#define SYSCALL_SETS_H

#include <stdbool.h>
#include <stddef.h>

struct syscall_set {
	const char *name;    /* with its "@" */
	const char *members; /* names of calls and of other sets, with single spaces between */
};

extern const struct syscall_set syscall_sets[]; /* sorted; one without a name is the end */

/* NULL: there is none of that name. */
const struct syscall_set *syscall_set_find(const char *name);

#define SYSCALL_NAME 48 /* bytes of a member's name */

/* Takes the first member off the front of *members; false when there are no more. */
bool syscall_set_next(const char **members, char name[static SYSCALL_NAME]);

#endif
