/* SPDX-License-Identifier: ISC */
/*
 * Who may come in.
 *
 * A connection is asked a list of questions in a fixed order, and the first that speaks against it
 * is the reason of its refusal.  Asking takes nothing: what a connection uses up is taken when all
 * have been asked, so a client that is turned away has used up nobody's budget.  What is done about
 * the answer is decided elsewhere (master/gate.c).
 *
 * Behind a proxy it comes in two parts: who the client is, is known only when a worker has read the
 * PROXY header.
 */
#include "config.h"

#include "admit/admit.h"

#include <stddef.h>
#include <time.h>

#include "admit/access.h"
#include "base/clock.h"

/* One question, with what every question may need. */
struct question {
	const struct admission *asked;
	const struct plan_admission *rules;
	struct source *source; /* NULL: it has used up nothing, or nobody counts */
};

static const struct plan_admission no_rules = { .prefix4 = 32, .prefix6 = 128 };

const struct plan_admission *admission_of(const struct plan *plan,
					  const struct plan_service *service)
{
	return service->admission ? plan_at(plan, service->admission) : &no_rules;
}

bool admission_wants_header(const struct plan *plan, const struct plan_service *service)
{
	return admission_of(plan, service)->proxies != 0;
}

static const struct plan_rate *source_rate(const struct admission *asked,
					   const struct plan_admission *rules)
{
	return asked->is_datagram ? &asked->service->reply_rate : &rules->source_rate;
}

static bool bans(const struct admission *asked, const struct plan_admission *rules)
{
	return rules->ban_ms && !asked->is_datagram;
}

static bool counts_sources(const struct admission *asked, const struct plan_admission *rules)
{
	return rules->per_source || source_rate(asked, rules)->step_ns || bans(asked, rules);
}

static bool is_listed(const struct question *question, uint32_t list)
{
	const struct admission *asked = question->asked;

	return list == 0 ||
	       access_is_allowed(asked->plan, plan_at(asked->plan, list), asked->connection);
}

static bool is_no_proxy(const struct question *question)
{
	return !is_listed(question, question->rules->proxies);
}

static bool is_denied(const struct question *question)
{
	return !is_listed(question, question->rules->access);
}

static bool is_late(const struct question *question)
{
	return question->rules->ntimes != 0 &&
	       !access_is_time(question->asked->plan, question->rules, time(NULL));
}

static bool is_banned(const struct question *question)
{
	return question->source && question->rules->ban_ms &&
	       question->source->banned_until_ns > question->asked->now_ns;
}

static bool is_source_fast(const struct question *question)
{
	return question->source &&
	       !bucket_has(question->source->rate_ns, source_rate(question->asked, question->rules),
			   question->asked->now_ns);
}

static bool is_source_full(const struct question *question)
{
	return question->source && question->rules->per_source &&
	       question->source->active >= question->rules->per_source;
}

static bool is_fast(const struct question *question)
{
	return !bucket_has(question->asked->quota->rate_ns, &question->rules->rate,
			   question->asked->now_ns);
}

static bool is_full(const struct question *question)
{
	return limit_is_full(&question->asked->quota->limit);
}

static bool are_all_full(const struct question *question)
{
	return limit_is_full(question->asked->all);
}

/* Who is asked: the one who is at the door, and the client; for most they are the same. */
enum asked { DOOR = 1, CLIENT = 2 };

static const struct {
	enum refusal refusal;
	enum asked asked;
	bool (*refuses)(const struct question *question);
} questions[] = {
	{ REFUSAL_PROXY, DOOR, is_no_proxy },
	{ REFUSAL_ACCESS, CLIENT, is_denied },
	{ REFUSAL_TIME, DOOR, is_late },
	{ REFUSAL_BANNED, CLIENT, is_banned },
	{ REFUSAL_SOURCE_RATE, CLIENT, is_source_fast },
	{ REFUSAL_SOURCE_FULL, CLIENT, is_source_full },
	{ REFUSAL_RATE, DOOR, is_fast },
	{ REFUSAL_FULL, DOOR, is_full },
	{ REFUSAL_ALL_FULL, DOOR, are_all_full },
};

/* Its buckets may be those of other rates, from before a reload. */
static struct source *find_source(const struct admission *asked, const struct plan_admission *rules)
{
	struct source_key key;
	struct source *source;

	if (!counts_sources(asked, rules))
		return NULL;
	source_key_init(&key, asked->service, rules, asked->connection);
	source = source_find(&key);
	if (source == NULL)
		return NULL;
	source->rate_ns = bucket_clip(source->rate_ns, source_rate(asked, rules), asked->now_ns);
	source->refused_ns = bucket_clip(source->refused_ns, &rules->ban_after, asked->now_ns);
	return source;
}

static struct source *add_source(const struct admission *asked, const struct plan_admission *rules)
{
	struct source_key key;

	source_key_init(&key, asked->service, rules, asked->connection);
	return source_add(&key);
}

static enum refusal ask(const struct admission *asked, unsigned whom)
{
	struct question question = { .asked = asked,
				     .rules = admission_of(asked->plan, asked->service) };

	if (whom & CLIENT)
		question.source = find_source(asked, question.rules);
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++)
		if ((questions[i].asked & whom) && questions[i].refuses(&question))
			return questions[i].refusal;
	return REFUSAL_NONE;
}

enum refusal admit_check(const struct admission *admission)
{
	return ask(admission, admission_wants_header(admission->plan, admission->service)
				      ? DOOR
				      : DOOR | CLIENT);
}

enum refusal admit_check_door(const struct admission *admission)
{
	return ask(admission, DOOR);
}

enum refusal admit_check_client(const struct admission *admission)
{
	return ask(admission, CLIENT);
}

void admit_take(const struct admission *admission)
{
	bucket_take(&admission->quota->rate_ns,
		    &admission_of(admission->plan, admission->service)->rate, admission->now_ns);
}

void admit_give(const struct admission *admission)
{
	bucket_give(&admission->quota->rate_ns,
		    &admission_of(admission->plan, admission->service)->rate);
}

struct source *admit_take_client(const struct admission *admission)
{
	const struct plan_admission *rules = admission_of(admission->plan, admission->service);
	struct source *source;

	if (!counts_sources(admission, rules))
		return NULL;
	source = add_source(admission, rules);
	bucket_take(&source->rate_ns, source_rate(admission, rules), admission->now_ns);
	source_take(source);
	return source;
}

void admit_pass(const struct admission *admission)
{
	struct source *source = admit_take_client(admission);

	admit_take(admission);
	if (source)
		source_give(source);
}

/* The refusal that takes the last token is one too many.  While a ban lasts nothing counts, so that
 * it ends when it was said to end. */
static bool count_refusal(struct source *source, const struct plan_admission *rules, int64_t now_ns)
{
	if (source->banned_until_ns > now_ns)
		return false;
	bucket_take(&source->refused_ns, &rules->ban_after, now_ns);
	if (bucket_has(source->refused_ns, &rules->ban_after, now_ns))
		return false;
	source->refused_ns = 0;
	source->banned_until_ns = now_ns + rules->ban_ms * NS_IN_MS;
	return true;
}

bool admit_refuse(const struct admission *admission, enum refusal refusal)
{
	const struct plan_admission *rules = admission_of(admission->plan, admission->service);

	if (!bans(admission, rules) || !refusal_table[refusal].is_own)
		return false;
	return count_refusal(add_source(admission, rules), rules, admission->now_ns);
}
