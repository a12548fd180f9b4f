/* SPDX-License-Identifier: ISC */
/* Whether the machine lets us have what the configuration allows. */
#ifndef CAPACITY_H
#define CAPACITY_H

#include <stddef.h>

#include "config/config.h"

/* Writes a warning with numbers to standard error where instances cannot fit: RLIMIT_NPROC and
 * RLIMIT_NOFILE of setrlimit(2), pid_max of proc(5).  Never fails: what cannot be asked has no
 * limit. */
void capacity_check(const struct config *config);

/* The most workers that can be there at one time, and those whose PROXY header may be missing yet:
 * for each of these the master keeps a descriptor. */
size_t capacity_workers(const struct config *config);
size_t capacity_headers(const struct config *config);

#endif
