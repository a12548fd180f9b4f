/* SPDX-License-Identifier: ISC */
/*
 * The drain: how the daemon stops.
 *
 * Listeners are closed at once, workers get stop-timeout to finish what they are at, then TERM and
 * CONT with all of their group, and after kill-grace KILL.  Whoever sends a second signal wants it
 * to be over now.  The loop stops with the last worker, or when even SIGKILL has not ended one.
 */
#include "config.h"

#include "master/drain.h"

#include <stddef.h>

#include "base/clock.h"
#include "master/child.h"
#include "master/gate.h"
#include "master/loop.h"
#include "master/notify.h"
#include "master/reload.h"
#include "master/serving.h"
#include "master/signals.h"
#include "report/log.h"

#define KILL_WAIT_MS 1000 /* for what even SIGKILL does not end at once */

static void end_phase(void *unused);

static struct {
	enum { SERVING, DRAINING, TERMINATING, KILLING } phase;
	struct timer end; /* of the phase */
} drain = { .end = { .fire = end_phase } };

bool drain_has_begun(void)
{
	return drain.phase > SERVING;
}

void drain_check(void)
{
	if (drain_has_begun() && children_count() == 0)
		loop_stop();
}

/* After that every worker has got its SIGKILL. */
static int64_t longest_grace_ms(void)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < servings_count(); i++)
		if (servings_all()[i].plan->kill_grace_ms > longest_ms)
			longest_ms = servings_all()[i].plan->kill_grace_ms;
	return longest_ms;
}

static void end_phase(void *unused)
{
	(void)unused;
	if (drain.phase != DRAINING) {
		log_line(LOG_WARNING, "%zu workers are left behind", children_count());
		loop_stop();
		return;
	}
	log_line(LOG_NOTICE, "stop-timeout has passed: %zu workers are asked to end",
		 children_count());
	drain.phase = TERMINATING;
	children_terminate();
	timer_start(&drain.end, longest_grace_ms() + KILL_WAIT_MS);
}

static void begin(int number, int64_t stop_timeout_ms)
{
	log_line(LOG_NOTICE, "SIG%s: stopping; %zu workers have %lld s to finish",
		 signals_name(number), children_count(), (long long)(stop_timeout_ms / MS_IN_S));
	reload_abort();
	drain.phase = DRAINING;
	notify_send("STOPPING=1");
	gates_fini();
	timer_start(&drain.end, stop_timeout_ms);
	drain_check();
}

static void end_at_once(int number)
{
	log_line(LOG_NOTICE, "SIG%s again: killing %zu workers", signals_name(number),
		 children_count());
	drain.phase = KILLING;
	children_kill();
	timer_start(&drain.end, KILL_WAIT_MS);
}

void drain_signal(int number, int64_t stop_timeout_ms)
{
	if (drain.phase == SERVING)
		begin(number, stop_timeout_ms);
	else if (drain.phase < KILLING)
		end_at_once(number);
}
