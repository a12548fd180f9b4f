/* SPDX-License-Identifier: ISC */
/*
 * echo, RFC 862: sends back what comes, until the client closes; of datagrams, each.
 *
 * A client that half-closes still gets all of it.  One that sends and never reads is held up by its
 * own full socket, and ended when that lasts for idle-timeout.
 */
#include "config.h"

#include "handlers/handler.h"

#define ECHO_BUFFER 16384

static int echo_serve(struct begat_session *session)
{
	static char buffer[ECHO_BUFFER]; /* static: a stack would be cleared, and touched, whole */
	size_t length;

	while (begat_read(session, buffer, sizeof(buffer), &length) == BEGAT_INPUT_OK)
		if (begat_write(session, buffer, length) < 0)
			return 0;
	return begat_finish(session);
}

/* A part of it would be no echo. */
static bool echo_answer(struct begat_session *session, const void *bytes, size_t length)
{
	return begat_write(session, bytes, length) == 0;
}

const struct begat_handler echo_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "echo",
	.summary = "sends back what the client sends (RFC 862)",
	.serve = echo_serve,
	.answer = echo_answer,
};
