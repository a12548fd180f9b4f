/* SPDX-License-Identifier: ISC */
/*
 * What a source is known by.
 *
 * A client of IPv6 chooses as many addresses as it likes and, where source-prefix is long or its
 * own network wide, as many sources.  If it could foresee their hashes it would put them all into
 * one chain, and each of its connections would make the master walk it.  So the hash is SipHash
 * (Aumasson and Bernstein, 2012), a keyed function made against just that, with one and three
 * rounds as is usual for tables that never show their hashes to anybody.  The secret is made anew
 * by each master.
 */
#include "config.h"

#include "admit/source-key.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/inet.h"

#define USER "uid="

/* -- the hash -- */

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(uint64_t state[4])
{
	state[0] += state[1];
	state[2] += state[3];
	state[1] = rotate(state[1], 13) ^ state[0];
	state[3] = rotate(state[3], 16) ^ state[2];
	state[0] = rotate(state[0], 32);
	state[2] += state[1];
	state[0] += state[3];
	state[1] = rotate(state[1], 17) ^ state[2];
	state[3] = rotate(state[3], 21) ^ state[0];
	state[2] = rotate(state[2], 32);
}

static void absorb(uint64_t state[4], uint64_t word)
{
	state[3] ^= word;
	mix(state);
	state[0] ^= word;
}

uint64_t source_key_hash(const struct source_key *key, const uint64_t secret[2])
{
	uint64_t state[4] = {
		secret[0] ^ 0x736f6d6570736575,
		secret[1] ^ 0x646f72616e646f6d,
		secret[0] ^ 0x6c7967656e657261,
		secret[1] ^ 0x7465646279746573,
	};
	uint64_t words[sizeof(*key) / sizeof(uint64_t)];

	_Static_assert(sizeof(words) == sizeof(*key), "a key is whole words without padding");
	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		absorb(state, words[i]);
	absorb(state, (uint64_t)sizeof(words) << 56);
	state[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(state);
	return state[0] ^ state[1] ^ state[2] ^ state[3];
}

/* -- prefixes -- */

static uint32_t length_max(uint32_t family)
{
	return family == AF_INET6 ? 128 : 32;
}

static void cut(uint8_t bits[16], uint32_t length)
{
	const uint32_t whole = length / 8;

	if (length >= 128)
		return;
	bits[whole] &= (uint8_t)(0xff00 >> length % 8);
	memset(bits + whole + 1, 0, 16 - whole - 1);
}

/* At most 128 of them. */
static bool has_same_bits(const uint8_t *one, const uint8_t *other, uint32_t length)
{
	const uint32_t whole = length / 8;

	if (memcmp(one, other, whole) != 0)
		return false;
	return length % 8 == 0 || (one[whole] ^ other[whole]) >> (8 - length % 8) == 0;
}

bool source_key_is_within(const struct source_key *key, const struct source_key *within)
{
	const uint32_t length = key->length < within->length ? key->length : within->length;

	return key->family == within->family && has_same_bits(key->bits, within->bits, length);
}

bool source_key_is_sound(const struct source_key *key)
{
	struct source_key own = *key;

	if (key->family != AF_INET && key->family != AF_INET6 && key->family != AF_UNIX)
		return false;
	if (key->length > length_max(key->family))
		return false;
	cut(own.bits, own.length);
	return memcmp(own.bits, key->bits, sizeof(own.bits)) == 0;
}

/* -- of a connection -- */

static void init_inet(struct source_key *key, const struct sockaddr_in *in, uint32_t length)
{
	key->family = AF_INET;
	key->length = length;
	memcpy(key->bits, &in->sin_addr, sizeof(in->sin_addr));
}

static void init_inet6(struct source_key *key, const struct sockaddr_in6 *in6, uint32_t length)
{
	key->family = AF_INET6;
	key->length = length;
	memcpy(key->bits, &in6->sin6_addr, sizeof(in6->sin6_addr));
}

/* One that is not known is (uid_t)-1, and so all of them are one source. */
static void init_unix(struct source_key *key, uid_t uid)
{
	key->family = AF_UNIX;
	key->length = length_max(AF_UNIX);
	memcpy(key->bits, &uid, sizeof(uid));
}

void source_key_init(struct source_key *key, const struct plan_service *service,
		     const struct plan_admission *admission, const struct connection *connection)
{
	const struct sockaddr_storage *peer = &connection->peer;

	*key = (struct source_key){ .service = service->id };
	if (peer->ss_family == AF_INET)
		init_inet(key, (const struct sockaddr_in *)peer, admission->prefix4);
	else if (peer->ss_family == AF_INET6)
		init_inet6(key, (const struct sockaddr_in6 *)peer, admission->prefix6);
	else
		init_unix(key, connection->credentials.uid);
	cut(key->bits, key->length);
}

/* -- for people -- */

static void format_user(const struct source_key *key, char *text, size_t size)
{
	uid_t uid;

	memcpy(&uid, key->bits, sizeof(uid));
	if (uid == (uid_t)-1)
		snprintf(text, size, USER "unknown");
	else
		snprintf(text, size, USER "%u", (unsigned)uid);
}

void source_format(const struct source_key *key, char *text, size_t size)
{
	struct sockaddr_storage address = { .ss_family = (sa_family_t)key->family };
	char host[INET_TEXT];

	if (key->family == AF_UNIX) {
		format_user(key, text, size);
		return;
	}
	if (key->family == AF_INET)
		memcpy(&((struct sockaddr_in *)&address)->sin_addr, key->bits, 4);
	else
		memcpy(&((struct sockaddr_in6 *)&address)->sin6_addr, key->bits, 16);
	inet_format_host((struct sockaddr *)&address, host, sizeof(host));
	if (key->length == length_max(key->family))
		snprintf(text, size, "%s", host);
	else
		snprintf(text, size, "%s/%u", host, (unsigned)key->length);
}

static int parse_user(const char *text, struct source_key *key)
{
	const char *error;
	const uid_t uid = (uid_t)strtonum(text, 0, UINT32_MAX - 1, &error);

	init_unix(key, uid);
	return error || !isdigit((unsigned char)*text) ? -1 : 0;
}

static int parse_length(const char *text, struct source_key *key)
{
	const char *error;

	key->length = (uint32_t)strtonum(text, 0, length_max(key->family), &error);
	return error || !isdigit((unsigned char)*text) ? -1 : 0;
}

static int parse_inet(const char *text, struct source_key *key)
{
	const size_t length = strcspn(text, "/");
	char host[INET_TEXT];

	if (length >= sizeof(host))
		return -1;
	memcpy(host, text, length);
	host[length] = '\0';
	key->family = strchr(host, ':') ? AF_INET6 : AF_INET;
	key->length = length_max(key->family);
	if (inet_pton((int)key->family, host, key->bits) != 1)
		return -1;
	return text[length] ? parse_length(text + length + 1, key) : 0;
}

int source_parse(const char *text, struct source_key *key)
{
	*key = (struct source_key){ 0 };
	if (strncmp(text, USER, strlen(USER)) == 0)
		return parse_user(text + strlen(USER), key);
	if (parse_inet(text, key) < 0)
		return -1;
	return source_key_is_sound(key) ? 0 : -1;
}
