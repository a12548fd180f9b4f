/* SPDX-License-Identifier: ISC */
/* What the workers of a service write to their standard error, on its way to the log. */
#ifndef ERRLOG_H
#define ERRLOG_H

#include <stdint.h>
#include <sys/types.h>

#include "master/loop.h"

#define ERRLOG_LINE	 512  /* bytes of a line; more becomes another line */
#define ERRLOG_BURST	 200  /* lines a service may log ... */
#define ERRLOG_WINDOW_MS 1000 /* ... in this time; then its workers' writes wait */

struct errlog {
	const char *service;
	int writer; /* becomes a worker's descriptor 2 */
	struct watch reader;
	pid_t pid; /* whose line is not complete yet; 0: nobody's */
	size_t length;
	char line[ERRLOG_LINE];
	int64_t window_ns;  /* the end of the current window, and ... */
	unsigned lines;	    /* ... what was logged in it */
	struct timer pause; /* until the next window: nothing is read */
};

/* The descriptor for a worker.  The errlog is made when it is first asked for; until then, and
 * after errlog_close(), it is NULL, which all others here take.  -1 with errno. */
int errlog_writer(struct errlog **errlog, const char *service);

/* Goes on with the pair of a master before us, where it is still there.  0, or -1 with errno. */
int errlog_adopt(struct errlog **errlog, const char *service, int reader, int writer);

/* Logs the line that is not complete yet. */
void errlog_flush(struct errlog *errlog);

/* No worker of it is left, and none will come. */
void errlog_close(struct errlog **errlog);

/* Logs what a worker that has ended has left behind, complete line or not. */
void errlog_finish(struct errlog *errlog, pid_t pid);

#endif
