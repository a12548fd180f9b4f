/* SPDX-License-Identifier: ISC */
/*
 * discard, RFC 863: reads and drops what comes, until the client closes or is silent for
 * idle-timeout.  Never answers.
 */
#include "config.h"

#include "handlers/handler.h"

#define DISCARD_BUFFER 16384

static int discard_serve(struct begat_session *session)
{
	static char
		buffer[DISCARD_BUFFER]; /* static: a stack would be cleared, and touched, whole */
	size_t length;

	while (begat_read(session, buffer, sizeof(buffer), &length) == BEGAT_INPUT_OK)
		;
	return begat_finish(session);
}

static bool discard_answer(struct begat_session *session, const void *bytes, size_t length)
{
	(void)session;
	(void)bytes;
	(void)length;
	return false;
}

const struct begat_handler discard_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "discard",
	.summary = "drops what the client sends (RFC 863)",
	.serve = discard_serve,
	.answer = discard_answer,
};
