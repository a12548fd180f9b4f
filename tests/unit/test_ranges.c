/* SPDX-License-Identifier: ISC */
/* plan/ranges: the longest prefix that fits decides, a tie denies. */
#include "config.h"

#include "plan/ranges.h"

#include <stdio.h>

#include "peering.h"
#include "suite.h"

/* What is put into the configuration: each test begins with empty lists. */
static struct peers yes, no;

static void begin(void)
{
	free(yes.all);
	free(no.all);
	yes = no = (struct peers){ .all = NULL };
}

/* Both families as bytes in network order, as a peer has them. */
struct host {
	enum peer_kind kind;
	uint8_t bytes[16];
};

static struct host host_of(const char *text)
{
	struct host host = { .kind = strchr(text, ':') ? PEER_INET6 : PEER_INET };

	ck_assert_int_eq(inet_pton(host.kind == PEER_INET ? AF_INET : AF_INET6, text, host.bytes),
			 1);
	return host;
}

static uint64_t number_of(const uint8_t *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = 0; i < count; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* By walking along the spans. */
static bool find4(const struct ranges *ranges, uint32_t address)
{
	bool allowed = false;

	for (size_t i = 0; i < ranges->nspans4 && ranges->spans4[i].first <= address; i++)
		allowed = ranges->spans4[i].allowed;
	return allowed;
}

static bool find6(const struct ranges *ranges, uint64_t high, uint64_t low)
{
	bool allowed = false;

	for (size_t i = 0; i < ranges->nspans6; i++) {
		const struct plan_span6 *span = &ranges->spans6[i];

		if (span->high > high || (span->high == high && span->low > low))
			break;
		allowed = span->allowed;
	}
	return allowed;
}

static bool is_allowed(const struct ranges *ranges, const struct host *host)
{
	if (host->kind == PEER_INET)
		return find4(ranges, (uint32_t)number_of(host->bytes, 4));
	return find6(ranges, number_of(host->bytes, 8), number_of(host->bytes + 8, 8));
}

static bool get_bit(const uint8_t *bytes, int bit)
{
	return bytes[bit / 8] >> (7 - bit % 8) & 1;
}

static void set_bit(uint8_t *bytes, int bit, bool value)
{
	bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	bytes[bit / 8] |= (uint8_t)(value ? 0x80 >> bit % 8 : 0);
}

static bool fits(const struct peer *peer, const struct host *host)
{
	if (peer->kind != host->kind)
		return false;
	for (int bit = 0; bit < peer->length; bit++)
		if (get_bit(peer->address, bit) != get_bit(host->bytes, bit))
			return false;
	return true;
}

static int find_best(const struct peers *peers, const struct host *host)
{
	int best = -1;

	for (size_t i = 0; peers && i < peers->count; i++)
		if (fits(&peers->all[i], host) && peers->all[i].length > best)
			best = peers->all[i].length;
	return best;
}

/* The rule as begat.conf(5) tells it, bit by bit. */
static bool is_allowed_by_rule(const struct peers *only_from, const struct peers *no_access,
			       const struct host *host)
{
	int allowed = find_best(only_from, host), denied = find_best(no_access, host);

	return allowed < 0 && denied < 0 ? only_from == NULL : allowed > denied;
}

/* Sorted, from 0 on, and none says what the one before has said. */
static void expect_tidy(const struct ranges *ranges)
{
	ck_assert_uint_ge(ranges->nspans4, 1);
	ck_assert_uint_eq(ranges->spans4[0].first, 0);
	for (size_t i = 1; i < ranges->nspans4; i++) {
		ck_assert_uint_gt(ranges->spans4[i].first, ranges->spans4[i - 1].first);
		ck_assert_uint_ne(ranges->spans4[i].allowed, ranges->spans4[i - 1].allowed);
	}
	ck_assert_uint_ge(ranges->nspans6, 1);
	ck_assert_uint_eq(ranges->spans6[0].high | ranges->spans6[0].low, 0);
	for (size_t i = 1; i < ranges->nspans6; i++) {
		const struct plan_span6 *span = &ranges->spans6[i], *before = span - 1;

		ck_assert(span->high > before->high ||
			  (span->high == before->high && span->low > before->low));
		ck_assert_uint_ne(span->allowed, before->allowed);
	}
}

static void expect_spans(const struct peers *only_from, const struct peers *no_access,
			 size_t count4, size_t count6)
{
	struct ranges ranges;

	ranges_init(&ranges, only_from, no_access);
	expect_tidy(&ranges);
	ck_assert_uint_eq(ranges.nspans4, count4);
	ck_assert_uint_eq(ranges.nspans6, count6);
	ranges_fini(&ranges);
}

static void expect_host(const struct peers *only_from, const struct peers *no_access,
			const char *text, bool allowed)
{
	const struct host host = host_of(text);
	struct ranges ranges;

	ranges_init(&ranges, only_from, no_access);
	expect_tidy(&ranges);
	ck_assert_msg(is_allowed(&ranges, &host) == allowed, "%s: %s", text,
		      allowed ? "denied" : "allowed");
	ranges_fini(&ranges);
}

START_TEST(takes_no_list_and_empty_ones)
{
	const struct peers empty = { .all = NULL };

	expect_spans(NULL, NULL, 1, 1);
	expect_host(NULL, NULL, "192.0.2.7", true);
	expect_host(NULL, &empty, "192.0.2.7", true);
	expect_host(&empty, NULL, "192.0.2.7", false); /* an interface without a network */
	expect_host(&empty, NULL, "2001:db8::1", false);
}
END_TEST

/* The xinetd way round, where the last entry that fits wins, would let 10.1.2.9 in. */
START_TEST(longest_prefix_decides)
{
	begin();
	add_prefix(&yes, "10.1.2.3/32");
	add_prefix(&no, "10.1.2.0/24");
	add_prefix(&yes, "10.0.0.0/8");
	expect_host(&yes, &no, "10.255.255.255", true);
	expect_host(&yes, &no, "10.1.1.255", true);
	expect_host(&yes, &no, "10.1.2.0", false);
	expect_host(&yes, &no, "10.1.2.2", false);
	expect_host(&yes, &no, "10.1.2.3", true);
	expect_host(&yes, &no, "10.1.2.4", false);
	expect_host(&yes, &no, "10.1.3.0", true);
	expect_host(&yes, &no, "9.255.255.255", false);
	expect_host(&yes, &no, "11.0.0.0", false);
	expect_spans(&yes, &no, 7, 1);
}
END_TEST

START_TEST(tie_denies)
{
	begin();
	add_prefix(&yes, "192.0.2.0/24");
	add_prefix(&no, "192.0.2.0/24");
	add_prefix(&yes, "2001:db8::7/128");
	add_prefix(&no, "2001:db8::7/128");
	expect_host(&yes, &no, "192.0.2.7", false);
	expect_host(&yes, &no, "2001:db8::7", false);
	expect_spans(&yes, &no, 1, 1); /* nothing is left that could get in */
	add_prefix(&yes, "192.0.2.0/25");
	expect_host(&yes, &no, "192.0.2.127", true);
	expect_host(&yes, &no, "192.0.2.128", false);
}
END_TEST

/* 0.0.0.0 and 255.255.255.255: behind the last address there is no other one. */
START_TEST(knows_the_ends)
{
	begin();
	add_prefix(&no, "128.0.0.0/1");
	add_prefix(&yes, "255.255.255.255/32");
	add_prefix(&no, "0.0.0.0/32");
	add_prefix(&yes, "0.0.0.0/0");
	expect_host(&yes, &no, "0.0.0.0", false);
	expect_host(&yes, &no, "0.0.0.1", true);
	expect_host(&yes, &no, "127.255.255.255", true);
	expect_host(&yes, &no, "128.0.0.0", false);
	expect_host(&yes, &no, "255.255.255.254", false);
	expect_host(&yes, &no, "255.255.255.255", true);
	expect_spans(&yes, &no, 4, 1);
}
END_TEST

START_TEST(knows_the_ends_of_ipv6)
{
	begin();
	add_prefix(&no, "8000::/1");
	add_prefix(&yes, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	add_prefix(&no, "::/128");
	add_prefix(&yes, "::/0");
	add_prefix(&no, "2001:db8:0:1::/64"); /* where the upper half ends */
	expect_host(&yes, &no, "::", false);
	expect_host(&yes, &no, "::1", true);
	expect_host(&yes, &no, "2001:db8:0:0:ffff:ffff:ffff:ffff", true);
	expect_host(&yes, &no, "2001:db8:0:1::", false);
	expect_host(&yes, &no, "2001:db8:0:1:ffff:ffff:ffff:ffff", false);
	expect_host(&yes, &no, "2001:db8:0:2::", true);
	expect_host(&yes, &no, "8000::", false);
	expect_host(&yes, &no, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", false);
	expect_host(&yes, &no, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true);
	expect_spans(&yes, &no, 1, 6);
}
END_TEST

/* A prefix of all addresses of one family says nothing about the other. */
START_TEST(families_are_apart)
{
	begin();
	add_prefix(&yes, "0.0.0.0/0");
	expect_host(&yes, NULL, "192.0.2.7", true);
	expect_host(&yes, NULL, "::1", false);
	add_prefix(&no, "::/0");
	expect_host(NULL, &no, "192.0.2.7", true);
	expect_host(NULL, &no, "::1", false);
	expect_spans(&yes, &no, 1, 1);
}
END_TEST

START_TEST(neighbours_are_joined)
{
	begin();
	add_prefix(&yes, "192.0.2.128/25");
	add_prefix(&yes, "192.0.2.0/25");
	add_prefix(&yes, "192.0.3.0/24");
	add_prefix(&yes, "192.0.3.0/24");
	add_prefix(&yes, "192.0.3.7/32");
	expect_spans(&yes, NULL, 3, 1);
}
END_TEST

/* Random lists */

/* From few addresses, so that many lie within each other, at both ends and in the middle. */
static struct peer random_peer(enum peer_kind kind)
{
	const int width = kind == PEER_INET ? 32 : 128;
	const bool fill = next_random() % 2;
	struct peer peer = { .kind = kind, .length = (uint8_t)(next_random() % (width + 1)) };

	for (int bit = 0; bit < peer.length; bit++)
		set_bit(peer.address, bit,
			next_random() % 4 ? fill
					  : (bit < 3 || bit > width - 4) && next_random() % 2);
	return peer;
}

static void fill_randomly(struct peers *peers)
{
	for (uint32_t n = next_random() % 24; n; n--)
		add_peer(peers, random_peer(next_random() % 2 ? PEER_INET : PEER_INET6));
}

struct trial {
	const struct peers *only_from, *no_access; /* yes and no, or NULL */
	struct ranges ranges;
};

static void print_list(const char *key, const struct peers *peers)
{
	char prefix[INET6_ADDRSTRLEN];

	for (size_t i = 0; peers && i < peers->count; i++) {
		const struct peer *peer = &peers->all[i];

		(void)inet_ntop(peer->kind == PEER_INET ? AF_INET : AF_INET6, peer->address, prefix,
				sizeof(prefix));
		printf("%s: %s/%d\n", key, prefix, peer->length);
	}
}

static void expect_rule(const struct trial *trial, const struct host *host)
{
	bool expected = is_allowed_by_rule(trial->only_from, trial->no_access, host);
	char text[INET6_ADDRSTRLEN];

	if (is_allowed(&trial->ranges, host) == expected)
		return;
	print_list("only-from", trial->only_from);
	print_list("no-access", trial->no_access);
	(void)inet_ntop(host->kind == PEER_INET ? AF_INET : AF_INET6, host->bytes, text,
			sizeof(text));
	ck_abort_msg("%s: %s", text, expected ? "denied" : "allowed");
}

/* One before the first, the first, the last, and the one behind it, round the end. */
static void expect_edges(const struct trial *trial, const struct peer *peer)
{
	const int width = peer->kind == PEER_INET ? 32 : 128;
	struct host first = { .kind = peer->kind }, last;
	int bit;

	memcpy(first.bytes, peer->address, sizeof(first.bytes));
	last = first;
	for (bit = peer->length; bit < width; bit++)
		set_bit(last.bytes, bit, true);
	expect_rule(trial, &first);
	expect_rule(trial, &last);
	for (bit = width - 1; bit >= 0 && !get_bit(first.bytes, bit); bit--)
		set_bit(first.bytes, bit, true);
	if (bit >= 0)
		set_bit(first.bytes, bit, false);
	expect_rule(trial, &first);
	for (bit = width - 1; bit >= 0 && get_bit(last.bytes, bit); bit--)
		set_bit(last.bytes, bit, false);
	if (bit >= 0)
		set_bit(last.bytes, bit, true);
	expect_rule(trial, &last);
}

static void try_lists(const struct trial *trial)
{
	expect_tidy(&trial->ranges);
	for (size_t i = 0; i < yes.count; i++)
		expect_edges(trial, &yes.all[i]);
	for (size_t i = 0; i < no.count; i++)
		expect_edges(trial, &no.all[i]);
	for (int i = 0; i < 20; i++) {
		const struct peer peer = random_peer(i % 2 ? PEER_INET : PEER_INET6);
		struct host host = { .kind = peer.kind };

		memcpy(host.bytes, peer.address, sizeof(host.bytes));
		expect_rule(trial, &host);
	}
}

START_TEST(agrees_with_the_rule)
{
	for (int i = 0; i < 5000; i++) {
		struct trial trial;

		begin();
		fill_randomly(&yes);
		fill_randomly(&no);
		if (yes.count && next_random() % 2) /* a tie */
			add_peer(&no, yes.all[next_random() % yes.count]);
		trial.only_from = next_random() % 4 ? &yes : NULL;
		trial.no_access = next_random() % 4 ? &no : NULL;
		ranges_init(&trial.ranges, trial.only_from, trial.no_access);
		try_lists(&trial);
		ranges_fini(&trial.ranges);
	}
}
END_TEST

/* Each in the one before, all the way down: as deep as it can be. */
START_TEST(takes_the_deepest_nest)
{
	struct trial trial = { .only_from = &yes, .no_access = &no };

	begin();
	for (int end = 0; end < 2; end++)
		for (int length = 0; length <= 128; length++) {
			struct peer peer = { .kind = PEER_INET6, .length = (uint8_t)length };

			for (int bit = 0; bit < length; bit++)
				set_bit(peer.address, bit, end);
			add_peer(length % 2 ? &yes : &no, peer);
		}
	ranges_init(&trial.ranges, trial.only_from, trial.no_access);
	ck_assert_uint_eq(trial.ranges.nspans6, 2 * 128 - 1); /* those in the middle are joined */
	try_lists(&trial);
	ranges_fini(&trial.ranges);
}
END_TEST

/* Users and groups */

static void expect_ids(const struct plan_id *ids, size_t count, const struct plan_id *expected,
		       size_t nexpected)
{
	ck_assert_uint_eq(count, nexpected);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(ids[i].id, expected[i].id);
		ck_assert_uint_eq(ids[i].allowed, expected[i].allowed);
	}
}

START_TEST(sorts_users_and_groups)
{
	static const struct plan_id users[] = { { 0, false },
						{ 33, true },
						{ 1000, false },
						{ 65534, true },
						{ UINT32_MAX - 1, true } };
	static const struct plan_id groups[] = { { 0, true }, { 100, false } };
	struct ranges ranges;

	begin();
	add_user(&yes, UINT32_MAX - 1);
	add_user(&yes, 65534);
	add_user(&no, 1000); /* in both: denied */
	add_user(&yes, 1000);
	add_user(&yes, 33);
	add_user(&yes, 33);
	add_user(&no, 0);
	add_group(&no, 100);
	add_group(&yes, 0); /* not the user of this number */
	ranges_init(&ranges, &yes, &no);
	expect_ids(ranges.users, ranges.nusers, users, 5);
	expect_ids(ranges.groups, ranges.ngroups, groups, 2);
	ck_assert(!ranges.others_allowed);
	ck_assert_uint_eq(ranges.nspans4, 1);
	ck_assert(!ranges.spans4[0].allowed);
	ranges_fini(&ranges);
	ranges_init(&ranges, NULL, &no);
	ck_assert(ranges.others_allowed);
	ck_assert(ranges.spans6[0].allowed);
	ranges_fini(&ranges);
}
END_TEST

SUITE("ranges", takes_no_list_and_empty_ones, longest_prefix_decides, tie_denies, knows_the_ends,
      knows_the_ends_of_ipv6, families_are_apart, neighbours_are_joined, agrees_with_the_rule,
      takes_the_deepest_nest, sorts_users_and_groups)
