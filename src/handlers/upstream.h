/* SPDX-License-Identifier: ISC */
/* The other side of a redirect: a connection to the first of its targets that answers. */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <begat/handler.h>

#define UPSTREAM_NONE -1 /* no target has answered; that was said on the standard error */
#define UPSTREAM_GONE -2 /* nor need one: the client has reset */

/* Tries the targets in turn, each of their addresses for at most timeout_ms.  A non-blocking
 * descriptor, or one of the above. */
int upstream_open(struct begat_session *session, char *const *targets, long long timeout_ms);

#endif
