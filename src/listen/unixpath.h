/* SPDX-License-Identifier: ISC */
/* The file of a Unix-domain socket: begat.conf(5), "Unix sockets". */
#ifndef UNIXPATH_H
#define UNIXPATH_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

struct unixpath_owner {
	uid_t uid; /* -1: as it comes, as below */
	gid_t gid;
	mode_t mode;
};

/* Binds the socket to its path and listens, under a lock: a stale socket is replaced; a live one,
 * and anything that is not a socket, is left alone.  The file has its owner and mode before anybody
 * can connect. 0 with the file's identity in device and inode, or -1 with the reason in error.
 * Waits at most half a second. */
int unixpath_bind(int fd, const struct sockaddr_un *address, const struct unixpath_owner *owner,
		  struct stat *made, char error[static 256]);

#endif
