/* SPDX-License-Identifier: ISC */
/* Clients that hold their connections, more than one process can have. */
#ifndef HOLDER_H
#define HOLDER_H

/* Opens so many connections to an echo service on the port of 127.0.0.1, and makes sure that each
 * of them has a worker.  They come from several addresses of loopback, each of them a process of
 * its own. Exits 1 with a message on failure. */
void holders_open(int port, int count);

/* Closes all of them. */
void holders_close(void);

#endif
