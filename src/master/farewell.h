/* SPDX-License-Identifier: ISC */
/* The last words to clients that are refused: banner-fail of begat.conf(5). */
#ifndef FAREWELL_H
#define FAREWELL_H

#include <stdbool.h>

#include "admit/connection.h"
#include "plan/plan.h"

#define FAREWELLS    32	   /* at one time; one more ends the oldest */
#define FAREWELL_MS  2000  /* for a client to hear them and to close its side */
#define FAREWELL_MAX 65536 /* bytes of a client that are dropped meanwhile */

/* Ends a connection, which is taken over: with banner-fail when the service has one, or else at
 * once.  Where it may linger the text is not lost to a reset, although nothing that the client has
 * sent is read.  Never blocks, allocates nothing. */
void farewell(const struct plan *plan, const struct plan_service *service,
	      struct connection *connection, bool may_linger);

#endif
