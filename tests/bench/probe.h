/* SPDX-License-Identifier: ISC */
/* A well-behaved client, who asks a service every few milliseconds. */
#ifndef PROBE_H
#define PROBE_H

#define PROBE_EVERY_MS	  5
#define PROBE_DATAGRAM_MS 1 /* the same of datagrams */
#define PROBE_TALLIES	  1024

/* Starts it, in a process of its own, so that no other client's work delays it.  It rests until it
 * is told more.  Its end is ours. */
void probe_start(void);

/* From now on it asks the daytime service on that port of 127.0.0.1 and counts in this tally, from
 * 0 to PROBE_TALLIES - 1; tally -1: it rests. Exits 1 with a message when it has had a wrong answer
 * or none. */
void probe_ask(int port, int tally);

/* The same of a time service over UDP, whose answers may be lost: drip.h. */
void probe_ask_datagrams(int port, int tally);

/* From before a connect, or from when it should have been, to the end of its answer, or from a
 * question over UDP to its answer, of all that have been counted in this tally. */
double probe_latency_us(int tally, double percent);

/* Of a hundred datagrams of this tally. */
double probe_lost_percent(int tally);

#endif
