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
	bool open;
	int writer; /* becomes a worker's descriptor 2 */
	struct watch reader;
	pid_t pid; /* whose line is not complete yet; 0: nobody's */
	size_t length;
	char *line;
	int64_t window_ns;  /* the end of the current window, and ... */
	unsigned lines;	    /* ... what was logged in it */
	struct timer pause; /* until the next window: nothing is read */
};

void errlog_init(struct errlog *errlog, const char *service);

/* The descriptor for a worker; opened when it is first asked for.  -1 with errno. */
int errlog_writer(struct errlog *errlog);

/* Logs what a worker that has ended has left behind, complete line or not. */
void errlog_finish(struct errlog *errlog, pid_t pid);

#endif
