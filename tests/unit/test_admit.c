/* SPDX-License-Identifier: ISC */
/* admit: the questions, their order, who is asked which, and what an answer costs: nothing. */
#include "config.h"

#include "admit/admit.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"
#include "suite.h"

#define START_NS (1000 * NS_IN_S)
#define WEEK	 10080 /* minutes */
#define SERVICES 2

/* A plan in memory: two services that share one admission. */
static struct {
	struct plan plan;
	struct plan_service services[SERVICES];
	struct plan_admission rules;
	struct plan_access nobody, all;
	struct plan_span4 no_spans4, all_spans4;
	struct plan_span6 no_spans6, all_spans6;
	struct plan_time never; /* at least not now */
} made;

static struct quota quota;
static struct limit all;
static struct connection client;
static struct admission admission;

#define OFFSET(member) ((uint32_t)((char *)&(member) - (char *)&made))

static void make_access(struct plan_access *access, struct plan_span4 *spans4,
			struct plan_span6 *spans6, bool allowed)
{
	*spans4 = (struct plan_span4){ .allowed = allowed };
	*spans6 = (struct plan_span6){ .allowed = allowed };
	*access = (struct plan_access){
		.spans4 = OFFSET(*spans4),
		.nspans4 = 1,
		.spans6 = OFFSET(*spans6),
		.nspans6 = 1,
		.others_allowed = allowed,
	};
}

/* The half of the week that is not now, nor within a test's time of it. */
static struct plan_time make_never(void)
{
	const time_t now = time(NULL);
	const int day = localtime(&now)->tm_wday; /* from Sunday on */

	return day >= 1 && day <= 3 ? (struct plan_time){ WEEK * 4 / 7, WEEK * 6 / 7 }
				    : (struct plan_time){ WEEK / 7, WEEK * 2 / 7 };
}

static void come_from(const char *address)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&client.peer;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&client.peer;

	client = (struct connection){ .fd = -1 };
	client.peer.ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (client.peer.ss_family == AF_INET)
		ck_assert_int_eq(inet_pton(AF_INET, address, &in->sin_addr), 1);
	else
		ck_assert_int_eq(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
}

/* Everything is allowed, nothing is used up. */
static void set_up(void)
{
	memset(&made, 0, sizeof(made));
	made.plan.services = OFFSET(made.services);
	made.plan.nservices = SERVICES;
	for (uint32_t i = 0; i < SERVICES; i++)
		made.services[i] =
			(struct plan_service){ .admission = OFFSET(made.rules), .id = i + 1 };
	made.rules = (struct plan_admission){ .prefix4 = 32, .prefix6 = 64 };
	make_access(&made.nobody, &made.no_spans4, &made.no_spans6, false);
	make_access(&made.all, &made.all_spans4, &made.all_spans6, true);
	made.never = make_never();
	quota = (struct quota){ .limit = { .max = 10 } };
	all = (struct limit){ .max = 100 };
	come_from("192.0.2.7");
	admission = (struct admission){
		.plan = &made.plan,
		.service = &made.services[0],
		.connection = &client,
		.quota = &quota,
		.all = &all,
		.now_ns = START_NS,
	};
	ck_assert_int_eq(sources_init(1024, -1, &made.plan), 0);
}

static struct plan_rate per_second(int64_t count)
{
	return (struct plan_rate){ .step_ns = NS_IN_S / count, .window_ns = NS_IN_S };
}

static struct source *source(void)
{
	struct source_key key;

	source_key_init(&key, admission.service, &made.rules, &client);
	return source_find(&key);
}

static size_t count_sources(void)
{
	size_t count;

	ck_assert_ptr_nonnull(sources_map(sources_fd(), &count, &(size_t){ 0 }));
	return count;
}

/* -- reasons, one function for each that brings it about -- */

static void have_no_proxy(void)
{
	made.rules.proxies = OFFSET(made.nobody);
}

static void be_denied(void)
{
	made.rules.access = OFFSET(made.nobody);
}

static void be_late(void)
{
	made.rules.times = OFFSET(made.never);
	made.rules.ntimes = 1;
}

static struct source *known(void)
{
	struct source_key key;

	source_key_init(&key, admission.service, &made.rules, &client);
	return source_add(&key);
}

static void be_banned(void)
{
	made.rules.ban_ms = 60000;
	made.rules.ban_after = per_second(20);
	known()->banned_until_ns = START_NS + NS_IN_S;
}

static void be_fast(void)
{
	made.rules.source_rate = per_second(1);
	known()->rate_ns = START_NS + NS_IN_S;
}

static void have_too_many(void)
{
	made.rules.per_source = 1;
	source_take(known());
}

static void spend_rate(void)
{
	made.rules.rate = per_second(1);
	quota.rate_ns = START_NS + NS_IN_S;
}

static void fill(void)
{
	quota.limit.active = quota.limit.max;
}

static void fill_all(void)
{
	all.active = all.max;
}

/* In the order in which they are to be asked for. */
static const struct {
	enum refusal refusal;
	void (*bring_about)(void);
	bool is_of_client;
} reasons[] = {
	{ REFUSAL_PROXY, have_no_proxy, false }, { REFUSAL_ACCESS, be_denied, true },
	{ REFUSAL_TIME, be_late, false },	 { REFUSAL_BANNED, be_banned, true },
	{ REFUSAL_SOURCE_RATE, be_fast, true },	 { REFUSAL_SOURCE_FULL, have_too_many, true },
	{ REFUSAL_RATE, spend_rate, false },	 { REFUSAL_FULL, fill, false },
	{ REFUSAL_ALL_FULL, fill_all, false },
};
#define REASONS (sizeof(reasons) / sizeof(*reasons))

START_TEST(lets_in_who_has_nothing_against_him)
{
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	ck_assert_int_eq(admit_check_client(&admission), REFUSAL_NONE);
	made.rules = (struct plan_admission){
		.access = OFFSET(made.all),
		.per_source = 1,
		.prefix4 = 32,
		.prefix6 = 64,
		.rate = per_second(1),
		.source_rate = per_second(1),
		.ban_after = per_second(1),
		.ban_ms = 1000,
	};
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

/* A service without any of these keys has no record in the plan at all. */
START_TEST(lets_in_everybody_where_nothing_is_said)
{
	made.services[0].admission = 0;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	ck_assert(!admission_wants_header(&made.plan, admission.service));
	ck_assert(!admission_of(&made.plan, admission.service)->refuse_when_full);
	ck_assert_ptr_null(admit_take_client(&admission));
	for (int refusal = 0; refusal < REFUSALS; refusal++)
		ck_assert(!admit_refuse(&admission, (enum refusal)refusal));
	ck_assert_uint_eq(count_sources(), 0);
	fill();
	ck_assert_int_eq(admit_check(&admission), REFUSAL_FULL);
}
END_TEST

START_TEST(names_each_reason)
{
	reasons[_i].bring_about();
	ck_assert_int_eq(admit_check(&admission), reasons[_i].refusal);
}
END_TEST

/* The first of all that speak against it is the one that counts. */
START_TEST(asks_in_order)
{
	made.rules.prefix4 = 32;
	for (size_t i = REASONS; i-- > 1;) {
		reasons[i].bring_about();
		ck_assert_int_eq(admit_check(&admission), reasons[i].refusal);
	}
	have_no_proxy();
	ck_assert_int_eq(admit_check(&admission), REFUSAL_PROXY);
}
END_TEST

/* The same behind a proxy, where a question is asked once: at the door or for the client. */
START_TEST(asks_at_the_door_what_is_no_clients)
{
	made.rules.proxies = OFFSET(made.all);
	reasons[_i].bring_about();
	ck_assert_int_eq(admit_check(&admission),
			 reasons[_i].is_of_client ? REFUSAL_NONE : reasons[_i].refusal);
	ck_assert_int_eq(admit_check_client(&admission),
			 reasons[_i].is_of_client ? reasons[_i].refusal : REFUSAL_NONE);
}
END_TEST

/* Before a standing worker is begotten nobody has been heard yet. */
START_TEST(asks_the_door_alone)
{
	reasons[_i].bring_about();
	ck_assert_int_eq(admit_check_door(&admission),
			 reasons[_i].is_of_client ? REFUSAL_NONE : reasons[_i].refusal);
	made.rules.proxies = OFFSET(made.all);
	ck_assert_int_eq(admit_check_door(&admission),
			 reasons[_i].is_of_client || reasons[_i].refusal == REFUSAL_PROXY
				 ? REFUSAL_NONE
				 : reasons[_i].refusal);
}
END_TEST

START_TEST(asks_at_the_door_in_order)
{
	for (size_t i = REASONS; i-- > 0;) {
		reasons[i].bring_about();
		if (!reasons[i].is_of_client)
			ck_assert_int_eq(admit_check_door(&admission), reasons[i].refusal);
	}
}
END_TEST

START_TEST(asks_clients_in_order)
{
	made.rules.proxies = OFFSET(made.all);
	for (size_t i = REASONS; i-- > 1;) {
		reasons[i].bring_about();
		if (reasons[i].is_of_client)
			ck_assert_int_eq(admit_check_client(&admission), reasons[i].refusal);
		else
			ck_assert_int_eq(admit_check(&admission), reasons[i].refusal);
	}
}
END_TEST

/* A denied client consumes nobody's budget, not even its own. */
START_TEST(a_refusal_uses_up_nothing)
{
	const struct plan_rate scarce = per_second(1);
	struct quota quota_before;
	struct source before;
	size_t sources;

	made.rules.per_source = 2;
	made.rules.rate = made.rules.source_rate = scarce;
	made.rules.ban_ms = 60000;
	made.rules.ban_after = per_second(1000);
	known();
	reasons[_i].bring_about();
	before = *known();
	quota_before = quota;
	sources = count_sources();
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(admit_check(&admission), reasons[_i].refusal);
		ck_assert(!admit_refuse(&admission, reasons[_i].refusal));
	}
	ck_assert_int_eq(source()->rate_ns, before.rate_ns);
	ck_assert_uint_eq(source()->active, before.active);
	ck_assert_int_eq(quota.rate_ns, quota_before.rate_ns);
	ck_assert_uint_eq(quota.limit.active, quota_before.limit.active);
	ck_assert_uint_eq(all.active, reasons[_i].refusal == REFUSAL_ALL_FULL ? all.max : 0);
	ck_assert_uint_eq(count_sources(), sources);
}
END_TEST

/* Or an attacker could fill the table with what nobody needs to know. */
START_TEST(a_refusal_without_a_ban_is_not_remembered)
{
	made.rules.per_source = 1;
	made.rules.access = OFFSET(made.nobody);
	for (int refusal = 0; refusal < REFUSALS; refusal++)
		ck_assert(!admit_refuse(&admission, (enum refusal)refusal));
	ck_assert_int_eq(admit_check(&admission), REFUSAL_ACCESS);
	ck_assert_uint_eq(count_sources(), 0);
}
END_TEST

START_TEST(takes_and_gives_back)
{
	made.rules.rate = per_second(2);
	admit_take(&admission);
	admit_take(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_RATE);
	admit_give(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	admit_take(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_RATE);
	admission.now_ns += NS_IN_S / 2;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

/* A bucket of a slow rate is not empty for so long under a fast one. */
START_TEST(goes_by_the_rates_of_now)
{
	made.rules.source_rate =
		(struct plan_rate){ .step_ns = 3600 * NS_IN_S, .window_ns = 3600 * NS_IN_S };
	source_give(admit_take_client(&admission));
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_RATE);
	made.rules.source_rate = per_second(2);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_RATE);
	admission.now_ns += NS_IN_S / 2;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

START_TEST(takes_what_is_the_clients)
{
	struct source *taken;

	made.rules.per_source = 2;
	made.rules.source_rate = per_second(3);
	taken = admit_take_client(&admission);
	ck_assert_ptr_eq(taken, source());
	ck_assert_ptr_eq(admit_take_client(&admission), taken);
	ck_assert_uint_eq(taken->active, 2);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_FULL);
	source_give(taken);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	ck_assert_ptr_eq(admit_take_client(&admission), taken);
	source_give(taken);
	source_give(taken);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_RATE);
	admission.now_ns += NS_IN_S / 3 + 1;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	ck_assert_uint_eq(taken->active, 0);
}
END_TEST

/* What a standing worker serves is over at once: tokens are gone, and no place is taken. */
START_TEST(passes_with_tokens_alone)
{
	made.rules.per_source = 1;
	made.rules.rate = per_second(3);
	made.rules.source_rate = per_second(2);
	quota.limit.max = 1;
	admit_pass(&admission);
	ck_assert_uint_eq(source()->active, 0);
	ck_assert_uint_eq(quota.limit.active, 0);
	ck_assert_uint_eq(all.active, 0);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_RATE);
	come_from("192.0.2.8");
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_RATE);
	admission.now_ns += NS_IN_S / 3 + 1;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

START_TEST(passes_without_a_source)
{
	made.rules.rate = per_second(1);
	admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_RATE);
	ck_assert_uint_eq(count_sources(), 0);
}
END_TEST

/* -- datagrams -- */

static void come_as_datagram(void)
{
	admission.is_datagram = true;
	made.services[0].reply_rate = per_second(2);
}

/* A rate of its own, and not that of connections. */
START_TEST(datagrams_have_their_own_rate)
{
	made.rules.source_rate = per_second(1);
	come_as_datagram();
	admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_RATE);
	admission.now_ns += NS_IN_S / 2;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	admission.service = &made.services[1]; /* without */
	for (int i = 0; i < 100; i++)
		admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

START_TEST(a_rate_of_datagrams_is_not_one_of_connections)
{
	made.services[0].reply_rate = per_second(1);
	for (int i = 0; i < 100; i++)
		admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	ck_assert_uint_eq(count_sources(), 0);
}
END_TEST

START_TEST(datagrams_without_a_rate_are_not_counted)
{
	made.rules.source_rate = per_second(1);
	made.rules.ban_ms = 60000;
	made.rules.ban_after = per_second(1);
	admission.is_datagram = true;
	for (int i = 0; i < 100; i++)
		admit_pass(&admission);
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	ck_assert_uint_eq(count_sources(), 0);
}
END_TEST

/* Who writes another one's address over his own must not have that one shut out. */
START_TEST(datagrams_ban_nobody)
{
	come_as_datagram();
	made.rules.ban_ms = 60000;
	made.rules.ban_after = per_second(1);
	for (int i = 0; i < 100; i++)
		ck_assert(!admit_refuse(&admission, (enum refusal)_i));
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	ck_assert_uint_eq(count_sources(), 0);
	admission.is_datagram = false; /* and there is nothing left over for his connections */
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

/* All other questions are the same. */
START_TEST(datagrams_are_asked_the_rest)
{
	come_as_datagram();
	if (reasons[_i].refusal == REFUSAL_SOURCE_RATE || reasons[_i].refusal == REFUSAL_BANNED)
		return;
	reasons[_i].bring_about();
	ck_assert_int_eq(admit_check(&admission), reasons[_i].refusal);
}
END_TEST

/* What one has used up is no other one's matter: not of a neighbour, not at another service. */
START_TEST(sources_are_apart)
{
	made.rules.per_source = 1;
	source_take(admit_take_client(&admission));
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_FULL);
	come_from("192.0.2.8");
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	come_from("192.0.2.7");
	admission.service = &made.services[1];
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	admission.service = &made.services[0];
	made.rules.prefix4 = 24;
	source_take(admit_take_client(&admission));
	come_from("192.0.2.200");
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_FULL);
	come_from("2001:db8::1");
	source_take(admit_take_client(&admission));
	come_from("2001:db8::ffff:1");
	ck_assert_int_eq(admit_check(&admission), REFUSAL_SOURCE_FULL);
	come_from("2001:db8:0:1::1");
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

/* -- bans -- */

static void ban_after(int64_t count)
{
	made.rules.ban_ms = 60000;
	made.rules.ban_after = per_second(count);
}

/* How many refusals it takes; 0: more than a thousand. */
static int count_to_ban(enum refusal refusal)
{
	for (int i = 1; i <= 1000; i++)
		if (admit_refuse(&admission, refusal))
			return i;
	return 0;
}

START_TEST(bans_for_what_is_the_sources_own)
{
	const bool is_own = _i == REFUSAL_PROXY || _i == REFUSAL_ACCESS ||
			    _i == REFUSAL_SOURCE_RATE || _i == REFUSAL_SOURCE_FULL;

	ban_after(3);
	ck_assert_int_eq(count_to_ban((enum refusal)_i), is_own ? 3 : 0);
	ck_assert_int_eq(admit_check(&admission), is_own ? REFUSAL_BANNED : REFUSAL_NONE);
	ck_assert_uint_eq(count_sources(), is_own);
}
END_TEST

START_TEST(bans_one_alone)
{
	ban_after(1);
	ck_assert(admit_refuse(&admission, REFUSAL_ACCESS));
	ck_assert_int_eq(admit_check(&admission), REFUSAL_BANNED);
	admission.service = &made.services[1];
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	admission.service = &made.services[0];
	come_from("192.0.2.8");
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

/* However often a banned one tries: it ends when it was said to end. */
START_TEST(a_ban_is_not_made_longer)
{
	ban_after(3);
	ck_assert_int_eq(count_to_ban(REFUSAL_ACCESS), 3);
	for (int second = 0; second < 60; second++) {
		ck_assert_int_eq(admit_check(&admission), REFUSAL_BANNED);
		ck_assert_int_eq(count_to_ban(REFUSAL_ACCESS), 0);
		ck_assert_int_eq(count_to_ban(REFUSAL_BANNED), 0);
		admission.now_ns += NS_IN_S;
	}
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
	/* It begins anew, from nothing. */
	ck_assert_int_eq(count_to_ban(REFUSAL_ACCESS), 3);
}
END_TEST

START_TEST(a_ban_lasts_to_the_nanosecond)
{
	ban_after(1);
	ck_assert(admit_refuse(&admission, REFUSAL_ACCESS));
	admission.now_ns += 60 * NS_IN_S - 1;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_BANNED);
	admission.now_ns++;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

/* Or the first refusal after a short one would bring the next. */
START_TEST(a_ban_makes_up_for_what_has_led_to_it)
{
	ban_after(3);
	made.rules.ban_ms = 10;
	ck_assert_int_eq(count_to_ban(REFUSAL_ACCESS), 3);
	admission.now_ns += 10 * NS_IN_MS;
	ck_assert_int_eq(count_to_ban(REFUSAL_ACCESS), 3);
}
END_TEST

/* So many in so much time: who is refused now and then is not banned for it. */
START_TEST(refusals_are_forgotten)
{
	ban_after(3);
	for (int i = 0; i < 100; i++) {
		ck_assert(!admit_refuse(&admission, REFUSAL_ACCESS));
		ck_assert(!admit_refuse(&admission, REFUSAL_ACCESS));
		admission.now_ns += NS_IN_S;
	}
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

/* The configuration has the last word: one without bans knows none, whatever the table says. */
START_TEST(without_ban_nobody_is_banned)
{
	made.rules.per_source = 1; /* it is looked for, and found */
	ban_after(1);
	ck_assert(admit_refuse(&admission, REFUSAL_ACCESS));
	made.rules.ban_ms = 0;
	ck_assert_int_eq(admit_check(&admission), REFUSAL_NONE);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("admit");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, lets_in_who_has_nothing_against_him);
	tcase_add_test(tests, lets_in_everybody_where_nothing_is_said);
	tcase_add_loop_test(tests, names_each_reason, 0, (int)REASONS);
	tcase_add_test(tests, asks_in_order);
	tcase_add_loop_test(tests, asks_at_the_door_what_is_no_clients, 0, (int)REASONS);
	tcase_add_loop_test(tests, asks_the_door_alone, 0, (int)REASONS);
	tcase_add_test(tests, asks_at_the_door_in_order);
	tcase_add_test(tests, asks_clients_in_order);
	tcase_add_loop_test(tests, a_refusal_uses_up_nothing, 0, (int)REASONS);
	tcase_add_test(tests, a_refusal_without_a_ban_is_not_remembered);
	tcase_add_test(tests, takes_and_gives_back);
	tcase_add_test(tests, goes_by_the_rates_of_now);
	tcase_add_test(tests, takes_what_is_the_clients);
	tcase_add_test(tests, passes_with_tokens_alone);
	tcase_add_test(tests, passes_without_a_source);
	tcase_add_test(tests, datagrams_have_their_own_rate);
	tcase_add_test(tests, a_rate_of_datagrams_is_not_one_of_connections);
	tcase_add_test(tests, datagrams_without_a_rate_are_not_counted);
	tcase_add_loop_test(tests, datagrams_ban_nobody, 0, REFUSALS);
	tcase_add_loop_test(tests, datagrams_are_asked_the_rest, 0, (int)REASONS);
	tcase_add_test(tests, sources_are_apart);
	tcase_add_loop_test(tests, bans_for_what_is_the_sources_own, 0, REFUSALS);
	tcase_add_test(tests, bans_one_alone);
	tcase_add_test(tests, a_ban_is_not_made_longer);
	tcase_add_test(tests, a_ban_lasts_to_the_nanosecond);
	tcase_add_test(tests, a_ban_makes_up_for_what_has_led_to_it);
	tcase_add_test(tests, refusals_are_forgotten);
	tcase_add_test(tests, without_ban_nobody_is_banned);
	return suite_finish("admit", tests);
}
