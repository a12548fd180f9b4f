/* SPDX-License-Identifier: ISC */
/* Who the client is, where a proxy says so.  Child side only. */
#ifndef CLIENT_H
#define CLIENT_H

#include "worker/worker.h"

/* Reads the PROXY header of the task's connection, byte for byte and for five seconds at most, and
 * introduces the client to the master.  Returns only when it may come in: the task with the
 * client's connection in the place of the proxy's.  Else the client is told and the worker ends. */
const struct worker_task *client_meet(const struct worker_task *task);

#endif
