/* SPDX-License-Identifier: ISC */
/* Becoming a daemon, with an exit status that tells the truth. */
#ifndef DETACH_H
#define DETACH_H

/* Goes to the background.  Returns in the daemon, with the descriptor through which it must say how
 * the start ended: "\n" for ready, an exit code for failed; fatal() says so by itself.
 * The process that called waits for it, at most a minute, and exits: 0 only when the daemon is
 * ready.  0 to 2 stay as they are until then, for error messages. */
int detach_start(void);

#endif
