/* SPDX-License-Identifier: ISC */
/*
 * The throttle: how long a service pauses whose workers die at once.
 *
 * A program that is missing, or crashes on every start, costs a fork per client and helps nobody.
 * After a few bad ends in a row its service pauses for a second, and clients wait in the queue;
 * each further bad end doubles the pause, up to a minute.  One success makes up for everything. The
 * predecessors switched a service off for ten minutes, and every crash bug became an outage
 * (CVE-2022-39028).
 */
#include "config.h"

#include "master/throttle.h"

void throttle_clear(struct throttle *throttle)
{
	throttle->bad = 0;
	throttle->pause_s = 0;
}

unsigned throttle_add(struct throttle *throttle)
{
	if (++throttle->bad < THROTTLE_AFTER)
		return 0;
	if (throttle->pause_s == 0)
		throttle->pause_s = THROTTLE_FIRST_S;
	else if (throttle->pause_s < THROTTLE_LAST_S / 2)
		throttle->pause_s *= 2;
	else
		throttle->pause_s = THROTTLE_LAST_S;
	return throttle->pause_s;
}
