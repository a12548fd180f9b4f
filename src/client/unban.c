/* SPDX-License-Identifier: ISC */
/*
 * begat unban: lifts the bans of sources.
 *
 * What the daemon gets is a canonical prefix, read here by the same code as the prefixes of a
 * configuration: a typing error is told before anything is lifted.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "client/call.h"
#include "client/command.h"
#include "config/peers.h"
#include "report/log.h"

#define UID_SHOWN   "uid=" /* as status shows it, ... */
#define UID_WRITTEN "uid:" /* ... and as a configuration says it */
#define UID_MAX	    4294967294LL

/* 0: it is none; 1: it is one, which goes to source. */
static int parse_uid(const char *text, char source[static PEER_TEXT])
{
	char why[VALUE_WHY];
	long long uid;

	if (strncmp(text, UID_SHOWN, strlen(UID_SHOWN)) != 0 &&
	    strncmp(text, UID_WRITTEN, strlen(UID_WRITTEN)) != 0)
		return 0;
	if (value_parse_number(text + strlen(UID_SHOWN), 0, UID_MAX, &uid, why) < 0)
		fatal(EXIT_USAGE, "unban: %s: %s", text, why);
	snprintf(source, PEER_TEXT, UID_SHOWN "%lld", uid);
	return 1;
}

static void parse_source(const char *text, char source[static PEER_TEXT])
{
	char why[VALUE_WHY];
	struct peer peer;

	if (parse_uid(text, source))
		return;
	if (peer_parse_prefix(text, &peer, why) < 0)
		fatal(EXIT_USAGE, "unban: %s", why);
	peer_format_prefix(&peer, source);
}

void unban_run(const char *control, int argc, char **argv)
{
	char source[PEER_TEXT], *request, why[VALUE_WHY];
	struct answer answer;

	if (argc < 2 || argc > 3)
		fatal(EXIT_USAGE, "usage: begat unban PREFIX [SERVICE]");
	parse_source(argv[1], source);
	if (argc > 2 && value_check_name(argv[2], why) < 0)
		fatal(EXIT_USAGE, "unban: %s", why);
	request = xasprintf("unban %s%s%s", source, argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	call_make(control, request, &answer);
	free(request);
	printf("%s ban%s lifted\n", answer.text, strcmp(answer.text, "1") == 0 ? "" : "s");
}
