/* SPDX-License-Identifier: ISC */
/* The arguments of begat-master: what begatd, and a master before it, tell the one that follows. In
 * a reload the two masters may be of different versions, in either direction: an argument keeps its
 * place and its meaning, and new ones come last. */
#ifndef LAUNCH_H
#define LAUNCH_H

struct launch {
	int plan_fd;
	int state_fd; /* of a master before it; -1: this is the first one */
	int talk_fd; /* to the preflight, which waits for the end of the reload; -1: nobody waits */
	struct {
		int master_fd; /* the program to go back to when this one cannot start; -1: none */
		int plan_fd;
		int state_fd;
	} back;
	const char *message; /* why the next master could not start and this one is back; NULL */
};

/* Becomes the begat-master behind a descriptor.  Returns only when it cannot: -1 with errno. */
int launch_master(int master_fd, const struct launch *launch);

/* The other side: 0, or -1 when these are no arguments of ours.  The message is borrowed from argv,
 * which process titles are written over. */
int launch_parse(int argc, char **argv, struct launch *launch);

#endif
