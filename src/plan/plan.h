/* SPDX-License-Identifier: ISC */
/*
 * The plan: everything that the master needs to know, decided and resolved by begatd, in one sealed
 * memfd that is mapped read-only.  It is flat: what would be a pointer is an offset from its start,
 * 0 for none, so that it can be mapped anywhere.  It only ever passes between two programs of one
 * build, which the stamp makes sure of; there is no other compatibility.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/landlock.h"

#define PLAN_VECTOR_MAX 250 /* strings of an argument list or of an environment */
#define PLAN_GROUPS_MAX 64  /* supplementary groups */

enum plan_stderr { PLAN_STDERR_LOG, PLAN_STDERR_CLIENT, PLAN_STDERR_NULL };

/* One option of a handler: struct begat_value with offsets. */
struct plan_value {
	uint32_t name;
	uint32_t string;
	uint32_t argv; /* a vector */
	int64_t number;
};

/* So many in so much time, as a token bucket: admit/limit.h. */
struct plan_rate {
	int64_t step_ns;   /* after which there is one token more; 0: no limit */
	int64_t window_ns; /* in which an empty bucket gets full: a whole number of steps */
};

/* Who may come: each array sorted, and from one first on its verdict holds up to the next. */
struct plan_span4 {
	uint32_t first; /* host byte order; that of the first element is 0 */
	uint32_t allowed;
};

struct plan_span6 {
	uint64_t high, low; /* host byte order; those of the first element are 0 */
	uint64_t allowed;
};

struct plan_id {
	uint32_t id; /* sorted, each once */
	uint32_t allowed;
};

struct plan_access {
	uint32_t spans4; /* struct plan_span4[nspans4], at least one */
	uint32_t nspans4;
	uint32_t spans6; /* struct plan_span6[nspans6], at least one */
	uint32_t nspans6;
	uint32_t users; /* struct plan_id[nusers] */
	uint32_t nusers;
	uint32_t groups; /* struct plan_id[ngroups] */
	uint32_t ngroups;
	bool others_allowed; /* Unix peers that are neither among users nor in one of groups */
};

/* Minutes of the week in local time, from Monday 0:00 on: from the first up to before the second.
 */
struct plan_time {
	uint16_t from, to; /* from < to <= 10080; sorted, and they do not touch */
};

/* Who may come in, and how often.  Services that say the same may share one. */
struct plan_admission {
	uint32_t access;  /* struct plan_access; 0: everybody may come */
	uint32_t proxies; /* struct plan_access: who sends a PROXY header; 0: nobody does */
	uint32_t times;	  /* struct plan_time[ntimes] */
	uint32_t ntimes;  /* 0: at any time */
	uint32_t banner_fail;
	uint32_t per_source;   /* instances; 0: no limit */
	uint32_t prefix4;      /* bits that make a source, 1 to 32 */
	uint32_t prefix6;      /* 1 to 128 */
	struct plan_rate rate; /* of the service */
	struct plan_rate source_rate;
	struct plan_rate ban_after; /* refusals of a source */
	int64_t ban_ms;		    /* 0: nobody is banned */
	bool refuse_when_full;	    /* or else clients wait */
};

struct plan_limit {
	uint32_t resource; /* RLIMIT_... */
	uint64_t soft, hard;
};

/* One rule of Landlock: base/landlock.h. */
struct plan_rule {
	uint32_t path; /* as the worker sees it, in its chroot; 0: a port */
	uint32_t port;
	uint64_t rights;
	bool fixed;	 /* only what was there then, because workers may replace it */
	uint64_t device; /* what was there when the ruleset was made; 0: nothing was */
	uint64_t inode;
};

/* What a worker may do.  Services whose cages are alike share one. */
struct plan_cage {
	uint32_t limits; /* struct plan_limit[nlimits] */
	uint32_t nlimits;
	uint32_t chroot;  /* 0: none */
	uint32_t filter;  /* struct sock_filter[nfilter], for seccomp(2) */
	uint32_t nfilter; /* 0: no filter */
	uint32_t rules;	  /* struct plan_rule[nrules], of which ... */
	uint32_t nrules;
	struct landlock_handled handled;
	int ruleset_fd;	       /* ... this ruleset was made; -1: none, as below */
	int network_fd;	       /* an empty network, to be entered */
	int cgroup_fd;	       /* a directory, to be born into */
	uint64_t capabilities; /* by number; these alone are kept, in every set, ... */
	bool set_capabilities; /* ... or as the identity has it */
	bool drop_bounding;
	bool set_nice;
	int nice;
	bool private_tmp;
	bool private_pids;
	bool deny_write_execute;
	bool die_with_master;
};

struct plan_service {
	uint32_t name;
	uint32_t cage;	    /* struct plan_cage; 0: nothing beyond what is said here */
	uint32_t admission; /* struct plan_admission; 0: everybody may come, and waits when full */
	uint64_t id;	    /* made of its name: the same after a reload */
	int32_t handler;    /* its place in the registry; -1: a program */
	uint32_t values;    /* struct plan_value[nvalues] */
	uint32_t nvalues;
	uint32_t path; /* of the program */
	uint32_t argv; /* a vector, argv[0] included */
	uint32_t env;  /* a vector of NAME=VALUE, the connection's own variables not among them */
	uint32_t banner;
	uint32_t directory; /* 0: the master's own, which is / */
	uint32_t groups;    /* gid_t[ngroups], ascending */
	uint32_t ngroups;
	uid_t uid;
	gid_t gid;
	mode_t umask;
	bool set_identity;
	bool no_new_privileges;
	bool crlf;
	bool redirects;	  /* an end with status 1 says that nobody is there, and nothing of us */
	bool multiplexes; /* it is tcpmux, and may hand clients over to ... */
	bool multiplexed; /* ... those that are this */
	bool asks_names;  /* its banner has the client's name, or it is redirected to one */
	enum plan_stderr stderr_to;
	uint32_t instances;
	uint16_t reply_max;	     /* bytes of an answer to a datagram */
	uint16_t reply_factor;	     /* an answer is no longer than so many questions; 0: any */
	struct plan_rate reply_rate; /* datagrams of one source */
	int32_t first_byte_ms;	     /* 0: no limit, as below */
	int32_t idle_ms;
	int32_t max_time_ms;
	int32_t kill_grace_ms;
};

#define PLAN_CONTROL UINT32_MAX /* no service's listener, but the control socket */

enum plan_kind { PLAN_STREAM, PLAN_DATAGRAM, PLAN_FIFO };

struct plan_listener {
	int fd;		  /* listening or bound, non-blocking; -1: a FIFO's, which its keeper has */
	int sources_fd;	  /* its own table of sources, admit/source.h; -1: none */
	uint32_t service; /* its place, or PLAN_CONTROL */
	uint32_t asked;	  /* the address as configured, canonical: what it is known by */
	uint32_t address; /* as bound, as text */
	uint32_t path;	  /* Unix: the socket's file, to be removed at the end; 0: none */
	uint8_t kind;	  /* enum plan_kind */
	bool standing;	  /* handed over to a worker that serves many clients */
	bool internet;	  /* TCP or UDP, so that lines end with "\r\n" */
	bool added;	  /* by this plan: not kept from one before */
	bool changed;	  /* kept, but backlog, owner or mode are others now */
	dev_t device;	  /* of the socket's file, so that nobody else's is removed */
	ino_t inode;
	int backlog;
	uid_t socket_uid; /* of the file, as configured; -1: as it comes, as below */
	gid_t socket_gid;
	mode_t socket_mode;
};

struct plan_global {
	int pid_fd;	   /* the locked pid file; -1: none */
	int begatd_fd;	   /* begatd's binary, O_PATH, for a reload when its path is gone */
	int master_fd;	   /* this master's binary, O_PATH, for the way back */
	int effective_fd;  /* the configuration in effect as text: config/difference.h */
	int ready_fd;	   /* gets "\n" when ready, an exit code when failed; -1: none */
	bool detached;	   /* 0 to 2 become /dev/null when ready */
	bool has_terminal; /* there is a controlling terminal: tty(4) */
	int log_sink;	   /* enum log_sink */
	int log_level;
	uint32_t log_file;
	uint32_t debug_topics;
	uint32_t pid_path;
	uint32_t config_path;
	uint32_t begatd_path; /* absolute, as found at the first start */
	uint32_t argv;	      /* the vector that begatd was started with */
	uint32_t instances;
	uid_t resolver_uid; /* as whom names are looked up; -1: as we are */
	gid_t resolver_gid;
	uint32_t sources; /* that are remembered */
	uint32_t headers; /* PROXY headers that may be missing at a time */
	int64_t stop_timeout_ms;
	int64_t reload_timeout_ms; /* for the preflight */
	uint64_t nofile_wanted;	   /* descriptors that the master may need */
	uint64_t nofile_soft;	   /* RLIMIT_NOFILE as it was found: workers get it back, ... */
	uint64_t nofile_hard;
	bool restore_nofile; /* ... if ours differs */
};

struct plan {
	char magic[8];
	char stamp[56];
	uint32_t size; /* bytes, this header included */
	struct plan_global global;
	uint32_t services; /* struct plan_service[nservices] */
	uint32_t nservices;
	uint32_t listeners; /* struct plan_listener[nlisteners] */
	uint32_t nlisteners;
	uint32_t fds; /* int[nfds]: those that cages speak of, each once */
	uint32_t nfds;
	uint32_t ports; /* uint16_t[nports], sorted: of all sockets for datagrams */
	uint32_t nports;
};

/* Maps the plan behind a descriptor, for the life of the process.  NULL with errno: EINVAL when it
 * is not a sealed plan, ESTALE when it is one of another build. */
const struct plan *plan_map(int fd);

const struct plan_service *plan_service(const struct plan *plan, size_t index);
const struct plan_listener *plan_listener(const struct plan *plan, size_t index);

/* Its cage; NULL when there is none. */
const struct plan_cage *plan_cage(const struct plan *plan, const struct plan_service *service);

/* Whether one of our own sockets for datagrams has this port. */
bool plan_has_port(const struct plan *plan, uint16_t port);

/* The descriptors of all cages. */
const int *plan_fds(const struct plan *plan);

/* The control socket, which is the last listener; NULL when there is none. */
const struct plan_listener *plan_control(const struct plan *plan);

/* Whether every offset, text, vector and place in it is within bounds: asked once, by a process
 * that may crash, before a master goes by it. */
bool plan_is_sound(const struct plan *plan);

/* What an offset stands for; NULL for 0. */
const void *plan_at(const struct plan *plan, uint32_t offset);
const char *plan_text(const struct plan *plan, uint32_t offset);

/* How many strings a vector has, and the pointers to them with a closing NULL, put into out, which
 * has room for PLAN_VECTOR_MAX + 1.  Allocates nothing. */
size_t plan_vector(const struct plan *plan, uint32_t offset, char **out);

#endif
