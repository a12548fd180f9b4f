/* SPDX-License-Identifier: ISC */
/* The FIFOs at run time: a keeper for each, and the readers that it passes on. */
#ifndef MASTER_FIFO_H
#define MASTER_FIFO_H

#include "admit/connection.h"
#include "master/child.h"
#include "master/gate.h"

/* While a gate of a FIFO has no keeper it is closed as lent, and its watch has no descriptor; then
 * the watch is on the socket to the keeper. */

/* Goes on with a keeper that a master before us has started; gate NULL: its listener is gone. */
void fifo_adopt(struct gate *gate, struct child *keeper, int talk_fd);

/* When there is no way back any more: keepers without a gate remove their files and end, others
 * hear of another owner or mode, and every FIFO without a keeper gets one.  What fails is tried
 * again. */
void fifos_settle(void);

/* Takes a reader from the keeper: connection.fd is where its answer goes.  As connection_accept().
 */
enum connection_result fifo_accept(struct gate *gate, struct connection *connection);

/* A child has ended: if it is a keeper it is started anew, after a pause when it has failed. */
void fifo_ended(struct child *child, const struct child_end *end);

/* The keeper shall end: and remove the file. */
void fifo_close(struct gate *gate, bool remove);

#endif
