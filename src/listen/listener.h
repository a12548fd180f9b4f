/* SPDX-License-Identifier: ISC */
/* The listening sockets, and those for datagrams, opened by begatd and handed to the master by
 * number; and the FIFOs, which are only made. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/config.h"

#define LISTENER_CONTROL SIZE_MAX /* instead of a service's place: the control socket */

struct listener {
	int fd;		/* parked, close-on-exec, non-blocking; -1: a FIFO, or not opened yet */
	bool kept;	/* the running daemon has it: fd is its number there, and not open here */
	bool changed;	/* kept, but its backlog, owner or mode are others now */
	bool standing;	/* handed over to a worker that serves many clients, ... */
	bool admits;	/* ... and asks each of them by a table of their sources: */
	int sources_fd; /* an empty memfd for it, parked, close-on-exec; -1: none, or not yet */
	bool sources_kept; /* the running daemon has that, as kept */
	int type;	   /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET; 0: a FIFO */
	uint16_t port;	   /* that a socket for datagrams is bound to; 0: none, or not known yet */
	size_t service;	   /* its place in the configuration, or LISTENER_CONTROL */
	const char *owner; /* that service's name; borrowed; NULL: the control socket */
	const struct address *wanted; /* borrowed from the configuration; NULL in a held one */
	char *asked;		      /* the address as configured, canonical; owned */
	char *address;		      /* the same with the port that the kernel chose; owned */
	char *path; /* of a FIFO, or of a Unix socket's file; NULL: none (yet); owned */
	bool internet;
	dev_t device; /* of the socket's file; of a FIFO 0, since every reader gets another one */
	ino_t inode;
	dev_t made_device; /* of the FIFO that was made here, since there was none; 0, 0: none was
			    */
	ino_t made_inode;
	int backlog; /* 0 where nobody connects */
	uid_t uid;   /* of the file, as configured: -1: as it comes, as below */
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

/* Opens all of them that are not kept, and what their workers will need.  Ends the program when one
 * cannot be opened: EXIT_PRIVILEGE without the right to it, otherwise EXIT_GENERIC, naming the
 * address and, where /proc tells, the process that holds it; files made so far are removed again.
 * Waits at most half a second for the lock of a Unix path. */
void listeners_open(struct listener_set *set);

/* Closes everything that was opened here, removes the files that were made here, and frees the set.
 */
void listeners_close(struct listener_set *set);

#endif
