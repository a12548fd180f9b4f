/* SPDX-License-Identifier: ISC */
/* Listeners that are handed over: from the gate's side. */
#ifndef MASTER_STANDING_H
#define MASTER_STANDING_H

#include "master/child.h"
#include "master/gate.h"

/* Starts a worker for a gate that has become readable, and closes the gate until it has ended.  0,
 * or -1 with errno of the birth. */
int standing_start(struct gate *gate);

/* One that a master before us has started.  gate NULL: the listener is gone.  It is asked to finish
 * where it goes by the old plan.  0, or -1 with errno. */
int standing_adopt(struct child *child, struct gate *gate, int talk_fd);

/* It has ended: hears its last notes, says whether it has left what woke it (end.unread), and opens
 * the gate. */
void standing_ended(struct child *child, struct child_end *end);

/* Asks all of them to finish, for a stop: programs, which cannot know it, get SIGTERM. */
void standing_finish_all(void);

#endif
