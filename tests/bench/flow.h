/* SPDX-License-Identifier: ISC */
/* Streams of bytes through a redirect, whose target is here as well. */
#ifndef FLOW_H
#define FLOW_H

struct flow_task {
	int port;	/* of the redirect, on 127.0.0.1 */
	int streams;	/* connections, all at the same time */
	double seconds; /* to go on for */
};

struct flow_result {
	double bytes; /* that have arrived */
	double seconds;
};

/* The target of the redirect: a port of 127.0.0.1. */
void flow_listen(int port);

/* From the target to the clients.  Exits 1 with a message when a byte is wrong or nothing moves. */
void flow_run(const struct flow_task *task, struct flow_result *result);

#endif
