/* SPDX-License-Identifier: ISC */
/* How a worker has ended, in words. */
#ifndef ENDING_H
#define ENDING_H

#include <stddef.h>

#include "master/child.h"

/* "step exec: No such file or directory", "status 1", "signal SEGV", "timed out: idle-timeout"; ""
 * for one that ended well. */
void ending_format(const struct child_end *end, char *text, size_t size);
#define ENDING_TEXT 80

/* The line of the log: "reaped NAME[PID] ...". */
void ending_log(const struct child *child, const struct child_end *end);

#endif
