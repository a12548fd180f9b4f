/* SPDX-License-Identifier: ISC */
/*
 * Prefixes of only-from, no-access and proxy-protocol, and the times of access-times.
 *
 * A prefix that is accepted has no host bits, is never an IPv4-mapped one, and its canonical text
 * reads back to the same prefix and is its own canonical text.  Times that are accepted are spans
 * within a week, in order, and their text gives the same ones again.
 */
#include "config.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/peers.h"
#include "config/schedule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_bits(const struct peer *peer)
{
	struct in6_addr address;

	require(peer->kind == PEER_INET || peer->kind == PEER_INET6);
	require(peer->length <= (peer->kind == PEER_INET ? 32 : 128));
	require(peer->id == 0);
	for (unsigned bit = peer->length; bit < 128; bit++)
		require((peer->address[bit / 8] >> (7 - bit % 8) & 1) == 0);
	memcpy(&address, peer->address, sizeof(address));
	require(peer->kind == PEER_INET || !IN6_IS_ADDR_V4MAPPED(&address));
}

static void check_prefix(const char *text)
{
	char canonical[PEER_TEXT], again[PEER_TEXT], why[VALUE_WHY] = "";
	struct peer peer, same;

	if (peer_parse_prefix(text, &peer, why) < 0) {
		require(why[0] != '\0' && strlen(why) < VALUE_WHY - 1);
		return;
	}
	check_bits(&peer);
	peer_format_prefix(&peer, canonical);
	require(peer_parse_prefix(canonical, &same, why) == 0);
	require(peer_compare(&peer, &same) == 0);
	peer_format_prefix(&same, again);
	require(strcmp(canonical, again) == 0);
}

static void check_spans(const struct schedule *schedule)
{
	require(schedule->count >= 1 && schedule->ntexts == 1);
	for (size_t i = 0; i < schedule->count; i++) {
		require(schedule->spans[i].from < schedule->spans[i].to);
		require(schedule->spans[i].to <= SCHEDULE_WEEK);
		require(i == 0 || schedule->spans[i - 1].to < schedule->spans[i].from);
	}
}

static void check_again(const struct schedule *schedule)
{
	struct schedule *same = xcalloc(1, sizeof(*same));
	char why[VALUE_WHY];

	require(schedule_add(same, schedule->texts[0], why) == 0);
	schedule_settle(same);
	require(strcmp(same->texts[0], schedule->texts[0]) == 0);
	require(same->count == schedule->count);
	require(memcmp(same->spans, schedule->spans, same->count * sizeof(*same->spans)) == 0);
	schedule_free(same);
}

static void check_times(const char *text)
{
	struct schedule *schedule = xcalloc(1, sizeof(*schedule));
	char why[VALUE_WHY] = "";

	if (schedule_add(schedule, text, why) == 0) {
		schedule_settle(schedule);
		check_spans(schedule);
		check_again(schedule);
	} else {
		require(why[0] != '\0' && schedule->count == 0 && schedule->ntexts == 0);
	}
	schedule_free(schedule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	check_prefix(text);
	check_times(text);
	free(text);
	return 0;
}
