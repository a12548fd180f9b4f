/* SPDX-License-Identifier: ISC */
/*
 * The state: what a master hands to its successor, which is the same process after an exec.  Flat
 * like the plan and, like it, only between programs of one build: a master saves its own for the
 * way back, and begatd makes the one for the way on out of JSON (plan/handover.h), which may come
 * from another version.
 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/inet.h"
#include "report/stats.h"

struct state_service {
	uint32_t name; /* offset, as in the plan */
	int32_t plan;  /* its place in the plan; -1: no longer there, only its workers are left */
	int64_t kill_grace_ms;
	struct service_stats stats;
	uint32_t bad;		/* struct throttle */
	uint32_t pause_s;	/* struct throttle */
	int64_t pause_due_ns;	/* monotonic, when its pause ends; 0: it is not paused */
	int64_t rate_ns;	/* struct quota */
	uint32_t throttled_why; /* text; 0: none */
	int stderr_reader;	/* struct errlog; -1: not open */
	int stderr_writer;
};

#define STATE_NO_SOURCE UINT32_MAX
#define STATE_KEEPER	3 /* enum worker_role: one that is no instance of its service */

struct state_child {
	pid_t pid;
	uint32_t service;   /* its place among the state's services */
	uint32_t place;	    /* in the table of children, which its failing step is reported by */
	int32_t ending;	    /* enum child_ending */
	int64_t started_ns; /* monotonic */
	int64_t due_ns;	    /* monotonic, the end of its time; 0: it has no end */
	uint32_t source;    /* its place in the table of sources; STATE_NO_SOURCE: none */
	int talk_fd;	    /* to it, as its role says; -1: none, or no more */
	int offered_fd;	    /* the connection that it may hand over; -1: none */
	int32_t role;	    /* enum worker_role */
	int32_t listener;   /* its place among the plan's, that of its gate; -1: none, or gone */
	uint64_t served;    /* by a standing worker */
	uint64_t denied;
	int32_t refused; /* enum refusal, of the client that was introduced */
	bool lingers;	 /* it is no instance any more */
	bool timed_out;
	bool client_gone;
	char peer[INET_TEXT];
};

/* A listener that the new plan does not have. */
struct state_dropped {
	int fd;
	uint32_t address;
	uint32_t path; /* of a Unix socket's file; 0: none */
	dev_t device;
	ino_t inode;
};

/* What a reload did, by services. */
struct state_summary {
	uint32_t kept, added, changed, removed;
};

/* The program and the plan to go back to when a new master cannot start.  -1: none. */
struct state_back {
	int master_fd, plan_fd, state_fd;
	int begatd_fd, effective_fd; /* these two are only to be closed */
};

struct state {
	char magic[8];
	char stamp[56];
	uint32_t size; /* bytes, this header included */
	uint32_t used; /* while it is being written */
	uint32_t generation;
	bool stopping;	   /* the daemon drains: only for people */
	bool reload_again; /* another one was asked for meanwhile */
	bool begatd_gone;  /* the path of begatd leads nowhere: its descriptor is used */
	struct state_summary summary;
	int64_t started_ns; /* monotonic */
	int64_t started_s;  /* since the epoch */
	uint64_t log_dropped;
	struct reload_stats reloads;
	uint32_t last_failure;	 /* text of the last reload that failed; 0: none has */
	int reports_fd;		 /* memory in which workers report */
	int sources_fd;		 /* admit/source.h */
	int resolver_workers_fd; /* the two ends of master/resolver.h; -1: none */
	int resolver_resolvers_fd;
	int plan_fd; /* of the master that has saved this */
	int state_fd;
	struct state_back back;
	uint32_t services; /* struct state_service[nservices] */
	uint32_t nservices;
	uint32_t children; /* struct state_child[nchildren] */
	uint32_t nchildren;
	uint32_t dropped; /* struct state_dropped[ndropped] */
	uint32_t ndropped;
	uint32_t received; /* int[nreceived]: descriptors that the preflight has sent, in order */
	uint32_t nreceived;
	uint32_t spent; /* int[nspent]: of the cages of the plan before, needed for the way back */
	uint32_t nspent;
};

/* How much is to be written. */
struct state_room {
	size_t services, children, dropped, received, spent;
	size_t text; /* bytes of all texts, with their NULs */
};

/* A new state in a memfd, parked and close-on-exec, mapped for writing: everything zero but magic,
 * stamp, the offsets and counts of the five arrays, and descriptors, which are -1.  NULL with
 * errno.  Allocates nothing else. */
struct state *state_new(const struct state_room *room, int *fd);

/* The arrays, to be filled in. */
struct state_service *state_services(const struct state *state);
struct state_child *state_children(const struct state *state);
struct state_dropped *state_dropped(const struct state *state);
int *state_received(const struct state *state);
int *state_spent(const struct state *state);

/* Puts a text in; 0 when there is no room left. */
uint32_t state_put_text(struct state *state, const char *text);

/* Maps one for reading (NULL with errno: EINVAL for what is none or damaged, ESTALE for another
 * build), and everything in it is checked: offsets, texts, places. */
const struct state *state_map(int fd);
void state_unmap(const struct state *state);

/* NULL for 0. */
const char *state_text(const struct state *state, uint32_t offset);

#endif
