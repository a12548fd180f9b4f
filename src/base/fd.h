/* SPDX-License-Identifier: ISC */
/* Descriptors: all close-on-exec, and the master's own parked high. */
#ifndef FD_H
#define FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The master keeps its long-lived descriptors at or above this number and accepts below it, so that
 * a child can leave all of them behind with one close_range(2): design, "spawn". */
#define FD_PARKED 64

/* Sets or clears FD_CLOEXEC.  0, or -1 with errno. */
int fd_set_cloexec(int fd, bool on);

/* Moves a descriptor to FD_PARKED or above, close-on-exec, and closes the old one.  The new number,
 * or -1 with errno and the old one closed too.  A negative fd is passed through, errno kept. */
int fd_park(int fd);

/* Closes one, unless it is negative, and makes it -1.  For what has nothing left to be written. */
void fd_close(int *fd);

/* A pair of connected sockets, SOCK_SEQPACKET and close-on-exec: ours is parked.  0, or -1 with
 * errno and neither of them. */
int fd_pair(int *ours, int *theirs);

/* Closes every descriptor from 3 on but those in keep, which are sorted in place; negative ones in
 * it stand for none.  0, or -1 with errno. */
int fd_close_others(int *keep, size_t count);

/* Owner and mode of the very file behind an O_PATH descriptor, a socket's too, for which chmod(2)
 * has no variant that follows no link; -1: that owner stays.  0, or -1 with errno.  Needs /proc. */
int fd_set_owner(int fd, uid_t uid, gid_t gid, mode_t mode);

/* Writes all of it to a file or a memfd.  0, or -1 with errno. */
int fd_write_all(int fd, const char *bytes, size_t size);

/* Becomes the program behind a descriptor, which may and should be close-on-exec: execveat(2).
 * Returns only when it cannot: -1 with errno. */
int fd_execute(int fd, char **argv);

/* Opens /dev/null on each of 0, 1 and 2 that is closed.  0, or -1 with errno. */
int fd_open_standard(void);

#endif
