/* SPDX-License-Identifier: ISC */
/* A service whose workers die at once is paused for a while; nothing pauses it for longer. */
#ifndef THROTTLE_H
#define THROTTLE_H

#define THROTTLE_AFTER	  5    /* bad ends in a row */
#define THROTTLE_QUICK_MS 1000 /* a worker that fails within this time of its start ends badly */
#define THROTTLE_FIRST_S  1    /* the first pause, and ... */
#define THROTTLE_LAST_S	  60   /* ... where doubling it stops */

struct throttle {
	unsigned bad;	  /* ends in a row */
	unsigned pause_s; /* the last pause; 0: none since the last success */
};

/* One success: everything is forgotten. */
void throttle_clear(struct throttle *throttle);

/* One bad end.  The seconds to pause for, or 0. */
unsigned throttle_add(struct throttle *throttle);

#endif
