/* SPDX-License-Identifier: ISC */
/*
 * The cages of all services, each once, with all that is compiled and opened for them: filters of
 * system calls, rulesets, control groups, empty networks.
 */
#ifndef CAGES_H
#define CAGES_H

#include <linux/filter.h>

#include "cage/cage.h"
#include "cage/cgroup.h"
#include "config/config.h"

#define CAGES_NO_FD (-1)

struct cage_rule_file {
	uint64_t device,
		inode; /* of a rule's path, when the ruleset was made; 0: nothing was there */
};

struct made_cage {
	struct cage cage;
	const struct sock_filter *filter; /* owned by the set, as others may have the same */
	size_t nfilter;
	struct cage_rule_file *files; /* one for each rule */
	int ruleset, network, cgroup; /* places in fds; CAGES_NO_FD: none */
};

struct cages {
	struct made_cage *all;
	size_t count;
	size_t *of_service; /* by the service's place: the place of its cage */
	int *fds; /* close-on-exec; a plan may be made with other numbers of the same ones */
	size_t nfds;
	void *filters; /* those that were compiled, by what they let in */
	void *keys;    /* the places of cages, by their keys */
};

/* Before cages_open() and cages_settle(): whether the daemon is only starting (cgroup_init()). */
void cages_begin(const struct config *config, bool is_start);

/* Makes them; those of disabled services say nothing.  Ends the program with a message when
 * something cannot be had, since a service is never run with less of a cage than it was to have. */
void cages_open(const struct config *config, struct cages *cages);

/* What changes control groups that workers of an earlier plan may be in, or are to be born into:
 * once this one is in force.  0, or -1 with a reason. */
int cages_settle(const struct config *config, const struct cages *cages,
		 char why[static CGROUP_WHY]);

void cages_fini(struct cages *cages);

/* How many descriptors cages_open() may need, at most. */
size_t cages_count_fds(const struct config *config);

#endif
