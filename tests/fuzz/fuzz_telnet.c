/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the telnet filter under a session that reads lines.  The first byte says how the
 * rest is cut: the result must be the same as without a cut.
 */
#include "config.h"

#include "handlers/telnet.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "worker/session.h"

#define SIZE_MAX_INPUT 4096

struct result {
	unsigned char data[SIZE_MAX_INPUT];
	size_t length, answered;
};

static size_t feed(struct telnet *telnet, struct begat_session *session, const uint8_t *bytes,
		   size_t length, unsigned char *out)
{
	unsigned char *piece = malloc(length ? length : 1);
	size_t kept;

	memcpy(piece, bytes, length);
	kept = telnet_filter(telnet, session, piece, length);
	if (kept > length)
		abort();
	memcpy(out, piece, kept);
	free(piece);
	return kept;
}

static void run(const uint8_t *bytes, size_t length, size_t step, struct result *result)
{
	static struct begat_session session;
	const struct session_settings settings = { .fd = -1, .crlf = true };
	struct telnet telnet;

	telnet_init(&telnet);
	session_init(&session, &settings);
	result->length = result->answered = 0;
	for (size_t at = 0; at < length; at += step) {
		const size_t part = length - at < step ? length - at : step;

		result->length +=
			feed(&telnet, &session, bytes + at, part, result->data + result->length);
		/* Nothing is sent: the descriptor is none. */
		result->answered += session.out_end;
		session.out_end = 0;
	}
	if (telnet.answers > TELNET_ANSWERS)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static struct result whole, cut;

	if (length < 1 || length > SIZE_MAX_INPUT)
		return 0;
	/* In pieces of 256 at most, so that the answers to one fit into the session's buffer. */
	run(bytes + 1, length - 1, 256, &whole);
	run(bytes + 1, length - 1, 1 + bytes[0] % 64, &cut);
	if (whole.length != cut.length || whole.answered != cut.answered ||
	    memcmp(whole.data, cut.data, whole.length) != 0)
		abort();
	return 0;
}
