/* SPDX-License-Identifier: ISC */
/*
 * What is counted.
 *
 * The counters themselves lie where they are counted (master/serving.c); the names that log lines,
 * status and the state of a reload have for them are here, once.
 */
#include "config.h"

#include "report/stats.h"

const char *stats_result_name(enum worker_result result)
{
	static const char *const names[RESULTS] = {
		[RESULT_OK] = "ok",
		[RESULT_EXITED] = "exited",
		[RESULT_SIGNALLED] = "signalled",
		[RESULT_CORE] = "core",
		[RESULT_STEP] = "failed",
		[RESULT_TIMED_OUT] = "timed-out",
		[RESULT_REFUSED] = "refused",
	};

	return names[result];
}
