/* SPDX-License-Identifier: ISC */
/*
 * Control groups, cgroups(7), version 2: one for the workers of a service, within the one that
 * begatd was given.
 *
 * GROUP/begat-master holds the daemon itself as soon as a controller is wanted, because a group
 * that hands out controllers may hold no processes; GROUP/begat-INSTANCE-NAME the workers of the
 * service NAME, where INSTANCE is eight digits that tell one daemon's groups from another's.
 */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_WHY 320 /* bytes of a reason, as VALUE_WHY */

struct cgroup_limits {
	int64_t memory_max; /* bytes; 0: no limit */
	int64_t tasks_max;  /* processes and threads; 0: no limit */
};

/* Before any but cgroup_check(): whose groups these are, a path that no other daemon has; and
 * whether the daemon is only starting, so that none of them is in use.  Then a group that is there
 * and empty is not opened but made again. */
void cgroup_init(const char *whose, bool is_start);

/* Whether there is a group in which we may make groups, and the controllers that these limits need.
 * 0, or -1 with a reason that says what is missing and what to do.  Changes nothing. */
int cgroup_check(const struct cgroup_limits *limits, char why[static CGROUP_WHY]);

/* The group of a service, made with these limits where it is not there; one that is in use keeps
 * those that it has, for the workers of another plan, but they can be set.  A descriptor of the
 * directory for clone3(2), close-on-exec, or -1 with a reason. */
int cgroup_open(const char *service, const struct cgroup_limits *limits,
		char why[static CGROUP_WHY]);

/* Sets or lifts the limits of a group that is there.  0, or -1 with a reason. */
int cgroup_set_limits(const char *service, const struct cgroup_limits *limits,
		      char why[static CGROUP_WHY]);

/* Removes the empty groups of this daemon's services that are none of these; NULL-terminated. */
void cgroup_clean(char *const *services);

#endif
