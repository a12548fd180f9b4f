/* SPDX-License-Identifier: ISC */
/*
 * A service at run time: its places, its throttle and its gates.
 *
 * This is where the end of a worker meets the next client: a place given back opens gates that were
 * closed because the service was full, and a series of bad ends closes them for a while.
 */
#include "config.h"

#include "master/serving.h"

#include <signal.h>

#include "base/clock.h"
#include "master/gate.h"

static void close_gates(struct serving *serving, enum gate_reason reason)
{
	struct gate *gate;

	SLIST_FOREACH (gate, &serving->gates, of_service)
		gate_close(gate, reason);
}

static void open_gates(struct serving *serving, enum gate_reason reason)
{
	struct gate *gate;

	SLIST_FOREACH (gate, &serving->gates, of_service)
		gate_open(gate, reason);
}

static void end_pause(void *context)
{
	struct serving *serving = context;

	log_debug("gate", "%s: open again", serving->name);
	open_gates(serving, GATE_THROTTLED);
}

void serving_init(struct serving *serving, const struct plan *plan,
		  const struct plan_service *planned)
{
	*serving = (struct serving){
		.plan = planned,
		.name = plan_text(plan, planned->name),
		.limit = { .max = planned->instances },
		.pause = { .fire = end_pause, .context = serving },
	};
	errlog_init(&serving->errlog, serving->name);
}

void serving_take(struct serving *serving)
{
	limit_take(&serving->limit);
	limit_take(gates_limit());
	if (limit_is_full(&serving->limit)) {
		log_limited(&serving->full_limit, LOG_NOTICE,
			    "%s: all %u instances are busy; further clients wait", serving->name,
			    serving->limit.max);
		close_gates(serving, GATE_FULL);
	}
	if (limit_is_full(gates_limit()))
		gates_close(GATE_ALL_FULL);
}

void serving_give(struct serving *serving)
{
	bool was_full = limit_is_full(&serving->limit);
	bool were_full = limit_is_full(gates_limit());

	limit_give(&serving->limit);
	limit_give(gates_limit());
	if (was_full)
		open_gates(serving, GATE_FULL);
	if (were_full)
		gates_open(GATE_ALL_FULL);
}

/* SIGPIPE is what a program gets for writing to a client that has gone. */
static bool is_bad(const struct child_end *end)
{
	switch (end->result) {
	case CHILD_OK:
	case CHILD_TIMED_OUT:
		return false;
	case CHILD_STEP:
		return true;
	case CHILD_SIGNALLED:
		if (end->status == SIGPIPE)
			return false;
		break;
	case CHILD_EXITED:
	case CHILD_CORE:
		break;
	}
	return !end->client_gone && end->duration_ns < THROTTLE_QUICK_MS * NS_IN_MS;
}

static void throttle(struct serving *serving, const struct child_end *end)
{
	unsigned pause_s;

	if (serving->pause.running)
		return; /* a worker from before */
	pause_s = throttle_add(&serving->throttle,
			       end->result == CHILD_STEP ? THROTTLE_SETUP : THROTTLE_SERVICE);
	if (pause_s == 0)
		return;
	log_line(LOG_WARNING, "%s: throttled for %u s: %u workers in a row failed at once",
		 serving->name, pause_s, serving->throttle.bad);
	close_gates(serving, GATE_THROTTLED);
	timer_start(&serving->pause, pause_s * MS_IN_S);
}

void serving_ended(struct serving *serving, const struct child_end *end)
{
	if (is_bad(end))
		throttle(serving, end);
	else
		throttle_clear(&serving->throttle);
	serving_give(serving);
}
