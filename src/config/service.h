/* SPDX-License-Identifier: ISC */
/* The settings of one service, checked and resolved; immutable once the configuration is loaded. */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <begat/handler.h>

#include "listen/address.h"

/* Where something was said; the file name is owned by the configuration. */
struct origin {
	const char *file;
	int line; /* from 1 */
};

struct service_listen {
	struct address address;
	struct origin origin;
};

struct peers;	 /* config/peers.h */
struct schedule; /* config/schedule.h */

enum service_stderr { SERVICE_STDERR_LOG, SERVICE_STDERR_CLIENT, SERVICE_STDERR_NULL };

#define SERVICE_GROUPS_MAX 64 /* supplementary groups */

struct service_identity {
	bool set; /* false: not root, everything stays as it is */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* the exact supplementary set, sorted, each once */
	size_t ngroups;
	char *user;  /* for USER, LOGNAME, HOME and SHELL, and for printing */
	char *group; /* name, or number where there is no name */
	char *home;
	char *shell;
};

/* "50/10s" */
struct service_rate {
	unsigned count;	   /* 0: no limit */
	int64_t period_ms; /* from 1 */
};

/* Who may come in, and how often. */
struct service_admission {
	const struct peers *only_from; /* NULL: everybody; owned by the configuration, as below */
	const struct peers *no_access; /* NULL: nobody */
	const struct peers *proxies;   /* NULL: no PROXY header */
	const struct schedule *times;  /* NULL: at any time */
	unsigned per_source;	       /* instances of one source; 0: no limit */
	struct service_rate rate;
	struct service_rate source_rate;
	unsigned prefix4, prefix6; /* bits that make a source */
	bool refuse_when_full;
	char *banner_fail; /* unexpanded; NULL: none */
	int64_t ban_ms;	   /* 0: nobody is banned */
	struct service_rate ban_after;
};

struct service_limit {
	int resource;	     /* RLIMIT_..., each once and sorted by it */
	uint64_t soft, hard; /* in the unit of setrlimit(2); RLIM_INFINITY */
};

/* Ports that may be used, where some are named at all. */
struct service_ports {
	bool set;
	uint16_t *all; /* sorted, each once */
	size_t count;
};

/* What its workers may do: what was said, without what a handler or a program has by itself. */
struct service_cage {
	bool best_effort; /* what cannot be had is left out */
	struct service_limit *limits;
	size_t nlimits;
	bool set_nice;
	int nice;
	char *chroot; /* NULL: none */
	bool set_capabilities;
	uint64_t capabilities; /* by number */
	bool set_private_network, private_network;
	bool private_tmp;
	bool private_pids;
	char **read_only, **read_write, **execute; /* NULL: not set */
	struct service_ports connect, bind;
	char **system_calls; /* NULL: not set */
	bool deny_write_execute;
	bool die_with_master;
	bool cgroup;
	int64_t memory_max; /* bytes; 0: no limit */
	unsigned tasks_max; /* 0: no limit */
};

struct service {
	char *name;
	struct origin origin; /* of the section */
	bool disable;

	struct service_listen *listen; /* at least one, unless it is multiplexed */
	size_t nlisten;
	bool waits;	  /* wait = true: its streams too have standing workers */
	bool multiplexed; /* tcpmux = true */
	int backlog;	  /* connections; the kernel's somaxconn cuts it */
	uid_t socket_uid; /* (uid_t)-1: as it comes */
	gid_t socket_gid; /* (gid_t)-1: as it comes */
	mode_t socket_mode;

	const struct begat_handler *handler; /* or NULL ...; of redirect, redirect_handler */
	struct begat_value *values;	     /* one for each declared option, then the commands */
	size_t nvalues;
	char **exec; /* ... and this: NULL-terminated, [0] an absolute path */
	char *arg0;  /* NULL: the program's path */

	char *banner;			/* unexpanded; NULL: none */
	bool crlf;			/* programs only */
	unsigned reply_max;		/* bytes of an answer to a datagram */
	unsigned reply_factor;		/* 0: no limit */
	struct service_rate reply_rate; /* datagrams of one source */
	enum service_stderr stderr_to;
	char *directory;
	char **env;	 /* NAME=VALUE, NULL-terminated, never NULL */
	char **pass_env; /* names, NULL-terminated, never NULL */

	struct service_admission admission;
	unsigned instances;    /* workers at one time, from 1 */
	int64_t first_byte_ms; /* handlers only; 0: none */
	int64_t idle_ms;       /* handlers only; 0: none */
	int64_t max_time_ms;   /* 0: none */
	int64_t kill_grace_ms; /* between TERM and KILL */

	struct service_identity identity;
	mode_t umask;
	bool no_new_privileges;
	struct service_cage cage;
};

void service_free(struct service *service);

/* Whether one of its listeners is handed over to a standing worker; whether this one is; whether
 * nobody is served in another way. */
bool service_stands(const struct service *service);
bool service_listen_stands(const struct service *service, const struct service_listen *listen);
bool service_stands_wholly(const struct service *service);

/* Its first listener of this type: SOCK_STREAM, SOCK_DGRAM, 0 for a FIFO.  NULL: it has none. */
const struct service_listen *service_find_listen(const struct service *service, int type);

/* Where it is redirected to, as config/targets.h writes it: NULL-terminated, never NULL. */
char *const *service_targets(const struct service *service);

#endif
