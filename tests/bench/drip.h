/* SPDX-License-Identifier: ISC */
/* Questions over UDP, each sent when it is due, whatever has become of those before. */
#ifndef DRIP_H
#define DRIP_H

#include <stdbool.h>
#include <stdint.h>

#define DRIP_HOST "127.0.0.3" /* they come from there */

/* What has become of one. */
struct drip_answer {
	int mark;	    /* what it was sent with */
	int64_t latency_ns; /* -1: no answer within 100 ms */
};

/* Asks the time service on the port of 127.0.0.1. */
void drip_send(int port, int mark);

/* Waits until the next one is known; false: not until that time, of CLOCK_MONOTONIC. */
bool drip_wait(int64_t until_ns, struct drip_answer *answer);

#endif
