/* SPDX-License-Identifier: ISC */
/* Several readers of one pipe, seen from outside: what each of them is at, as proc(5) says. */
#ifndef CROWD_H
#define CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct crowd {
	unsigned readers; /* that live, all in all */
	unsigned waiting; /* of these, in read(2) of that pipe */
	size_t room;	  /* in the smallest of their buffers, bytes */
	bool is_known;	  /* or else we may not ask, and the above says nothing */
};

/* A pid of 0 stands for one that is not known. */
void crowd_look(const pid_t *pids, size_t count, dev_t device, ino_t inode, struct crowd *crowd);

#endif
