/* SPDX-License-Identifier: ISC */
/* Descriptors: all close-on-exec, and the master's own parked high. */
#ifndef FD_H
#define FD_H

#include <stdbool.h>

/* The master keeps its long-lived descriptors at or above this number and accepts below it, so that
 * a child can leave all of them behind with one close_range(2): design, "spawn". */
#define FD_PARKED 64

/* Sets or clears FD_CLOEXEC.  0, or -1 with errno. */
int fd_set_cloexec(int fd, bool on);

/* Moves a descriptor to FD_PARKED or above, close-on-exec, and closes the old one.  The new number,
 * or -1 with errno and the old one closed too.  A negative fd is passed through, errno kept. */
int fd_park(int fd);

/* Opens /dev/null on each of 0, 1 and 2 that is closed.  0, or -1 with errno. */
int fd_open_standard(void);

#endif
