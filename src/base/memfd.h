/* SPDX-License-Identifier: ISC */
/* Memory behind a descriptor, memfd_create(2): what crosses an exec, or goes to another process. */
#ifndef MEMFD_H
#define MEMFD_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

/* A new one, empty, that can be sealed and not executed: parked and close-on-exec.  -1 with errno.
 * Allocates nothing else. */
int memfd_open(const char *name);

/* The same with these bytes in it, which nobody can change any more. */
int memfd_sealed(const char *name, const char *bytes, size_t size);
#define MEMFD_SEALED (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Whether it has all of those seals (F_SEAL_...); false for what is no memory at all. */
bool memfd_has_seals(int fd, int seals);

#endif
