/* SPDX-License-Identifier: ISC */
/* Files that a handler shows to its client. */
#ifndef HANDLERS_FILE_H
#define HANDLERS_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include <begat/handler.h>

#define FILE_MOTD_MAX 65536 /* bytes of a message of the day; a larger one is not shown */

/* Opens a regular file of at most max bytes for reading, close-on-exec.  Never blocks: a named pipe
 * or a device is refused with EINVAL, a directory with EISDIR, a larger file with EFBIG.  The
 * descriptor, or -1 with errno. */
int file_open(const char *path, size_t max, size_t *size);

/* As many bytes as there are at offset, up to size: fewer only at the end of the file, which may
 * have become shorter meanwhile.  -1 with errno. */
ssize_t file_read(int fd, size_t offset, void *bytes, size_t size);

/* Writes such a file to the session, as text that ends with a line end, each line in one piece if
 * it has at most 4,095 bytes.  1, or 0 when there is nothing in it, or -1 with errno. */
int file_show(struct begat_session *session, const char *path, size_t max);

/* Says on stderr what is wrong with a handler's file: once, and not for each client of a standing
 * worker.  why NULL: nothing, any more. */
void file_complain(const char *handler, const char *path, const char *why);

#endif
