/* SPDX-License-Identifier: ISC */
/* The listeners that a running daemon has, and which of them the next one keeps. */
#ifndef HELD_H
#define HELD_H

#include "listen/listener.h"

/* Marks in both sets what is kept, and completes it in the second one.  The first is sorted.  A
 * Unix socket whose file is no longer there is not kept: lstat(2). */
void held_keep(struct listener_set *held, struct listener_set *set);

#endif
