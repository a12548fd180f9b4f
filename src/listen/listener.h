/* SPDX-License-Identifier: ISC */
/* The listening sockets, opened by begatd and handed to the master by number. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/config.h"

struct listener {
	int fd;		/* parked, close-on-exec, non-blocking */
	size_t service; /* its place in the configuration */
	char *address;	/* the canonical text, with the port that the kernel chose; owned */
	char *path;	/* of a Unix socket's file; NULL: none; owned */
	bool internet;
	dev_t device;
	ino_t inode;
};

struct listener_set {
	struct listener *all;
	size_t count;
};

/* Opens what every enabled service asks for, in order.  Ends the program when one cannot be opened:
 * EXIT_PRIVILEGE without the right to it, otherwise EXIT_GENERIC, naming the address and, where
 * /proc tells, the process that holds it; Unix socket files made so far are removed again.  Waits
 * at most half a second for the lock of a Unix path. */
void listeners_open(const struct config *config, struct listener_set *set);

/* Closes every socket, removes the Unix socket files that are ours, and frees the set. */
void listeners_close(struct listener_set *set);

#endif
