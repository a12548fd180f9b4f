/* SPDX-License-Identifier: ISC */
/*
 * Who may come in, and how often: the keys of one service, and what they are together.
 *
 * A value by itself is right or an error.  What only makes no sense beside another value, such as a
 * limit that the next one never lets anybody reach, is a warning with both numbers in it, at the
 * line of the service's own one of the two.  Called by service.c when the rest of a service is
 * known.
 */
#include "config.h"

#include "config/admission.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/builder.h"
#include "config/peers.h"
#include "config/schedule.h"

#define MINUTE_MS  60000LL
#define DAY_MS	   (1440 * MINUTE_MS)

#define BAN_MAX_MS (30 * DAY_MS)

/* access-times */

static bool is_repeated(const struct schedule *schedule, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(schedule->texts[i], schedule->texts[index]) == 0)
			return true;
	return false;
}

static void add_times(const struct builder *builder, const struct setting *setting, size_t index,
		      struct schedule *schedule)
{
	const struct origin at = item_origin(setting, index);
	const size_t added = schedule->ntexts;
	char why[VALUE_WHY];

	if (schedule_add(schedule, setting->items[index].text, why) < 0)
		builder_complain(builder, &at, KEY_ACCESS_TIMES, why);
	else if (is_repeated(schedule, added))
		problem_warn(&builder->loader->problems, &at, "access-times: %s is there twice",
			     schedule->texts[added]);
}

static struct schedule *new_schedule(struct config *config)
{
	struct schedule *schedule = xcalloc(1, sizeof(*schedule));

	config->schedules = xreallocarray(config->schedules, config->nschedules + 1,
					  sizeof(*config->schedules));
	config->schedules[config->nschedules++] = schedule;
	return schedule;
}

static const struct schedule *make_times(const struct builder *builder,
					 const struct setting *setting)
{
	struct schedule *schedule = new_schedule(builder->loader->config);

	if (setting->count == 0)
		builder_complain(builder, &setting->origin, KEY_ACCESS_TIMES,
				 "the list is empty, which would let nobody in; to let clients in "
				 "at any time leave the key out, to close a service use disable = "
				 "true");
	for (size_t i = 0; i < setting->count; i++)
		add_times(builder, setting, i, schedule);
	schedule_settle(schedule);
	return schedule;
}

/* Those of the defaults are made once for all services. */
static const struct schedule *load_times(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_ACCESS_TIMES);
	struct loader *loader = builder->loader;

	if (setting == NULL)
		return NULL;
	if (setting != builder_default(builder, KEY_ACCESS_TIMES))
		return make_times(builder, setting);
	if (loader->times == NULL)
		loader->times = make_times(builder, setting);
	return loader->times;
}

/* Numbers */

static void load_prefix(const struct builder *builder, const struct setting *setting, size_t index,
			unsigned max, unsigned *bits)
{
	const struct origin at = item_origin(setting, index);
	char why[VALUE_WHY];
	long long number;

	if (value_parse_number(setting->items[index].text, 1, max, &number, why) < 0)
		builder_complain(builder, &at, KEY_SOURCE_PREFIX, why);
	else
		*bits = (unsigned)number;
}

static void load_source_prefix(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_SOURCE_PREFIX);
	struct service_admission *admission = &builder->service->admission;

	admission->prefix4 = 32;
	admission->prefix6 = 64;
	if (setting == NULL)
		return;
	if (setting->count != 2) {
		builder_complain(builder, &setting->origin, KEY_SOURCE_PREFIX,
				 "the list has two numbers, bits for IPv4 and for IPv6, such as "
				 "{ 32, 64 }");
		return;
	}
	load_prefix(builder, setting, 0, 32, &admission->prefix4);
	load_prefix(builder, setting, 1, 128, &admission->prefix6);
}

static void load_ban(const struct builder *builder)
{
	struct service_admission *admission = &builder->service->admission;
	const struct setting *after = builder_own(builder, KEY_BAN_AFTER);
	struct service_rate rate = { .count = 20, .period_ms = MINUTE_MS };

	builder_duration(builder, KEY_BAN, BAN_MAX_MS, &admission->ban_ms);
	builder_rate(builder, KEY_BAN_AFTER, &rate);
	if (admission->ban_ms)
		admission->ban_after = rate;
	else if (after && !builder_find(builder, KEY_BAN))
		builder_complain(builder, &after->origin, KEY_BAN_AFTER,
				 "there is no ban; say how long it lasts, such as ban = 10m");
}

/* "none" takes back that of the defaults, and the one that datagrams have by themselves. */
static void load_source_rate(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_RATE_PER_SOURCE);

	if (setting == NULL || strcmp(setting->items[0].text, "none") != 0)
		builder_rate(builder, KEY_RATE_PER_SOURCE,
			     &builder->service->admission.source_rate);
}

/* The master writes it, and asks nobody for the name of a client whom it sends away. */
static int check_refusal(const char *text, char why[static VALUE_WHY])
{
	if (value_check_banner(text, why) < 0)
		return -1;
	if (!value_has_field(text, 'n'))
		return 0;
	snprintf(why, VALUE_WHY, "the name of who is refused (%%n) is not looked up; use %%h");
	return -1;
}

static void load_limits(const struct builder *builder)
{
	static const char *const full_words[] = { "wait", "refuse", NULL };
	struct service_admission *admission = &builder->service->admission;
	long long per_source = 0;

	builder_number(builder, KEY_PER_SOURCE, 1000000, &per_source);
	admission->per_source = (unsigned)per_source;
	builder_rate(builder, KEY_RATE, &admission->rate);
	load_source_rate(builder);
	load_source_prefix(builder);
	admission->refuse_when_full = builder_word(builder, KEY_WHEN_FULL, full_words, 0) == 1;
	builder_text(builder, KEY_BANNER_FAIL, check_refusal, &admission->banner_fail);
	load_ban(builder);
}

/* Limits that nobody will ever reach */

/* Where a value stands that is too large beside another: the service's own one of the two. */
static const struct origin *find_place(const struct builder *builder, enum key key, enum key other)
{
	const struct setting *setting = builder_own(builder, key);

	if (setting == NULL)
		setting = builder_own(builder, other);
	if (setting == NULL)
		setting = builder_find(builder, key);
	return setting ? &setting->origin : &builder->service->origin;
}

/* Both are within 1000000 and a day: their product fits. */
static bool is_faster(const struct service_rate *a, const struct service_rate *b)
{
	return (int64_t)a->count * b->period_ms > (int64_t)b->count * a->period_ms;
}

static void check_rates(const struct builder *builder)
{
	const struct service_admission *admission = &builder->service->admission;
	char one[VALUE_TEXT], all[VALUE_TEXT];

	if (admission->rate.count == 0 || admission->source_rate.count == 0 ||
	    !is_faster(&admission->source_rate, &admission->rate))
		return;
	value_format_rate(admission->source_rate.count, admission->source_rate.period_ms, one);
	value_format_rate(admission->rate.count, admission->rate.period_ms, all);
	problem_warn(&builder->loader->problems, find_place(builder, KEY_RATE_PER_SOURCE, KEY_RATE),
		     "rate-per-source: %s is more than the %s that all sources have together", one,
		     all);
}

static void check_instances(const struct builder *builder)
{
	const struct service *service = builder->service;

	if (service->admission.per_source > service->instances)
		problem_warn(&builder->loader->problems,
			     find_place(builder, KEY_PER_SOURCE, KEY_INSTANCES),
			     "per-source: %u is more than the %u instances of the service",
			     service->admission.per_source, service->instances);
}

/* Lists that no client can be in */

#define IPV4 (1U << PEER_INET)
#define IPV6 (1U << PEER_INET6)
#define UNIX (1U << PEER_USER | 1U << PEER_GROUP)

/* What reads a FIFO is asked for no list. */
static unsigned kinds_at(const struct address *address)
{
	if (address->type == 0)
		return 0;
	if (address->sa.sa_family == AF_UNIX)
		return UNIX;
	if (address->sa.sa_family == AF_INET)
		return IPV4;
	return address->dual ? IPV4 | IPV6 : IPV6;
}

static unsigned kinds_of_clients(const struct service *service)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < service->nlisten; i++)
		kinds |= kinds_at(&service->listen[i].address);
	return kinds;
}

static const char *format_kinds(unsigned kinds)
{
	static const char *const texts[] = { "nobody",
					     "IPv4",
					     "IPv6",
					     "IPv4 and IPv6",
					     "Unix sockets",
					     "IPv4 and Unix sockets",
					     "IPv6 and Unix sockets",
					     "all of them" };

	return texts[!!(kinds & IPV4) + 2 * !!(kinds & IPV6) + 4 * !!(kinds & UNIX)];
}

static void check_list(const struct builder *builder, enum key key, const struct peers *peers,
		       unsigned clients)
{
	const struct setting *own = builder_own(builder, key);
	const struct service *service = builder->service;

	if (peers == NULL || peers->kinds == 0 || clients == 0 || (peers->kinds & clients))
		return;
	problem_warn(&builder->loader->problems, own ? &own->origin : &service->origin,
		     "%s: nobody can come to \"%s\": the list is for %s, but clients come by %s",
		     key_table[key].name, service->name, format_kinds(peers->kinds),
		     format_kinds(clients));
}

/* Behind a proxy clients may be of either family, wherever it connects to. */
static void check_lists(const struct builder *builder)
{
	const struct service_admission *admission = &builder->service->admission;
	unsigned clients = kinds_of_clients(builder->service);

	check_list(builder, KEY_PROXY_PROTOCOL, admission->proxies, clients);
	if (clients && admission->proxies)
		clients |= IPV4 | IPV6;
	check_list(builder, KEY_ONLY_FROM, admission->only_from, clients);
}

void admission_load(const struct builder *builder)
{
	rosters_load(builder);
	builder->service->admission.times = load_times(builder);
	load_limits(builder);
	check_rates(builder);
	check_instances(builder);
	check_lists(builder);
}

void admission_fini(struct service_admission *admission)
{
	free(admission->banner_fail);
}
