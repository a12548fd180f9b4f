/* SPDX-License-Identifier: ISC */
/* A connection that has just been accepted: it gets a worker, or is refused. */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include "admit/connection.h"
#include "master/gate.h"
#include "master/serving.h"

/* Takes the connection over in any case; it has come by that gate.  0, or -1 with errno when there
 * is no worker to be had, for want of processes, memory or descriptors.  Never blocks. */
int arrival_receive(struct serving *serving, struct gate *gate, struct connection *connection);

/* For a client that could not even get a descriptor of its own: refused for shortage, at once. */
void arrival_turn_away(struct serving *serving, struct connection *connection);

#endif
