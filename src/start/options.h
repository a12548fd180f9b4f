/* SPDX-License-Identifier: ISC */
/* The options of begatd(8). */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "report/log.h"

struct options {
	const char *config_path;
	const char *pid_path;
	const char *against; /* the pid file of a running daemon */
	const char *topics;
	bool foreground, check, print, security, json, debug;
	int ready_fd;	    /* -1: none */
	int resolver_fd;    /* it is to be the resolver, and nothing else; -1: it is not */
	uid_t resolver_uid; /* -1: as we are */
	gid_t resolver_gid;
};

/* Fills them in, borrowed from argv, which is sorted.  Ends the program after what needs no
 * configuration (help, version, handlers), and with EXIT_USAGE and a message when they are wrong.
 */
void options_parse(int argc, char **argv, struct options *options);

/* What was asked for and could not be said is a failure: the exit status. */
enum exit_code options_flush(void);

#endif
