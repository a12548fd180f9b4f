/* SPDX-License-Identifier: ISC */
/* The clients of a time service over UDP: load.h has those of streams. */
#ifndef DATAGRAMS_H
#define DATAGRAMS_H

struct datagrams_task {
	int port;	/* of 127.0.0.1 */
	int clients;	/* each with a port of its own */
	int window;	/* questions of each client that are not answered yet */
	double seconds; /* to go on for */
};

struct datagrams_result {
	unsigned long answers; /* that were right */
	unsigned long lost;    /* questions without one */
	double seconds;
	double p50_us, p99_us; /* from before a question was sent until its answer was read */
};

/* Keeps the questions going.  Exits 1 with a message when an answer is wrong. */
void datagrams_run(const struct datagrams_task *task, struct datagrams_result *result);

/* Sends questions and reads no answer; rate: how many a second, 0: as many as there can be.  How
 * many there were. */
unsigned long datagrams_flood(int port, const char *source, int rate, double seconds);

/* A socket that sends to the port, from that address (NULL: as it comes). */
int datagrams_socket(int port, const char *source);

/* One question, and the answer to it, which must be there.  Exits 1 with a message when it is
 * wrong. */
void datagrams_ask(int fd);
void datagrams_hear(int fd);

#endif
