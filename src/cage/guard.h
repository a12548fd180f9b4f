/* SPDX-License-Identifier: ISC */
/*
 * What lists of system calls cannot say and Landlock does not see: a few checks of arguments that
 * stand before a filter for seccomp(2).  What they deny fails, and nobody is killed for it.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/filter.h>

enum guard {
	GUARD_TCP = 1,	      /* no TCP by other names: MPTCP, SMC, Fast Open; no io_uring */
	GUARD_UNIX = 2,	      /* no sockets but Unix ones; no io_uring */
	GUARD_NAMESPACES = 4, /* no new ones by clone(2); clone3(2) is not there */
};

/* Whether there are any on this machine. */
bool guard_is_known(void);

#define GUARD_MAX 64 /* instructions */

/* Puts them in and returns how many instructions there are; what is let through goes on behind the
 * last.  0 where guards are not known. */
size_t guard_make(unsigned guards, struct sock_filter program[static GUARD_MAX]);

#endif
