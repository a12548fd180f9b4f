/* SPDX-License-Identifier: ISC */
/* The listening sockets, opened by begatd and handed to the master by number. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"

#define LISTENER_CONTROL SIZE_MAX /* instead of a service's place: the control socket */

struct listener {
	int fd;		/* parked, close-on-exec, non-blocking */
	bool kept;	/* the running daemon has it: fd is its number there, and not open here */
	bool changed;	/* kept, but its backlog, owner or mode are others now */
	int type;	/* SOCK_STREAM, SOCK_SEQPACKET */
	size_t service; /* its place in the configuration, or LISTENER_CONTROL */
	const char *owner;	      /* that service's name; borrowed; NULL: the control socket */
	const struct address *wanted; /* borrowed from the configuration; NULL in a held one */
	char *asked;		      /* the address as configured, canonical; owned */
	char *address;		      /* the same with the port that the kernel chose; owned */
	char *path;		      /* of a Unix socket's file; NULL: none; owned */
	bool internet;
	dev_t device;
	ino_t inode;
	int backlog;
	uid_t uid; /* of the file, as configured: -1: as it comes, as below */
	gid_t gid;
	mode_t mode;
};

struct listener_set {
	struct listener *all;
	size_t count;
};

/* What every enabled service asks for, in order, and after that the control socket, nothing opened
 * yet.  What a running daemon has open already is kept: held, NULL when there is none, tells what
 * that is, and is sorted. */
void listeners_plan(const struct config *config, struct listener_set *held,
		    struct listener_set *set);

/* Opens all of them that are not kept.  Ends the program when one cannot be opened: EXIT_PRIVILEGE
 * without the right to it, otherwise EXIT_GENERIC, naming the address and, where /proc tells, the
 * process that holds it; Unix socket files made so far are removed again.  Waits at most half a
 * second for the lock of a Unix path. */
void listeners_open(struct listener_set *set);

/* Closes every socket that was opened here, removes the Unix socket files of these, and frees the
 * set. */
void listeners_close(struct listener_set *set);

#endif
