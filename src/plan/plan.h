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

struct plan_service {
	uint32_t name;
	int32_t handler; /* its place in the registry; -1: a program */
	uint32_t values; /* struct plan_value[nvalues] */
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
	enum plan_stderr stderr_to;
	uint32_t instances;
	int32_t first_byte_ms; /* 0: no limit, as below */
	int32_t idle_ms;
	int64_t max_time_ms;
	int64_t kill_grace_ms;
};

struct plan_listener {
	int fd;		  /* listening, non-blocking */
	uint32_t service; /* its place */
	uint32_t asked;	  /* the address as configured, canonical: what it is known by */
	uint32_t address; /* as bound, as text */
	uint32_t path;	  /* Unix: the socket's file, to be removed at the end; 0: none */
	bool internet;	  /* TCP, so that lines end with "\r\n" */
	dev_t device;	  /* of the socket's file, so that nobody else's is removed */
	ino_t inode;
	int backlog;
	uid_t socket_uid; /* of the file, as configured; -1: as it comes, as below */
	gid_t socket_gid;
	mode_t socket_mode;
	bool added;   /* by this plan: not kept from one before */
	bool changed; /* kept, but backlog, owner or mode are others now */
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
};

/* Maps the plan behind a descriptor, for the life of the process.  NULL with errno: EINVAL when it
 * is not a sealed plan, ESTALE when it is one of another build. */
const struct plan *plan_map(int fd);

const struct plan_service *plan_service(const struct plan *plan, size_t index);
const struct plan_listener *plan_listener(const struct plan *plan, size_t index);

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
