/* SPDX-License-Identifier: ISC */
/* The clients of a measurement. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct load_task {
	int port;	      /* of 127.0.0.1 */
	int clients;	      /* how many connections at a time */
	double seconds;	      /* to go on for, or ... */
	unsigned long wanted; /* ... until there are so many answers; 0: the seconds count */
	const char
		*expected; /* the answer; "daytime": the time now; "": a refusal, which may reset */
	const char *source; /* the clients' address; NULL: as it comes */
};

struct load_result {
	unsigned long answers; /* that were right */
	double seconds;
	double p50_us, p99_us; /* from before the connect to the end of the answer */
};

/* Keeps the connections going, each of them read to its end.  Exits 1 with a message when an answer
 * is wrong, fails or takes 10 s. */
void load_run(const struct load_task *task, struct load_result *result);

/* Opens so many connections to an echo service from that address (NULL: as it comes), and makes
 * sure that each has a worker, which answers.  They are the caller's to close.  Exits 1 with a
 * message on failure. */
void load_hold(int port, const char *source, int count, int *fds);

/* Whether this is what a daytime service says at this moment. */
bool load_is_time(const char *answer, size_t length);

/* A socket to connect from that address (NULL: as it comes), with these flags of socket(2). */
int load_socket(const char *source, int flags);

/* Closes it by a reset, so that no TIME_WAIT is left that would use up the ports. */
void load_close(int fd);

#endif
