/* SPDX-License-Identifier: ISC */
/* The clients of a measurement. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct load_result {
	unsigned long answers; /* that were right */
	double seconds;
	double p50_us, p99_us; /* from before the connect to the end of the answer */
};

/* Keeps so many connections to the port of 127.0.0.1 going for that long, each of them read to its
 * end.  An answer must be the expected text, or, where that is "daytime", be the time now. Exits 1
 * with a message when one is wrong, fails or takes 10 s. */
void load_run(int port, int clients, double seconds, const char *expected,
	      struct load_result *result);

/* Opens so many connections to an echo service, and makes sure that each has a worker, which
 * answers.  They are the caller's to close.  Exits 1 with a message on failure. */
void load_hold(int port, int count, int *fds);

#endif
