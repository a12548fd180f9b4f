/* SPDX-License-Identifier: ISC */
/*
 * time, RFC 868: the seconds since 1900 as exactly four bytes, most significant first, then the
 * end.
 *
 * Four bytes whatever the size of time_t: a predecessor sent sizeof(long) of them.
 */
#include "config.h"

#include "handlers/time.h"

#include <arpa/inet.h>
#include <time.h>

#include "handlers/handler.h"

#define SECONDS_1900_TO_1970 UINT64_C(2208988800)

uint32_t time_from_unix(int64_t seconds)
{
	return (uint32_t)((uint64_t)seconds + SECONDS_1900_TO_1970);
}

static int time_serve(struct begat_session *session)
{
	const uint32_t answer = htonl(time_from_unix(time(NULL)));

	begat_write(session, &answer, sizeof(answer));
	return begat_finish(session);
}

const struct begat_handler time_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "time",
	.summary = "the seconds since 1900 as four bytes (RFC 868)",
	.serve = time_serve,
};
