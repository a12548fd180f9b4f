/* SPDX-License-Identifier: ISC */
/*
 * A service at run time: its places, its throttle and its gates.
 *
 * This is where the end of a worker meets the next client: a place given back opens gates that were
 * closed because the service was full, and a series of bad ends closes them for a while.  All of it
 * goes on over a reload; a service that the new plan does not have stays as a ghost, without gates,
 * until its last worker has ended.
 */
#include "config.h"

#include "master/serving.h"

#include <signal.h>

#include "base/clock.h"
#include "base/mem.h"
#include "master/gate.h"

static struct {
	struct serving *all;
	size_t count;
} servings;

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

static void init(struct serving *serving, const char *name, const struct plan_service *planned)
{
	*serving = (struct serving){
		.plan = planned,
		.name = name,
		.limit = { .max = planned->instances },
		.pause = { .fire = end_pause, .context = serving },
	};
}

static size_t count_ghosts(const struct state *state)
{
	size_t count = 0;

	for (size_t i = 0; state && i < state->nservices; i++)
		count += state_services(state)[i].plan < 0;
	return count;
}

/* All that is needed of a service that takes no more clients. */
static void init_ghost(struct serving *serving, struct plan_service *planned,
		       const struct state *state, const struct state_service *left)
{
	*planned = (struct plan_service){ .handler = -1,
					  .instances = 1,
					  .kill_grace_ms = left->kill_grace_ms };
	init(serving, xstrdup(state_text(state, left->name)), planned);
	serving->ghost = true;
}

int servings_init(const struct plan *plan, const struct state *state)
{
	size_t ghosts = count_ghosts(state), next = plan->nservices;
	struct plan_service *planned = xcalloc(ghosts, sizeof(*planned));

	servings.count = plan->nservices + ghosts;
	servings.all = map_unforked(servings.count * sizeof(*servings.all) + 1);
	if (servings.all == NULL)
		return -1;
	for (size_t i = 0; i < plan->nservices; i++)
		init(&servings.all[i], plan_text(plan, plan_service(plan, i)->name),
		     plan_service(plan, i));
	for (size_t i = 0; state && i < state->nservices; i++)
		if (state_services(state)[i].plan < 0)
			init_ghost(&servings.all[next++], planned++, state,
				   &state_services(state)[i]);
	return 0;
}

struct serving *servings_all(void)
{
	return servings.all;
}

size_t servings_count(void)
{
	return servings.count;
}

int serving_adopt(struct serving *serving, const struct state_service *state)
{
	serving->stats = state->stats;
	serving->throttle = (struct throttle){ state->bad, state->pause_s };
	if (state->pause_due_ns)
		timer_start_at(&serving->pause, state->pause_due_ns);
	if (state->stderr_reader < 0)
		return 0;
	return errlog_adopt(&serving->errlog, serving->name, state->stderr_reader,
			    state->stderr_writer);
}

void serving_adopt_worker(struct serving *serving)
{
	limit_take(&serving->limit);
	limit_take(gates_limit());
}

void servings_flush(void)
{
	for (size_t i = 0; i < servings.count; i++)
		errlog_flush(servings.all[i].errlog);
}

void servings_settle(void)
{
	for (size_t i = 0; i < servings.count; i++) {
		if (limit_is_full(&servings.all[i].limit))
			close_gates(&servings.all[i], GATE_FULL);
		if (servings.all[i].pause.running)
			close_gates(&servings.all[i], GATE_THROTTLED);
	}
	if (limit_is_full(gates_limit()))
		gates_close(GATE_ALL_FULL);
}

void serving_take(struct serving *serving)
{
	serving->stats.begat++;
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
	if (was_full && !limit_is_full(&serving->limit))
		open_gates(serving, GATE_FULL);
	if (were_full && !limit_is_full(gates_limit()))
		gates_open(GATE_ALL_FULL);
}

/* SIGPIPE is what a program gets for writing to a client that has gone. */
static bool is_bad(const struct child_end *end)
{
	switch (end->result) {
	case RESULT_OK:
	case RESULT_TIMED_OUT:
		return false;
	case RESULT_STEP:
		return true;
	case RESULT_SIGNALLED:
		if (end->status == SIGPIPE)
			return false;
		break;
	case RESULT_EXITED:
	case RESULT_CORE:
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
			       end->result == RESULT_STEP ? THROTTLE_SETUP : THROTTLE_SERVICE);
	if (pause_s == 0)
		return;
	log_line(LOG_WARNING, "%s: throttled for %u s: %u workers in a row failed at once",
		 serving->name, pause_s, serving->throttle.bad);
	close_gates(serving, GATE_THROTTLED);
	timer_start(&serving->pause, pause_s * MS_IN_S);
}

void serving_ended(struct serving *serving, const struct child_end *end)
{
	serving->stats.ended[end->result]++;
	if (is_bad(end))
		throttle(serving, end);
	else
		throttle_clear(&serving->throttle);
	serving_give(serving);
	if (serving->ghost && serving->limit.active == 0)
		errlog_close(&serving->errlog);
}
