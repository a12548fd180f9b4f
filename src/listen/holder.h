/* SPDX-License-Identifier: ISC */
/* Which process holds an address that we wanted. */
#ifndef HOLDER_H
#define HOLDER_H

#include <stddef.h>

#include "listen/address.h"

#define HOLDER_TEXT 64 /* bytes */

/* " (held by NAME, pid N)", or "" where /proc does not tell.  Reads /proc: for messages only. */
void holder_find(const struct address *address, char *text, size_t size);

/* The same for a pid that is known. */
void holder_format(int pid, char *text, size_t size);

#endif
