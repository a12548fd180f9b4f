/* SPDX-License-Identifier: ISC */
/* What a listener's address stands for in the kernel: a socket, or the file of a FIFO. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "listen/address.h"
#include "listen/listener.h"

/* Opens it, with its fd and what its file is known by set in the listener, and what the kernel
 * chose in the address.  0, or -1 with errno and the reason in error; what is set by then is for
 * endpoint_close(). */
int endpoint_open(struct listener *listener, struct address *address, char error[static 256]);

/* Closes it, and removes the file if it was made by endpoint_open() and is still there. */
void endpoint_close(const struct listener *listener);

#endif
