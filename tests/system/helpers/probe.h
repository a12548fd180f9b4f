/* SPDX-License-Identifier: ISC */
/* What the files of the probe share; see probe.c. */
#ifndef PROBE_H
#define PROBE_H

#include <errno.h>
#include <stdint.h>
#include <sys/types.h>

/* What was said on the command line. */
struct target {
	pid_t master, parent, other;
	uint16_t tcp, udp, bind; /* ports on 127.0.0.1 */
	const char *path;	 /* of a Unix socket */
	const char *abstract;	 /* its name, without the leading NUL */
	const char *suid;	 /* a copy of this program that is set-user-id root */
	const char *outside;	 /* a file that cannot be seen from within */
	int forks;
	int memory; /* MiB */
};

extern struct target target;

/* A try returns 0 when it has succeeded, or else an errno. */
struct
try {
	const char *name; /* NULL ends a table */
	int (*run)(void);
};

extern const struct try privilege_tries[], file_tries[], network_tries[], process_tries[],
	program_tries[];

static inline int result_of(long result)
{
	return result < 0 ? errno : 0;
}

/* Of a call that could not succeed: whether it was for want of a privilege. */
static inline int privilege_of(long result)
{
	if (result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS))
		return errno;
	return 0;
}

/* open(2), and no more. */
int open_it(const char *path, int flags);

#endif
