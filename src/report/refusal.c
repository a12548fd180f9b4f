/* SPDX-License-Identifier: ISC */
/*
 * Why a client is refused.
 *
 * Everything that speaks of a refusal takes its words from here: log lines, counters, the status.
 * The names are part of what other versions and other programs read; they do not change.
 */
#include "config.h"

#include "report/refusal.h"

#include <stddef.h>
#include <syslog.h>

const struct refusal_info refusal_table[REFUSALS] = {
	[REFUSAL_NONE] = { "none", "admitted", LOG_DEBUG, false },
	[REFUSAL_PROXY] = { "proxy", "not one of the proxies", LOG_NOTICE, true },
	[REFUSAL_HEADER] = { "header", "no proper PROXY header", LOG_NOTICE, false },
	[REFUSAL_ACCESS] = { "access", "not allowed", LOG_NOTICE, true },
	[REFUSAL_TIME] = { "time", "not at this time", LOG_NOTICE, false },
	[REFUSAL_BANNED] = { "banned", "banned", LOG_NOTICE, false },
	[REFUSAL_SOURCE_RATE] = { "source-rate", "connects too often", LOG_NOTICE, true },
	[REFUSAL_SOURCE_FULL] = { "source-full", "has too many connections", LOG_NOTICE, true },
	[REFUSAL_RATE] = { "rate", "the service's rate is used up", LOG_NOTICE, false },
	[REFUSAL_FULL] = { "full", "all instances are busy", LOG_NOTICE, false },
	[REFUSAL_ALL_FULL] = { "all-full", "all services together are full", LOG_NOTICE, false },
	[REFUSAL_SHORTAGE] = { "shortage", "no descriptor, memory or process left", LOG_ERR,
			       false },
	[REFUSAL_PORT] = { "port", "from a port that may answer answers", LOG_NOTICE, false },
	[REFUSAL_ADDRESS] = { "address", "from or to no single host's address", LOG_NOTICE, false },
	[REFUSAL_SIZE] = { "size", "the answer would be too long", LOG_NOTICE, false },
	[REFUSAL_UNSENT] = { "unsent", "the answer could not be sent", LOG_NOTICE, false },
	[REFUSAL_PAUSED] = { "paused", "the service takes no clients now", LOG_NOTICE, false },
};
