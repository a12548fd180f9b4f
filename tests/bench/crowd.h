/* SPDX-License-Identifier: ISC */
/* Clients that count what goes wrong, where those of load.h end the measurement. */
#ifndef CROWD_H
#define CROWD_H

#include <stddef.h>
#include <stdint.h>

struct crowd_load {
	int port;	/* of an echo service on 127.0.0.1 */
	int clients;	/* that connect anew as soon as their answer has come */
	int burst;	/* connections at once, every 100 ms */
	int probes;	/* connections every millisecond, whatever has become of the last */
	int patience_s; /* until a connection counts as unanswered; 0: 10 */
};

/* What has become of the connections that were begun while it was the one to count in. */
struct crowd_tally {
	unsigned long answers;	  /* all of it came back, and the end */
	unsigned long refused;	  /* ECONNREFUSED */
	unsigned long reset;	  /* any other error of the connection */
	unsigned long unanswered; /* an end before the whole answer, or nothing for too long */
	unsigned long changed;	  /* not what was sent */
	float *latencies_us;	  /* of the answers */
	size_t room;
	int64_t last_ns, gap_ns; /* the last answer to a probe, the longest time between two */
};

void crowd_open(const struct crowd_load *load);

/* From now on new connections count in this one; NULL: there are no new ones. */
void crowd_count_in(struct crowd_tally *tally);

/* Does what is to be done within about a millisecond. */
void crowd_turn(void);

/* Begins no new connections, and returns when all have ended. */
void crowd_pause(void);

/* Sorts the latencies, and returns the one that so many of a hundred do not exceed. */
double crowd_latency_us(struct crowd_tally *tally, double percent);

int64_t crowd_now_ns(void);

#endif
