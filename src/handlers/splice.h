/* SPDX-License-Identifier: ISC */
/* Bytes between the client and another socket, both ways, without reading them: splice(2). */
#ifndef SPLICE_H
#define SPLICE_H

#include <begat/handler.h>

/* Passes on what comes until both sides have ended, or nothing has come for idle-timeout.  Both
 * sockets are non-blocking, and SIGPIPE must be blocked.  0, or -1 with errno when there were no
 * pipes to be had. */
int splice_both(struct begat_session *session, int target);

#endif
