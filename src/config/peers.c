/* SPDX-License-Identifier: ISC */
/*
 * Lists of peers: who may come, who may not, and who speaks for others.
 *
 * What is not wholly understood is refused: an entry that is read as something wider than it was
 * meant to be would let somebody in.  So there are no short forms of addresses, no host bits, no
 * names of hosts, and nothing that stands for everybody but a length of 0.  Users, groups and
 * interfaces are looked up here, while loading, and never again.
 *
 * Lists may have 100,000 entries: adding one takes the same time however many there are.
 */
#include "config.h"

#include "config/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/account.h"

#define FAIL(why, ...) (snprintf(why, VALUE_WHY, __VA_ARGS__), -1)

#define SHOWN	       "%.80s"	    /* of a text in a reason */
#define HOST_TEXT      256	    /* more than any address has */
#define ID_MAX	       4294967294LL /* the largest but one: -1 is nobody */

/* Lists that grow: the room is the next power of two. */

static bool is_room_used_up(size_t count)
{
	return (count & (count - 1)) == 0;
}

static void put_peer(struct peers *peers, const struct peer *peer)
{
	if (is_room_used_up(peers->count))
		peers->all = xreallocarray(peers->all, peers->count ? 2 * peers->count : 1,
					   sizeof(*peers->all));
	peers->all[peers->count++] = *peer;
	peers->kinds |= 1U << peer->kind;
}

/* FNV-1a; the end of a text counts as well. */
static uint64_t add_to_checksum(uint64_t checksum, const char *text)
{
	if (checksum == 0)
		checksum = 0xcbf29ce484222325;
	do
		checksum = (checksum ^ (unsigned char)*text) * 0x100000001b3;
	while (*text++);
	return checksum;
}

/* Takes the text over. */
static void put_text(struct peers *peers, char *text)
{
	size_t used = peers->ntexts + 1; /* with the closing NULL */

	if (peers->texts == NULL || is_room_used_up(used))
		peers->texts = xreallocarray(peers->texts, 2 * used, sizeof(*peers->texts));
	peers->texts[peers->ntexts++] = text;
	peers->texts[peers->ntexts] = NULL;
	peers->checksum = add_to_checksum(peers->checksum, text);
}

/* Prefixes */

static unsigned max_length(const struct peer *peer)
{
	return peer->kind == PEER_INET ? 32 : 128;
}

static void format_address(const struct peer *peer, char text[static INET6_ADDRSTRLEN])
{
	int family = peer->kind == PEER_INET ? AF_INET : AF_INET6;

	(void)inet_ntop(family, peer->address, text, INET6_ADDRSTRLEN); /* fits: cannot fail */
}

void peer_format_prefix(const struct peer *peer, char text[static PEER_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	format_address(peer, address);
	if (peer->length == max_length(peer))
		snprintf(text, PEER_TEXT, "%s", address);
	else
		snprintf(text, PEER_TEXT, "%s/%u", address, peer->length);
}

/* inet_aton(3) takes "10" for 0.0.0.10, others take it for 10.0.0.0/8: it is neither. */
static int refuse_digits(const char *text, const char *host, char why[static VALUE_WHY])
{
	static const char zeros[] = ".0.0.0";
	size_t length = strlen(host), dots = 0;
	char whole[INET_ADDRSTRLEN + 8], bits[8];
	struct in_addr address;

	length -= length > 0 && host[length - 1] == '.'; /* as in hosts.allow(5) */
	for (size_t i = 0; i < length; i++)
		dots += host[i] == '.';
	snprintf(whole, sizeof(whole), "%.*s%s", length < 16 ? (int)length : 16, host,
		 dots < 3 ? zeros + 2 * dots : "");
	if (dots >= 3 || inet_pton(AF_INET, whole, &address) != 1)
		return FAIL(why, "\"" SHOWN "\" is not an IPv4 address", text);
	snprintf(bits, sizeof(bits), "/%zu", 8 * (dots + 1));
	return FAIL(why, "\"" SHOWN "\" is not a whole IPv4 address; write %s%.4s", text, whole,
		    strchr(text, '/') ? strchr(text, '/') : bits);
}

static int refuse_address(const char *text, const char *host, char why[static VALUE_WHY])
{
	if (*text == '\0')
		return FAIL(why, "an entry is empty");
	if (host[0] == '[')
		return FAIL(why, "\"" SHOWN "\" has brackets; write the address without them",
			    text);
	if (strchr(host, ':') && strchr(host, '%'))
		return FAIL(
			why,
			"\"" SHOWN "\" has a scope, which a client's address is compared "
			"without; leave it out, or write @eth0 for the networks of an interface",
			text);
	if (host[strspn(host, "0123456789.")] == '\0')
		return refuse_digits(text, host, why);
	if (strchr(host, ':') && host[strspn(host, "0123456789abcdefABCDEF:.")] == '\0')
		return FAIL(why, "\"" SHOWN "\" is not an IPv6 address", text);
	return FAIL(why,
		    "\"" SHOWN
		    "\" is no address, user:, group:, uid:, gid: or @interface; names of "
		    "hosts are never looked up",
		    text);
}

static int parse_address(const char *text, struct peer *peer, char why[static VALUE_WHY])
{
	size_t length = strcspn(text, "/");
	char host[HOST_TEXT];

	snprintf(host, sizeof(host), "%.*s", length < HOST_TEXT ? (int)length : HOST_TEXT, text);
	peer->kind = strchr(host, ':') ? PEER_INET6 : PEER_INET;
	if (inet_pton(peer->kind == PEER_INET ? AF_INET : AF_INET6, host, peer->address) == 1)
		return 0;
	return refuse_address(text, host, why);
}

static int parse_length(const char *text, struct peer *peer, char why[static VALUE_WHY])
{
	const char *slash = strchr(text, '/');
	char reason[VALUE_WHY];
	long long length = max_length(peer);

	if (slash && value_parse_number(slash + 1, 0, length, &length, reason) < 0)
		return FAIL(why, "\"" SHOWN "\": length in bits: %.200s", text, reason);
	peer->length = (uint8_t)length;
	return 0;
}

static void clear_host_bits(struct peer *peer)
{
	for (unsigned bit = peer->length; bit < 8 * sizeof(peer->address); bit++)
		peer->address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

static int check_host_bits(const char *text, const struct peer *peer, char why[static VALUE_WHY])
{
	struct peer prefix = *peer;
	char address[INET6_ADDRSTRLEN], wider[PEER_TEXT];

	clear_host_bits(&prefix);
	if (memcmp(prefix.address, peer->address, sizeof(prefix.address)) == 0)
		return 0;
	format_address(peer, address);
	peer_format_prefix(&prefix, wider);
	return FAIL(why,
		    "\"" SHOWN
		    "\" has bits beyond its length; write %s, or %s for this one address",
		    text, wider, address);
}

/* Makes an IPv4 prefix of an IPv4-mapped one: no client ever has such an address here. */
static int unmap(const char *text, struct peer *peer, char why[static VALUE_WHY])
{
	struct in6_addr address;
	char inet[INET6_ADDRSTRLEN];

	memcpy(&address, peer->address, sizeof(address));
	if (peer->kind == PEER_INET || !IN6_IS_ADDR_V4MAPPED(&address))
		return 0;
	memset(peer->address, 0, sizeof(peer->address));
	memcpy(peer->address, address.s6_addr + 12, 4);
	peer->kind = PEER_INET;
	if (peer->length >= 96) {
		peer->length -= 96;
		return 0;
	}
	if (peer->length > 32)
		return FAIL(why,
			    "\"" SHOWN "\" is an IPv4-mapped prefix of less than 96 bits; all of "
			    "IPv4 is 0.0.0.0/0",
			    text);
	format_address(peer, inet);
	return FAIL(why,
		    "\"" SHOWN "\" is an IPv4-mapped prefix of less than 96 bits; write it as an "
		    "IPv4 one, %s/%u",
		    text, inet, (unsigned)peer->length);
}

int peer_compare(const struct peer *a, const struct peer *b)
{
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	if (order == 0)
		order = memcmp(a->address, b->address, sizeof(a->address));
	if (order == 0)
		order = (a->length > b->length) - (a->length < b->length);
	return order ? order : (a->id > b->id) - (a->id < b->id);
}

int peer_parse_prefix(const char *text, struct peer *peer, char why[static VALUE_WHY])
{
	*peer = (struct peer){ 0 };
	if (parse_address(text, peer, why) < 0 || parse_length(text, peer, why) < 0 ||
	    unmap(text, peer, why) < 0)
		return -1;
	return check_host_bits(text, peer, why);
}

static int add_prefix(struct peers *peers, const char *text, char why[static VALUE_WHY])
{
	struct peer peer;
	char canonical[PEER_TEXT];

	if (peer_parse_prefix(text, &peer, why) < 0)
		return -1;
	peer_format_prefix(&peer, canonical);
	put_peer(peers, &peer);
	put_text(peers, xstrdup(canonical));
	return 0;
}

/* Users and groups */

static int find_number(const char *text, struct peer *peer, char why[static VALUE_WHY])
{
	long long number;

	if (value_parse_number(text, 0, ID_MAX, &number, why) < 0)
		return -1;
	peer->id = (uint32_t)number;
	return 0;
}

static int find_name(const char *name, struct peer *peer, char why[static VALUE_WHY])
{
	if (peer->kind == PEER_USER && account_find_user(name, &peer->id) < 0)
		return FAIL(why, "there is no user \"" SHOWN "\"", name);
	if (peer->kind == PEER_GROUP && account_find_group(name, &peer->id) < 0)
		return FAIL(why, "there is no group \"" SHOWN "\"", name);
	return 0;
}

static const struct account_form {
	const char *head;
	enum peer_kind kind;
	bool is_number;
} account_forms[] = {
	{ "user:", PEER_USER, false },
	{ "group:", PEER_GROUP, false },
	{ "uid:", PEER_USER, true },
	{ "gid:", PEER_GROUP, true },
};

static const struct account_form *find_form(const char *text)
{
	for (size_t i = 0; i < sizeof(account_forms) / sizeof(*account_forms); i++)
		if (strncmp(text, account_forms[i].head, strlen(account_forms[i].head)) == 0)
			return &account_forms[i];
	return NULL;
}

static int add_account(struct peers *peers, const char *text, const struct account_form *form,
		       char why[static VALUE_WHY])
{
	const char *name = text + strlen(form->head);
	struct peer peer = { .kind = form->kind };
	int result = form->is_number ? find_number(name, &peer, why) : find_name(name, &peer, why);

	if (result < 0)
		return -1;
	put_peer(peers, &peer);
	if (name[strspn(name, "0123456789")])
		put_text(peers, xstrdup(text));
	else
		put_text(peers,
			 xasprintf("%s:%u", form->kind == PEER_USER ? "uid" : "gid", peer.id));
	return 0;
}

/* Interfaces */

static unsigned count_ones(const uint8_t *mask, size_t size)
{
	unsigned ones = 0;

	for (size_t i = 0; i < size; i++)
		ones += (unsigned)__builtin_popcount(mask[i]);
	return ones;
}

/* The network of one address; false when it is of another family. */
static bool get_network(const struct ifaddrs *address, struct peer *peer)
{
	const void *own = address->ifa_addr, *mask = address->ifa_netmask;

	*peer = (struct peer){ 0 };
	if (own == NULL || mask == NULL)
		return false;
	if (address->ifa_addr->sa_family == AF_INET) {
		peer->kind = PEER_INET;
		memcpy(peer->address, &((const struct sockaddr_in *)own)->sin_addr, 4);
		mask = &((const struct sockaddr_in *)mask)->sin_addr;
	} else if (address->ifa_addr->sa_family == AF_INET6) {
		peer->kind = PEER_INET6;
		memcpy(peer->address, &((const struct sockaddr_in6 *)own)->sin6_addr, 16);
		mask = &((const struct sockaddr_in6 *)mask)->sin6_addr;
	} else {
		return false;
	}
	peer->length = (uint8_t)count_ones(mask, max_length(peer) / 8);
	clear_host_bits(peer);
	return true;
}

/* Several addresses may be in one network. */
static void put_network(struct peers *peers, size_t first, const struct peer *peer)
{
	for (size_t i = first; i < peers->count; i++)
		if (peer_compare(&peers->all[i], peer) == 0)
			return;
	put_peer(peers, peer);
}

/* getifaddrs(3) has the label for a name, "eth0:1", where an IPv4 address has one. */
static bool is_of_interface(const struct ifaddrs *address, const char *name)
{
	size_t length = strlen(name);

	return strncmp(address->ifa_name, name, length) == 0 &&
	       (address->ifa_name[length] == '\0' || address->ifa_name[length] == ':');
}

static int add_interface(struct peers *peers, const char *name, char why[static VALUE_WHY])
{
	size_t first = peers->count;
	struct ifaddrs *addresses;
	struct peer peer;

	if (getifaddrs(&addresses) < 0)
		return FAIL(why, "the interfaces cannot be listed: %s", strerror(errno));
	for (const struct ifaddrs *each = addresses; each; each = each->ifa_next)
		if (is_of_interface(each, name) && get_network(each, &peer))
			put_network(peers, first, &peer);
	freeifaddrs(addresses);
	if (peers->count == first && if_nametoindex(name) == 0)
		return FAIL(why, "there is no interface \"" SHOWN "\"", name);
	if (peers->count == first)
		return FAIL(why,
			    "the interface \"" SHOWN "\" has no address now, and this is when its "
			    "networks are looked up",
			    name);
	put_text(peers, xasprintf("@%s", name));
	return 0;
}

/* The whole */

int peers_add(struct peers *peers, const char *text, char why[static VALUE_WHY])
{
	const struct account_form *form = find_form(text);

	if (form)
		return add_account(peers, text, form, why);
	return text[0] == '@' ? add_interface(peers, text + 1, why) : add_prefix(peers, text, why);
}

void peers_free(struct peers *peers)
{
	if (peers == NULL)
		return;
	strv_free(peers->texts);
	free(peers->all);
	free(peers);
}
