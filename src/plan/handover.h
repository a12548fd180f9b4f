/* SPDX-License-Identifier: ISC */
/*
 * The old master's state as begatd sees it: read from JSON, which may come from another version of
 * begat (report/status.c writes it), and turned into the flat state of this build.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan/plan.h"
#include "plan/state.h"

#define HANDOVER_VERSION 1 /* of the JSON that this build writes, and the last that it reads */

struct handover_listener {
	char *asked;	/* the address as configured, canonical: what a listener is known by */
	char *address;	/* as bound */
	char *service;	/* whose it is; NULL: not said */
	char *path;	/* of a Unix socket's file, or a FIFO; NULL: none */
	int fd;		/* the master's number; -1: a FIFO */
	int sources_fd; /* of its own table of sources; -1: none */
	int backlog;
	uid_t uid; /* as configured; (uid_t)-1: as it comes, as below */
	gid_t gid;
	mode_t mode;
	dev_t device;
	ino_t inode;
};

struct handover_service {
	char *name;
	char *throttled_why;	    /* NULL: none */
	struct state_service state; /* but name, plan and throttled_why, which are not set */
};

struct handover {
	long pid;
	unsigned generation;
	char *config_path; /* absolute */
	char *pid_path;	   /* NULL: none, and pid_fd is -1 */
	int pid_fd;
	char *begatd_path; /* absolute */
	bool begatd_gone;  /* we were started by descriptor, because the path leads nowhere */
	int begatd_fd, master_fd, plan_fd, state_fd, effective_fd;
	int reports_fd; /* -1: of a version that had none like ours */
	int sources_fd; /* -1: there is none, as below */
	int resolver_workers_fd, resolver_resolvers_fd;
	bool detached, has_terminal;
	uint64_t nofile_soft, nofile_hard; /* as they were before the first master raised them */
	uint64_t log_dropped;
	int64_t started_ns, started_s;
	struct reload_stats reloads;
	char *last_failure; /* NULL: none */
	bool reload_again;
	int *received; /* descriptors, by the master's numbers, in the order they were sent */
	size_t nreceived;
	int *cages; /* descriptors of its plan's cages */
	size_t ncages;
	struct handover_listener *listeners;
	size_t nlisteners;
	struct handover_service *services;
	size_t nservices;
	struct state_child *children; /* service: the place among services */
	size_t nchildren;
};

/* Reads the JSON in a memfd from its start.  NULL with one line of what is wrong with it, not ended
 * by a newline, in error.  Unknown fields are passed over; fields that only older versions lack
 * have a default; descriptors must be 3 or above, and places must exist. */
struct handover *handover_read(int fd, char error[static 256]);
void handover_free(struct handover *handover);

/* Which services of the plan have not changed, so that their throttle goes on: by name. */
typedef bool handover_is_unchanged(const char *service, const void *context);

/* Everything for the new master: its plan's services and listeners decide what stays, what is only
 * there until its workers have ended, and which listeners are to be dropped (those whose descriptor
 * the plan does not have).  The descriptor of the flat state, parked and close-on-exec; -1 with
 * errno.  The generation is the next one, the successful reload is counted. */
int handover_make_state(const struct handover *handover, const struct plan *plan,
			const struct state_summary *summary, handover_is_unchanged *is_unchanged,
			const void *context);

#endif
