/* SPDX-License-Identifier: ISC */
/* Clients that the kernel has turned away because a listener's backlog was full. */
#ifndef OVERFLOWS_H
#define OVERFLOWS_H

#include <stdint.h>

/* Of all listeners in this network namespace since it was made, TCP only: ListenOverflows of
 * /proc/net/netstat.  -1 when the kernel does not say.  Reads a file: not for a master. */
int64_t overflows_read(void);

#endif
