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

#include <bsd/string.h>
#include <signal.h>

#include "base/clock.h"
#include "base/mem.h"
#include "master/ending.h"
#include "master/gate.h"

static struct {
	const struct plan *plan;
	struct serving *all;
	struct serving_record *records;
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
	if (serving->on_trial) /* its worker is past its first second */
		throttle_clear(&serving->throttle);
	serving->on_trial = false;
	open_gates(serving, GATE_THROTTLED);
}

static const struct plan_rate *rate_of(const struct serving *serving)
{
	return &admission_of(servings.plan, serving->plan)->rate;
}

static void wait_for_token(struct serving *serving)
{
	timer_start_at(&serving->refill,
		       bucket_due_ns(serving->quota.rate_ns, rate_of(serving), clock_now_ns()));
}

static void end_refill(void *context)
{
	struct serving *serving = context;

	if (bucket_has(serving->quota.rate_ns, rate_of(serving), clock_now_ns()))
		open_gates(serving, GATE_RATE);
	else
		wait_for_token(serving);
}

static void init(struct serving *serving, const char *name, const struct plan_service *planned)
{
	*serving = (struct serving){
		.plan = planned,
		.name = name,
		.quota = { .limit = { .max = planned->instances } },
		.pause = { .fire = end_pause, .context = serving },
		.refill = { .fire = end_refill, .context = serving },
		.record = &servings.records[serving - servings.all],
		.waits = !admission_of(servings.plan, planned)->refuse_when_full,
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
					  .kill_grace_ms = (int32_t)left->kill_grace_ms };
	init(serving, xstrdup(state_text(state, left->name)), planned);
	serving->ghost = true;
}

int servings_init(const struct plan *plan, const struct state *state)
{
	size_t ghosts = count_ghosts(state), next = plan->nservices;
	struct plan_service *planned = xcalloc(ghosts, sizeof(*planned));

	servings.count = plan->nservices + ghosts;
	servings.plan = plan;
	servings.all = map_unforked(servings.count * sizeof(*servings.all) + 1);
	servings.records = map_unforked(servings.count * sizeof(*servings.records) + 1);
	if (servings.all == NULL || servings.records == NULL)
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

const struct plan *serving_plan(void)
{
	return servings.plan;
}

struct serving *servings_all(void)
{
	return servings.all;
}

size_t servings_count(void)
{
	return servings.count;
}

static void adopt_record(struct serving_record *record, const struct state *state,
			 const struct state_service *left)
{
	const char *why = state_text(state, left->throttled_why);

	record->stats = left->stats;
	if (why)
		strlcpy(record->throttled_why, why, sizeof(record->throttled_why));
}

int serving_adopt(struct serving *serving, const struct state *state,
		  const struct state_service *left)
{
	adopt_record(serving->record, state, left);
	serving->throttle = (struct throttle){ left->bad, left->pause_s };
	serving->quota.rate_ns = bucket_clip(left->rate_ns, rate_of(serving), clock_now_ns());
	/* A pause that no worker is to blame for is over: there are new groups to be born into. */
	if (left->pause_due_ns && left->bad)
		timer_start_at(&serving->pause, left->pause_due_ns);
	if (left->stderr_reader < 0)
		return 0;
	return errlog_adopt(&serving->errlog, serving->name, left->stderr_reader,
			    left->stderr_writer);
}

void serving_adopt_worker(struct serving *serving)
{
	limit_take(&serving->quota.limit);
	limit_take(gates_limit());
}

void servings_flush(void)
{
	for (size_t i = 0; i < servings.count; i++)
		errlog_flush(servings.all[i].errlog);
}

struct admission serving_ask(struct serving *serving, const struct connection *connection)
{
	return (struct admission){
		.plan = servings.plan,
		.service = serving->plan,
		.connection = connection,
		.quota = &serving->quota,
		.all = gates_limit(),
		.now_ns = clock_now_ns(),
	};
}

/* Where clients wait for a token, nobody asks for it before it is there. */
static void close_when_spent(struct serving *serving, int64_t now_ns)
{
	if (!serving->waits || bucket_has(serving->quota.rate_ns, rate_of(serving), now_ns))
		return;
	close_gates(serving, GATE_RATE);
	wait_for_token(serving);
}

static void close_when_full(struct serving *serving)
{
	if (!serving->waits || !limit_is_full(&serving->quota.limit))
		return;
	log_limited(&serving->record->full_log, LOG_NOTICE,
		    "%s: all %u instances are busy; further clients wait", serving->name,
		    serving->quota.limit.max);
	close_gates(serving, GATE_FULL);
}

void servings_settle(void)
{
	const int64_t now_ns = clock_now_ns();

	for (size_t i = 0; i < servings.count; i++) {
		struct serving *serving = &servings.all[i];

		if (serving->waits && limit_is_full(&serving->quota.limit))
			close_gates(serving, GATE_FULL);
		if (serving->pause.running)
			close_gates(serving, GATE_THROTTLED);
		close_when_spent(serving, now_ns);
	}
}

/* Of all the clients that have waited for the end of a throttle, one goes ahead. */
static void begin_trial(struct serving *serving)
{
	if (serving->throttle.pause_s == 0)
		return;
	serving->on_trial = true;
	close_gates(serving, GATE_THROTTLED);
	timer_start(&serving->pause, THROTTLE_QUICK_MS);
}

static void end_trial(struct serving *serving)
{
	if (!serving->on_trial)
		return;
	serving->on_trial = false;
	timer_stop(&serving->pause);
	open_gates(serving, GATE_THROTTLED);
}

void serving_take_place(struct serving *serving)
{
	serving->record->stats.begat++;
	serving->record->unborn_ms = 0;
	limit_take(&serving->quota.limit);
	limit_take(gates_limit());
	close_when_full(serving);
	begin_trial(serving);
}

void serving_take(struct serving *serving, const struct admission *admission)
{
	admit_take(admission);
	close_when_spent(serving, admission->now_ns);
	serving_take_place(serving);
}

void serving_give(struct serving *serving)
{
	bool was_full = limit_is_full(&serving->quota.limit);
	bool were_full = limit_is_full(gates_limit());

	limit_give(&serving->quota.limit);
	limit_give(gates_limit());
	if (was_full && !limit_is_full(&serving->quota.limit))
		open_gates(serving, GATE_FULL);
	if (were_full && !limit_is_full(gates_limit()))
		gates_feed();
}

void serving_refill(struct serving *serving)
{
	if (!serving->refill.running ||
	    !bucket_has(serving->quota.rate_ns, rate_of(serving), clock_now_ns()))
		return;
	timer_stop(&serving->refill);
	open_gates(serving, GATE_RATE);
}

/* It costs words only when it is written. */
static void log_refusal(struct serving *serving, struct connection *connection,
			enum refusal refusal)
{
	const struct refusal_info *info = &refusal_table[refusal];
	struct log_limit *limit = &serving->record->refused_log[refusal];

	if (log_is_limited(limit)) {
		limit->suppressed++;
		return;
	}
	if (connection->text[0] == '\0')
		connection_describe(connection);
	log_limited(limit, info->level, "refused %s peer=%s reason=%s: %s", serving->name,
		    connection->text, info->name, info->text);
}

/* The line is for all of them: what is suppressed is counted by heads. */
void serving_told(struct serving *serving, enum refusal refusal, uint64_t count, const char *peer)
{
	const struct refusal_info *info = &refusal_table[refusal];
	struct log_limit *limit = &serving->record->refused_log[refusal];

	if (count > INT64_MAX - serving->record->stats.refused[refusal])
		count = 1; /* nonsense */
	serving->record->stats.refused[refusal] += count;
	limit->suppressed += (unsigned)(count - 1);
	log_limited(limit, info->level, "refused %s peer=%s reason=%s: %s", serving->name, peer,
		    info->name, info->text);
}

/* A peer, or the source that it is counted as. */
static void log_ban(struct serving *serving, const char *who)
{
	const struct plan_admission *rules = admission_of(servings.plan, serving->plan);
	const struct plan_rate *after = &rules->ban_after;
	char ban[CLOCK_TEXT], period[CLOCK_TEXT];

	if (after->step_ns == 0) /* a standing worker that tells nonsense */
		return;
	clock_format_duration(rules->ban_ms, ban);
	clock_format_duration((after->window_ns + NS_IN_MS / 2) / NS_IN_MS, period);
	log_limited(&serving->record->banned_log, LOG_WARNING,
		    "banned %s from %s for %s: %lld refusals in %s", who, serving->name, ban,
		    (long long)(after->window_ns / after->step_ns), period);
}

void serving_told_ban(struct serving *serving, const char *peer)
{
	log_ban(serving, peer);
}

void serving_refused(struct serving *serving, struct connection *connection,
		     const struct admission *admission, enum refusal refusal)
{
	char source[SOURCE_TEXT];
	struct source_key key;

	serving->record->stats.refused[refusal]++;
	log_refusal(serving, connection, refusal);
	if (!admit_refuse(admission, refusal))
		return;
	source_key_init(&key, admission->service, admission_of(admission->plan, admission->service),
			admission->connection);
	source_format(&key, source, sizeof(source));
	log_ban(serving, source);
}

/* What a worker's end says about its service. */
enum verdict { VERDICT_NONE, VERDICT_GOOD, VERDICT_BAD };

/* SIGPIPE is what a program gets for writing to a client that has gone; one that did not stay, or
 * was not let in, says nothing. */
static enum verdict verdict_of(const struct serving *serving, const struct child_end *end)
{
	if (end->unread)
		return VERDICT_BAD;
	switch (end->result) {
	case RESULT_OK:
	case RESULT_TIMED_OUT:
		return VERDICT_GOOD;
	case RESULT_STEP:
		return VERDICT_BAD;
	case RESULT_REFUSED:
		return VERDICT_NONE;
	case RESULT_SIGNALLED:
		if (end->status == SIGPIPE)
			return VERDICT_NONE;
		break;
	case RESULT_EXITED:
		if (serving->plan->redirects)
			return VERDICT_NONE;
		break;
	case RESULT_CORE:
		break;
	}
	if (end->client_gone)
		return VERDICT_NONE;
	return end->duration_ns < THROTTLE_QUICK_MS * NS_IN_MS ? VERDICT_BAD : VERDICT_GOOD;
}

void serving_pause(struct serving *serving, int64_t ms, const char *why)
{
	strlcpy(serving->record->throttled_why, why, SERVING_WHY);
	close_gates(serving, GATE_THROTTLED);
	timer_start(&serving->pause, ms);
}

static void throttle(struct serving *serving, const struct child_end *end)
{
	char why[SERVING_WHY];
	unsigned pause_s;

	if (serving->pause.running && !serving->on_trial)
		return; /* a worker from before */
	serving->on_trial = false;
	pause_s = throttle_add(&serving->throttle);
	if (pause_s == 0)
		return;
	ending_format(end, why, sizeof(why));
	log_line(LOG_WARNING, "%s: throttled for %u s: %u workers in a row failed at once (%s)",
		 serving->name, pause_s, serving->throttle.bad, why);
	serving_pause(serving, pause_s * MS_IN_S, why);
}

static void judge(struct serving *serving, const struct child_end *end)
{
	switch (verdict_of(serving, end)) {
	case VERDICT_GOOD:
		throttle_clear(&serving->throttle);
		end_trial(serving);
		break;
	case VERDICT_BAD:
		throttle(serving, end);
		break;
	case VERDICT_NONE:
		end_trial(serving);
		break;
	}
}

void serving_ended(struct serving *serving, const struct child *child, const struct child_end *end)
{
	serving->record->stats.ended[end->result]++;
	judge(serving, end);
	if (child->source)
		source_give(child->source);
	if (!child->lingers)
		serving_give(serving);
	if (serving->ghost && serving->quota.limit.active == 0)
		errlog_close(&serving->errlog);
}
