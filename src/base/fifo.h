/* SPDX-License-Identifier: ISC */
/* A named pipe in the file system: fifo(7). */
#ifndef BASE_FIFO_H
#define BASE_FIFO_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct fifo_owner {
	uid_t uid; /* (uid_t)-1: as it comes, as below */
	gid_t gid;
	mode_t mode;
};

/* Makes sure that name, in a directory, is a FIFO with that owner and mode: makes one where there
 * is nothing, and leaves everything else alone.  0, or -1 with errno: EEXIST when it is something
 * else.  Follows no link, never blocks. */
int fifo_make(int directory_fd, const char *name, const struct fifo_owner *owner);

/* Whether this is a FIFO that may be taken for ours: it has no other name, and belongs to us or to
 * that owner. */
bool fifo_is_ours(const struct stat *status, const struct fifo_owner *owner);

/* Opens the very file behind a descriptor, for which O_PATH is enough, anew: close-on-exec.  -1
 * with errno.  Needs /proc. */
int fifo_reopen(int fd, int flags);

#endif
