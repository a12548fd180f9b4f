/* SPDX-License-Identifier: ISC */
/* The drain: how the daemon stops. */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdbool.h>
#include <stdint.h>

/* A signal to stop: the first one begins the drain, in which workers get so long to finish before
 * they are asked to end; the second one kills them. */
void drain_signal(int number, int64_t stop_timeout_ms);

bool drain_has_begun(void);

/* A worker has ended: the loop stops when it was the last. */
void drain_check(void);

#endif
