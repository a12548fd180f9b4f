/* SPDX-License-Identifier: ISC */
/* Messages to the service manager: sd_notify(3), without its library. */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Sends "READY=1", "STOPPING=1", "STATUS=..." to $NOTIFY_SOCKET.  Does nothing when there is none,
 * never blocks, never fails: a service manager that does not listen is not our problem. */
void notify_send(const char *message);

#endif
