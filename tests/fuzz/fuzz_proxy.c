/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the PROXY header at the start of a stream.  The first byte says into what pieces the
 * network cuts it: the result must be the same as without a cut, and so must be the place where a
 * good header ends.  (How soon a bad one is noticed depends on the cut.)
 */
#include "config.h"

#include "worker/proxy-header.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/inet.h"

#define SIZE_MAX_INPUT (PROXY_HEADER_MAX + 1024)

struct result {
	enum introduction_kind kind;
	size_t length; /* that was taken from the stream; 0 for a bad one */
	struct proxy_header header;
};

/* In memory of its own, so that a sanitizer sees a read over the end. */
static struct proxy_need need_of(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);
	struct proxy_need need;

	memcpy(copy, bytes, length);
	need = proxy_header_need(copy, length);
	free(copy);
	return need;
}

static enum introduction_kind parse(const uint8_t *bytes, size_t length,
				    struct proxy_header *header)
{
	uint8_t *copy = malloc(length ? length : 1);
	enum introduction_kind kind;

	memcpy(copy, bytes, length);
	kind = proxy_header_parse(copy, length, header);
	free(copy);
	return kind;
}

/* What proxy_read() would take of the piece that is there. */
static size_t take(const struct proxy_need *need, const uint8_t *bytes, size_t there)
{
	const size_t count = need->count < there ? need->count : there;
	const uint8_t *newline = memchr(bytes, '\n', count);

	return need->to_newline && newline ? (size_t)(newline - bytes) + 1 : count;
}

/* How many bytes were taken when no more are wanted, or none are there. */
static size_t read_header(const uint8_t *bytes, size_t length, size_t step)
{
	size_t taken = 0, there = 0;
	struct proxy_need need;

	while ((need = need_of(bytes, taken)).count > 0 && taken < length) {
		if (there == taken)
			there = length - there < step ? length : there + step;
		taken += take(&need, bytes + taken, there - taken);
		if (taken > PROXY_HEADER_MAX)
			abort();
	}
	return taken;
}

static void run(const uint8_t *bytes, size_t length, size_t step, struct result *result)
{
	const size_t taken = read_header(bytes, length, step);

	memset(result, 0, sizeof(*result));
	result->kind = parse(bytes, taken, &result->header);
	if (result->kind != INTRODUCTION_CLIENT)
		memset(&result->header, 0, sizeof(result->header));
	if (result->kind == INTRODUCTION_BAD)
		return;
	result->length = taken;
	if (need_of(bytes, taken).count > 0)
		abort();
}

static void check_address(const struct sockaddr_storage *address)
{
	struct sockaddr_storage own = *address;

	inet_unmap(&own);
	if ((address->ss_family != AF_INET && address->ss_family != AF_INET6) ||
	    memcmp(&own, address, sizeof(own)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct result whole, cut;

	if (length < 1 || length > SIZE_MAX_INPUT)
		return 0;
	run(bytes + 1, length - 1, length, &whole);
	run(bytes + 1, length - 1, 1 + bytes[0] % 64, &cut);
	if (memcmp(&whole, &cut, sizeof(whole)) != 0)
		abort();
	if (whole.kind == INTRODUCTION_CLIENT) {
		check_address(&whole.header.client);
		check_address(&whole.header.destination);
	}
	(void)parse(bytes + 1, length - 1, &cut.header); /* only that it can be asked */
	return 0;
}
