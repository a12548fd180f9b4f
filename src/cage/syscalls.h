/* SPDX-License-Identifier: ISC */
/*
 * System calls by name, and named sets of them, as systemd.exec(5) has them in SystemCallFilter=:
 * "read", "@file-system".  An item that begins with "~" takes away.  A list whose first item does
 * so begins with every call, any other with none.
 */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/filter.h>

#define SYSCALLS_WHY 320 /* bytes of a reason, as VALUE_WHY */

/* What happens to a process that makes another call: SIGSYS ends it. */
enum syscalls_end {
	SYSCALLS_KILL, /* at once */
	SYSCALLS_TRAP, /* by a signal that a handler's worker takes a note of: worker/trap.h */
};

/* 0, or -1 with a reason that names the item and, where there is one, what is nearest to it. */
int syscalls_check(const char *item, char why[static SYSCALLS_WHY]);

/* How many calls a list leaves, of those of this machine; NULL-terminated, checked items. */
size_t syscalls_count(char *const *items);

/* Whether it is "@all" alone, which is no filter. */
bool syscalls_is_all(char *const *items);

/* Whether a list leaves this call. */
bool syscalls_has(char *const *items, const char *name);

/* How many there are on this machine. */
size_t syscalls_all(void);

/* The program for seccomp(2), which the caller frees, and its length in instructions; NULL with a
 * reason.  Other architectures of the same machine are not let in.  brief: for processes that make
 * few calls, a program that is quick to take up rather than quick to run. */
struct sock_filter *syscalls_compile(char *const *items, enum syscalls_end end, bool brief,
				     size_t *length, char why[static SYSCALLS_WHY]);

#endif
