/* SPDX-License-Identifier: ISC */
/* The resolver: looks names up for workers that are in their cages; worker/resolve.h. */
#ifndef START_RESOLVER_H
#define START_RESOLVER_H

#include <sys/types.h>

/* begatd --resolver=FD: answers questions from that socket until nobody is left who could ask, or
 * until standard input is at its end: then it takes no more of them, answers what it has, and is
 * done.  As uid and gid, unless they are -1.  The exit status. */
int resolver_run(int fd, uid_t uid, gid_t gid);

#endif
