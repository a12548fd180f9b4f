/* SPDX-License-Identifier: ISC */
/*
 * time, RFC 868: the seconds since 1900 as exactly four bytes, most significant first, then the
 * end.
 *
 * Four bytes whatever the size of time_t: a predecessor sent sizeof(long) of them.  A machine that
 * believes to be before 1970 does not know the time; then, as the RFC wants it, a stream ends
 * without a byte and a datagram is not answered.
 */
#include "config.h"

#include "handlers/time.h"

#include <arpa/inet.h>
#include <time.h>

#include "handlers/handler.h"
#include "handlers/once.h"

#define SECONDS_1900_TO_1970 UINT64_C(2208988800)

uint32_t time_from_unix(int64_t seconds)
{
	return (uint32_t)((uint64_t)seconds + SECONDS_1900_TO_1970);
}

/* The RFC's question is empty, but what is in a datagram does not matter. */
static bool time_answer(struct begat_session *session, const void *bytes, size_t length)
{
	const time_t now = time(NULL);
	const uint32_t answer = htonl(time_from_unix(now));

	(void)bytes;
	(void)length;
	if (now < 0) /* -1 is also what a failure looks like */
		return false;
	return begat_write(session, &answer, sizeof(answer)) == 0;
}

static int time_serve(struct begat_session *session)
{
	return once_serve(session, &time_handler);
}

const struct begat_handler time_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "time",
	.summary = "the seconds since 1900 as four bytes (RFC 868)",
	.serve = time_serve,
	.answer = time_answer,
	.at_once = true,
};
