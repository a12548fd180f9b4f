/* SPDX-License-Identifier: ISC */
/* Where our two programs are: by path, and by descriptors that outlive their paths. */
#ifndef BINARY_H
#define BINARY_H

/* The absolute path that begatd was started by, links in it not resolved, so that an upgrade which
 * turns a link is found; where that cannot be told, what /proc says.  NULL when even that fails.
 * The caller frees it. */
char *binary_find_self(const char *argv0);

/* The path of begat-master. */
const char *binary_master_path(void);

/* A descriptor (O_PATH, parked, close-on-exec) that can be executed when the path leads nowhere any
 * more.  -1 with errno. */
int binary_open(const char *path);

/* The same for the program that is running. */
int binary_open_self(void);

#endif
