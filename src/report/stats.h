/* SPDX-License-Identifier: ISC */
/* What is counted: how workers end, and how often.  Counters outlive a reload. */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

#include "report/refusal.h"

enum worker_result {
	RESULT_OK,	  /* exit status 0 */
	RESULT_EXITED,	  /* another one */
	RESULT_SIGNALLED, /* died of a signal */
	RESULT_CORE,	  /* and dumped core */
	RESULT_STEP,	  /* a step before the service failed */
	RESULT_TIMED_OUT, /* ended by a time limit */
	RESULT_REFUSED,	  /* the client that a PROXY header named may not come in */
};
#define RESULTS (RESULT_REFUSED + 1)

/* Of one service, since the daemon started. */
struct service_stats {
	uint64_t begat;		 /* workers started */
	uint64_t served;	 /* clients, or datagrams, by standing workers */
	uint64_t ended[RESULTS]; /* by enum worker_result */
	uint64_t refused[REFUSALS];
};

/* Of the daemon. */
struct reload_stats {
	uint64_t succeeded;
	uint64_t failed;
	int64_t last_s; /* seconds since the epoch of the last one, either way; 0: none yet */
};

/* "ok", "timed-out", ...: in log lines and as keys of JSON. */
const char *stats_result_name(enum worker_result result);

#endif
