/* SPDX-License-Identifier: ISC */
/* The other half of worker/offer.h: a worker of tcpmux asks whether its client may come in to
 * another service, and hands it over. */
#ifndef MUX_H
#define MUX_H

#include <stdbool.h>

#include "admit/connection.h"
#include "master/child.h"
#include "plan/plan.h"

/* To be called first. */
void mux_init(const struct plan *plan);

/* Keeps a copy of the connection, and makes a pair of sockets: ours is watched, the worker's is the
 * caller's to close.  0, or -1 with errno and nothing kept. */
int mux_open(struct child *child, const struct connection *connection, int *worker_fd);

/* Goes on with what a master before us has left; both may be -1.  0, or -1 with errno. */
int mux_adopt(struct child *child, int talk_fd, int offered_fd);

/* As many clients are to name their service as there are descriptors for; gates_feed() follows. */
bool mux_is_full(void);

/* The child has ended, or was never born: its last word is still heard, and its copy closed unless
 * it was handed over.  Does nothing for a child of another role. */
void mux_close(struct child *child);

#endif
