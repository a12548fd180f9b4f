/* SPDX-License-Identifier: ISC */
/* What a name leads to: asked before anything is removed, so that nobody else's file ever is. */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <sys/types.h>

/* Where programs are looked for, of those that we start. */
#define PATH_STANDARD "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Whether the name, itself and not what a link of that name leads to, is this very file. */
bool path_is(const char *path, dev_t device, ino_t inode);

/* Removes it if it is: 0, also when it is not, or -1 with errno. */
int path_remove(const char *path, dev_t device, ino_t inode);

/* The same question for the file behind a descriptor. */
bool path_is_fd(const char *path, int fd);

/* What a path is within a directory, by the names alone: from the '/' on, "/" for the directory
 * itself; NULL when it is not beneath it. */
const char *path_inside(const char *path, const char *directory);

/* Opens the directory of an absolute path, O_PATH, and gives the last name of it.  A symbolic link
 * on the way is followed when it is root's or ours: ELOOP for anybody else's, who could lead us
 * anywhere.  -1 with errno. */
int path_open_directory(const char *path, const char **name);

#endif
