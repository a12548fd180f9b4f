/* SPDX-License-Identifier: ISC */
/*
 * Where redirected datagrams may go.
 *
 * Names are looked up outside of the worker's cage, at its start and again when nobody answers at
 * what was found, but never so often that a dead target would make us a burden to somebody's name
 * server, or fill the log.  Used by relay-datagrams.c.
 */
#include "config.h"

#include "worker/relay-targets.h"

#include <string.h>

#include "base/clock.h"
#include "handlers/target.h"

#define OF_NAME	 16   /* addresses of one name */
#define AGAIN_MS 5000 /* between two look-ups, and between two lines about dead targets */

static void add_addresses(struct relay_targets *targets, const struct sockaddr_storage *addresses,
			  size_t count)
{
	for (size_t i = 0; i < count && targets->count < RELAY_ADDRESSES; i++)
		targets->addresses[targets->count++] = addresses[i];
}

static void add_name(struct relay_targets *targets, const struct target *target, const char *text,
		     bool fresh)
{
	const struct begat_lookup lookup = {
		.host = target->host,
		.port = target->port,
		.datagrams = true,
		.fresh = fresh,
		.limit_ms = begat_number(targets->session, "connect-timeout"),
	};
	struct sockaddr_storage found[OF_NAME];
	const char *why;
	const size_t count = begat_resolve(targets->session, &lookup, found, OF_NAME, &why);

	if (count == 0)
		target_complain(text, why);
	add_addresses(targets, found, count);
}

static void load(struct relay_targets *targets, bool fresh)
{
	const unsigned before = targets->count;
	struct target target;

	targets->count = 0;
	for (char *const *each = targets->all; *each; each++) {
		if (target_read(*each, &target) < 0 || !target.datagrams)
			continue;
		if (target.length)
			add_addresses(targets, &target.address, 1);
		else
			add_name(targets, &target, *each, fresh);
	}
	if (targets->count == 0)
		targets->count = before; /* where they still are */
	targets->looked_up_ns = clock_now_ns();
}

static bool is_time_again(int64_t last_ns)
{
	return clock_now_ns() - last_ns >= AGAIN_MS * NS_IN_MS;
}

void relay_targets_init(struct relay_targets *targets, struct begat_session *session)
{
	targets->session = session;
	targets->all = begat_command(session, "target", 0)->argv;
	load(targets, false);
}

void relay_targets_renew(struct relay_targets *targets)
{
	if (is_time_again(targets->looked_up_ns))
		load(targets, true);
}

void relay_targets_doubt(struct relay_targets *targets, int error)
{
	if (is_time_again(targets->complained_ns)) {
		target_complain(targets->all[1] ? "no target" : targets->all[0], strerror(error));
		targets->complained_ns = clock_now_ns();
	}
	relay_targets_renew(targets);
}
