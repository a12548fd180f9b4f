/* SPDX-License-Identifier: ISC */
/*
 * Texts of listening addresses.
 *
 * What is accepted must have a canonical form that fits, reads back to the same address and has
 * that form again, and must be in its own way unless its port is 0.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/inet.h"
#include "listen/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct address *address)
{
	char text[ADDRESS_TEXT], again[ADDRESS_TEXT], error[256];
	struct address *list;
	size_t count;

	address_format(address, text, sizeof(text));
	require(strlen(text) < sizeof(text) - 1);
	require(address_parse(text, &list, &count, error, sizeof(error)) == 0);
	require(count == 1);
	require(list[0].length == address->length && list[0].dual == address->dual);
	require(list[0].type == address->type);
	require(memcmp(&list[0].sa, &address->sa, address->length) == 0);
	address_format(&list[0], again, sizeof(again));
	require(strcmp(text, again) == 0);
	if (address->sa.sa_family == AF_UNIX || inet_port(&address->sa))
		require(address_conflicts(address, &list[0]));
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1);
	struct address *list;
	size_t count;
	char error[64]; /* short: messages must be cut */

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	error[0] = '\0';
	if (address_parse(text, &list, &count, error, sizeof(error)) == 0) {
		require(count >= 1 && count <= 65535);
		check(&list[0]);
		check(&list[count - 1]);
		free(list);
	} else {
		require(error[0] != '\0' && strlen(error) < sizeof(error));
	}
	free(text);
	return 0;
}
