/* SPDX-License-Identifier: ISC */
/* A bare loop that passes its clients on to another server. */
#ifndef SPLICER_H
#define SPLICER_H

/* Clients of the listener, which does not block, to a port of 127.0.0.1. */
void splicer_run(int listener, int target_port) __attribute__((noreturn));

#endif
