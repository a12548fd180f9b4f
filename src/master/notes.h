/* SPDX-License-Identifier: ISC */
/* What standing workers tell of their clients. */
#ifndef NOTES_H
#define NOTES_H

#include "master/child.h"

/* Hears what a worker says on its socket, which is taken over when that works.  0, or -1 with
 * errno.
 */
int notes_open(struct child *child, int fd);

/* Hears the last of it, and closes the socket.  Does nothing where there is none. */
void notes_close(struct child *child);

#endif
