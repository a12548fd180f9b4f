/* SPDX-License-Identifier: ISC */
/*
 * The keeper of a FIFO: it has the file, waits for readers, and gives each of them to the master as
 * a connection: the write end of a pipe that nobody else opens any more.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "worker/worker.h"

/* What is said over the socket pair (SOCK_SEQPACKET), as the first byte of a packet.  A keeper
 * lives on when the master is replaced by one of another version: these stay as they are. */
enum keeper_word {
	KEEPER_READER = 'r', /* to the master, with the descriptor of a reader's pipe */
	KEEPER_REMOVE = 'x', /* to the keeper: remove the file and end */
	KEEPER_OWNER = 'o',  /* to the keeper, with a struct fifo_owner: these hold from now on */
};

/* Child side only; privileged, as whoever made the file must be, and therefore with nothing but the
 * file, its directory and the socket.  That its master goes away ends it, and leaves the file. */
void keeper_run(const struct worker_task *task) __attribute__((noreturn));

#endif
