/* SPDX-License-Identifier: ISC */
/* A well-behaved client, who asks a daytime service every few milliseconds. */
#ifndef PROBE_H
#define PROBE_H

#define PROBE_EVERY_MS 5
#define PROBE_TALLIES  1024

/* Starts it, in a process of its own, so that no other client's work delays it.  It rests until it
 * is told more.  Its end is ours. */
void probe_start(void);

/* From now on it asks the port of 127.0.0.1 and counts in this tally, from 0 to PROBE_TALLIES - 1;
 * tally -1: it rests. Exits 1 with a message when it has had a wrong answer or none. */
void probe_ask(int port, int tally);

/* From before a connect, or from when it should have been, to the end of its answer, of all that
 * have been counted in this tally. */
double probe_latency_us(int tally, double percent);

#endif
