/* SPDX-License-Identifier: ISC */
/*
 * Texts of a redirect's targets.
 *
 * What is accepted must have a canonical form that the worker reads to the same, and that is its
 * own canonical form.  The worker's reader takes any text without harm.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/targets.h"
#include "handlers/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(const char *canonical)
{
	struct target target;
	char error[64], *again = target_parse(canonical, error, sizeof(error));

	require(again && strcmp(again, canonical) == 0);
	require(target_read(canonical, &target) == 0);
	require(target.datagrams == target_is_datagram(canonical));
	require((target.length == 0) == target_has_name(canonical));
	if (target.address.ss_family == AF_UNIX)
		require(target_port(canonical) == 0);
	else
		require(target_port(canonical) == target.port && target.port > 0);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1), *canonical;
	struct target target;
	char error[64]; /* short: messages must be cut */

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	error[0] = '\0';
	(void)target_read(text, &target); /* only whether it comes back */
	canonical = target_parse(text, error, sizeof(error));
	if (canonical)
		check(canonical);
	else
		require(error[0] != '\0' && strlen(error) < sizeof(error));
	free(canonical);
	free(text);
	return 0;
}
