/* SPDX-License-Identifier: ISC */
/*
 * The cage of a service, whole: what its workers keep, out of what the administrator said and what
 * a handler or a program has by itself.  begatd makes the plan of it, and begatd --security shows
 * it.
 */
#ifndef CAGE_H
#define CAGE_H

#include "cage/ruleset.h"
#include "config/service.h"

struct cage {
	struct service_limit *limits; /* owned; what is not is borrowed from the service */
	size_t nlimits;
	bool set_nice;
	int nice;
	const char *chroot; /* NULL: none */
	bool set_capabilities;
	bool drop_bounding; /* what is not among them, no exec may give back */
	uint64_t capabilities;
	bool private_network, private_tmp, private_pids;
	bool deny_write_execute, die_with_master;
	struct rules rules;  /* owned */
	unsigned guards;     /* enum guard */
	char **system_calls; /* owned; items of cage/syscalls.h; NULL: all may be used */
	bool cgroup;
	int64_t memory_max;
	unsigned tasks_max;
};

/* What the kernel cannot do is left out here; whether that is an error, the configuration has
 * decided when it was loaded. */
void cage_make(const struct service *service, struct cage *cage);
void cage_fini(struct cage *cage);

#endif
