/* SPDX-License-Identifier: ISC */
/* Lists of peers: begat.conf(5), only-from.  The messages are in tests/config/bad/admission.conf.
 */
#include "config.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/peers.h"
#include "suite.h"

static char why[VALUE_WHY];

static struct peer parse(const char *text)
{
	struct peer peer;

	ck_assert_msg(peer_parse_prefix(text, &peer, why) == 0, "%s: %s", text, why);
	return peer;
}

static struct peers *new_list(const char *const *texts)
{
	struct peers *peers = xcalloc(1, sizeof(*peers));

	for (; *texts; texts++)
		ck_assert_msg(peers_add(peers, *texts, why) == 0, "%s: %s", *texts, why);
	return peers;
}

/* What is printed is what was meant, and means the same when it is read again. */
START_TEST(canonical_forms)
{
	static const char *const forms[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "192.0.2.1/32", "192.0.2.1" },
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.128/25", "192.0.2.128/25" },
		{ "128.0.0.0/1", "128.0.0.0/1" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::/0", "::/0" },
		{ "::", "::" },
		{ "::1/128", "::1" },
		{ "2001:DB8:0:0::/32", "2001:db8::/32" },
		{ "2001:0db8::/32", "2001:db8::/32" },
		{ "fe80::/10", "fe80::/10" },
		{ "2001:db8::8000:0:0:0/65", "2001:db8:0:0:8000::/65" },
		{ "::192.0.2.1", "::192.0.2.1" },
		{ "64:ff9b::192.0.2.0/120", "64:ff9b::c000:200/120" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127" },
	};
	char text[PEER_TEXT], again[PEER_TEXT];

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct peer peer = parse(forms[i][0]), same;

		peer_format_prefix(&peer, text);
		ck_assert_str_eq(text, forms[i][1]);
		same = parse(text);
		ck_assert_int_eq(peer_compare(&peer, &same), 0);
		peer_format_prefix(&same, again);
		ck_assert_str_eq(again, text);
	}
}
END_TEST

START_TEST(kernel_forms)
{
	struct peer peer = parse("192.0.2.0/24");

	ck_assert_int_eq(peer.kind, PEER_INET);
	ck_assert_uint_eq(peer.length, 24);
	ck_assert_mem_eq(peer.address, "\300\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	peer = parse("2001:db8::/33");
	ck_assert_int_eq(peer.kind, PEER_INET6);
	ck_assert_uint_eq(peer.length, 33);
	ck_assert_mem_eq(peer.address, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}
END_TEST

/* F34: xinetd let IPv4 clients past a list that had them as IPv6 ones. */
START_TEST(mapped_prefixes_are_ipv4_ones)
{
	static const char *const forms[][2] = {
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::ffff:c000:201", "192.0.2.1" },
		{ "0:0:0:0:0:FFFF:192.0.2.1/128", "192.0.2.1" },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24" },
		{ "::ffff:0.0.0.0/96", "0.0.0.0/0" },
		{ "::ffff:128.0.0.0/97", "128.0.0.0/1" },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct peer mapped = parse(forms[i][0]), plain = parse(forms[i][1]);

		ck_assert_int_eq(mapped.kind, PEER_INET);
		ck_assert_int_eq(peer_compare(&mapped, &plain), 0);
		ck_assert_mem_eq(mapped.address, plain.address, sizeof(plain.address));
	}
}
END_TEST

/* "An unparsable address is an error, never a wildcard", and nothing is taken for something wider.
 */
START_TEST(nothing_is_guessed)
{
	static const char *const bad[] = {
		"",
		"/",
		"/0",
		"/32",
		"*",
		"ALL",
		"any",
		"0",
		"10",
		"10/8",
		"10.",
		"10.1",
		"10.0.0/24",
		"10.0.0.0.0",
		"10.0.0.0.",
		"10.0.0.256",
		"10.0.0.01",
		"0x0a.0.0.0",
		"10.0.0.-1",
		" 10.0.0.0",
		"10.0.0.0 ",
		"10.0.0.0 /8",
		"10.0.0.0/ 8",
		"10.0.0.0/8 ",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-0",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/08",
		"10.0.0.0/8/",
		"10.0.0.0/8/8",
		"10.0.0.1/8",
		"10.0.0.1/31",
		"0.0.0.1/0",
		"10.0.0.0/4294967304",
		"10.0.0.0/8a",
		"10.0.0.0/0x8",
		"10.0.0.0/255.0.0.0",
		"::/129",
		"::/-1",
		"::/",
		":",
		":::",
		"1:2",
		"::1::",
		"1:2:3:4:5:6:7:8:9",
		"::g",
		"::12345",
		"[::1]",
		"[::1]/128",
		"::1/127",
		"::1/0",
		"::1%lo",
		"fe80::1%1",
		"fe80::%lo/10",
		"::ffff:10.0.0.0/8",
		"::ffff:10.0.0.0/95",
		"::ffff:10.0.0.1/104",
		"::ffff:0:0/0",
		"::ffff:10.0.0.256",
		"localhost",
		"example.com",
		"a.b/8",
		"user:root",
		"@lo",
		"\n",
		"10.0.0.0\n",
	};
	struct peer peer;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		why[0] = '\0';
		ck_assert_msg(peer_parse_prefix(bad[i], &peer, why) == -1, "\"%s\" is taken",
			      bad[i]);
		ck_assert_msg(why[0] != '\0', "%s", bad[i]);
	}
}
END_TEST

/* Whatever was written, the reason fits, and is about this text. */
START_TEST(long_texts)
{
	static const char kinds[] = "1.:f%/[x";
	char text[5000];
	struct peer peer;

	for (const char *kind = kinds; *kind; kind++) {
		for (size_t length = 1; length < sizeof(text); length += 37) {
			memset(text, *kind, length);
			text[length] = '\0';
			if (peer_parse_prefix(text, &peer, why) == 0)
				ck_abort_msg("%s is taken", text);
			ck_assert_uint_lt(strlen(why), VALUE_WHY - 1);
			ck_assert_ptr_nonnull(strchr(why, *kind));
		}
	}
}
END_TEST

START_TEST(all_host_bits)
{
	char text[80], expected[80];
	struct peer peer;

	for (unsigned length = 0; length < 32; length++) {
		snprintf(text, sizeof(text), "255.255.255.255/%u", length);
		ck_assert_int_eq(peer_parse_prefix(text, &peer, why), -1);
		snprintf(expected, sizeof(expected), "/%u, or 255.255.255.255 for", length);
		ck_assert_msg(strstr(why, expected) != NULL, "%s", why);
		/* What is suggested is right. */
		ck_assert_int_eq(sscanf(strstr(why, "write ") + 6, "%79[^,]", text), 1);
		ck_assert_uint_eq(parse(text).length, length);
	}
	for (unsigned length = 0; length < 128; length++) {
		snprintf(text, sizeof(text), "%s/%u", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
			 length);
		ck_assert_int_eq(peer_parse_prefix(text, &peer, why), -1);
		ck_assert_int_eq(sscanf(strstr(why, "write ") + 6, "%79[^,]", text), 1);
		ck_assert_uint_eq(parse(text).length, length);
	}
}
END_TEST

START_TEST(users_and_groups)
{
	static const char *const texts[] = { "user:root",      "user:0",
					     "uid:0",	       "group:root",
					     "gid:4294967294", "group:77777",
					     "uid:2147483648", NULL };
	static const char *const canonical[] = { "user:root",	   "uid:0",
						 "uid:0",	   "group:root",
						 "gid:4294967294", "gid:77777",
						 "uid:2147483648", NULL };
	static const uint32_t ids[] = { 0, 0, 0, 0, 4294967294, 77777, 2147483648 };
	struct peers *peers = new_list(texts);

	ck_assert_uint_eq(peers->count, 7);
	ck_assert_uint_eq(peers->ntexts, 7);
	ck_assert_uint_eq(peers->kinds, 1U << PEER_USER | 1U << PEER_GROUP);
	for (size_t i = 0; i < 7; i++) {
		bool is_group = i >= 3 && i < 6;

		ck_assert_str_eq(peers->texts[i], canonical[i]);
		ck_assert_uint_eq(peers->all[i].id, ids[i]);
		ck_assert_int_eq(peers->all[i].kind, is_group ? PEER_GROUP : PEER_USER);
	}
	ck_assert_ptr_null(peers->texts[7]);
	peers_free(peers);
}
END_TEST

/* What is refused leaves nothing behind. */
START_TEST(refused_entries_are_not_there)
{
	static const char *const bad[] = { "user:",	  "user:begat-nobody-has-this",
					   "group:",	  "group:begat-nobody-has-this",
					   "uid:",	  "uid:root",
					   "uid:-1",	  "uid:4294967295",
					   "gid:00",	  "gid: 0",
					   "User:root",	  "@",
					   "@begat-none", "@lo/8",
					   "10.0.0.1/8",  "" };
	struct peers *peers = xcalloc(1, sizeof(*peers));

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(peers_add(peers, bad[i], why) == -1, "\"%s\" is taken", bad[i]);
	ck_assert_uint_eq(peers->count, 0);
	ck_assert_uint_eq(peers->ntexts, 0);
	ck_assert_uint_eq(peers->kinds, 0);
	ck_assert_uint_eq(peers->checksum, 0);
	peers_free(peers);
}
END_TEST

static bool has(const struct peers *peers, const char *prefix)
{
	const struct peer wanted = parse(prefix);

	for (size_t i = 0; i < peers->count; i++)
		if (peer_compare(&peers->all[i], &wanted) == 0)
			return true;
	return false;
}

static bool loopback_is_up(int family)
{
	struct ifaddrs *all;
	bool found = false;

	ck_assert_int_eq(getifaddrs(&all), 0);
	for (const struct ifaddrs *each = all; each; each = each->ifa_next)
		found |= strcmp(each->ifa_name, "lo") == 0 && each->ifa_addr &&
			 each->ifa_addr->sa_family == family;
	freeifaddrs(all);
	return found;
}

/* An interface stands for its networks, each once, by the name that it was given. */
START_TEST(interfaces)
{
	struct peers *peers = xcalloc(1, sizeof(*peers));

	if (!loopback_is_up(AF_INET)) { /* in a namespace of its own, perhaps */
		ck_assert_int_eq(peers_add(peers, "@lo", why), -1);
		ck_assert_ptr_nonnull(strstr(why, "\"lo\" has no address now"));
		peers_free(peers);
		return;
	}
	ck_assert_msg(peers_add(peers, "@lo", why) == 0, "%s", why);
	ck_assert(has(peers, "127.0.0.0/8"));
	ck_assert_int_eq(has(peers, "::1"), loopback_is_up(AF_INET6));
	ck_assert_uint_eq(peers->ntexts, 1);
	ck_assert_str_eq(peers->texts[0], "@lo");
	for (size_t i = 0; i < peers->count; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_int_ne(peer_compare(&peers->all[i], &peers->all[k]), 0);
	peers_free(peers);
}
END_TEST

/* Lists are kept in order, whatever their length; the room doubles. */
START_TEST(many)
{
	struct peers *peers = xcalloc(1, sizeof(*peers));
	char text[PEER_TEXT];

	for (unsigned i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		ck_assert_int_eq(peers_add(peers, text, why), 0);
		ck_assert_ptr_null(peers->texts[i + 1]);
	}
	ck_assert_uint_eq(peers->count, 100000);
	ck_assert_uint_eq(peers->ntexts, 100000);
	ck_assert_str_eq(peers->texts[0], "10.0.0.0");
	ck_assert_str_eq(peers->texts[65535], "10.0.255.255");
	ck_assert_str_eq(peers->texts[99999], "10.1.134.159");
	ck_assert_mem_eq(peers->all[99999].address, "\012\001\206\237", 4);
	peers_free(peers);
}
END_TEST

static uint64_t checksum_of(const char *const *texts)
{
	struct peers *peers = new_list(texts);
	uint64_t checksum = peers->checksum;

	peers_free(peers);
	return checksum;
}

/* A reload tells long lists apart by it. */
START_TEST(checksums)
{
	static const char *const list[] = { "10.0.0.0/8", "::1", NULL };
	static const char *const same[] = { "10.0.0.0/8", "::1/128", NULL };
	static const char *const turned[] = { "::1", "10.0.0.0/8", NULL };
	static const char *const other[] = { "10.0.0.0/9", "::1", NULL };
	static const char *const shorter[] = { "10.0.0.0/8", NULL };
	static const char *const one[] = { "1.1.1.1", "11.1.1.1", NULL };
	static const char *const cut[] = { "1.1.1.11", "1.1.1.1", NULL };

	ck_assert(checksum_of(list) == checksum_of(same));
	ck_assert(checksum_of(list) != checksum_of(turned));
	ck_assert(checksum_of(list) != checksum_of(other));
	ck_assert(checksum_of(list) != checksum_of(shorter));
	ck_assert(checksum_of(one) != checksum_of(cut));
}
END_TEST

SUITE("peers", canonical_forms, kernel_forms, mapped_prefixes_are_ipv4_ones, nothing_is_guessed,
      long_texts, all_host_bits, users_and_groups, refused_entries_are_not_there, interfaces, many,
      checksums)
