/* SPDX-License-Identifier: ISC */
/*
 * The throttle: how long a service pauses whose workers die at once.
 *
 * A program that is missing, or crashes on every start, costs a fork per client and helps nobody.
 * After a few bad ends in a row its service pauses for a second, then two, up to a minute, and one
 * success makes up for all of them.  It is never switched off: the predecessors did that for ten
 * minutes, and every crash bug became an outage (CVE-2022-39028).
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
	throttle->pause_s = throttle->pause_s ? throttle->pause_s * 2 : THROTTLE_FIRST_S;
	if (throttle->pause_s > THROTTLE_LAST_S)
		throttle->pause_s = THROTTLE_LAST_S;
	return throttle->pause_s;
}
