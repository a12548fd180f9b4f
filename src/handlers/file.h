/* SPDX-License-Identifier: ISC */
/* Files that a handler shows to its client. */
#ifndef HANDLERS_FILE_H
#define HANDLERS_FILE_H

#include <stddef.h>
#include <sys/types.h>

/* Opens a regular file of at most max bytes for reading, close-on-exec.  Never blocks: a named pipe
 * or a device is refused with EINVAL, a directory with EISDIR, a larger file with EFBIG.  The
 * descriptor, or -1 with errno. */
int file_open(const char *path, size_t max, size_t *size);

/* As many bytes as there are at offset, up to size: fewer only at the end of the file, which may
 * have become shorter meanwhile.  -1 with errno. */
ssize_t file_read(int fd, size_t offset, void *bytes, size_t size);

#endif
