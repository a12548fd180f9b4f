/* SPDX-License-Identifier: ISC */
/*
 * chargen, RFC 864: lines of characters without an end, for as long as the client takes them.
 *
 * The pattern is the RFC's popular one: 72 of the 95 printing characters a line, each line begun
 * one character further.  It is made once a worker and sent a period at a time.  What the client
 * sends meanwhile is read and thrown away; one that only writes, and never reads, is held up by its
 * own full socket, and ended when that lasts for idle-timeout.  That it goes away rudely is the
 * expected end.  How long and for how many this goes on is the service's
 * limits.
 *
 * A datagram is answered by 0 to 512 characters, as many as chance has it, and with no memory of
 * who has asked before.
 */
#include "config.h"

#include <bsd/stdlib.h>
#include <poll.h>

#include "handlers/handler.h"

#define CHARACTERS 95 /* from ' ' to '~' */
#define WIDTH	   72
#define LINE	   (WIDTH + 2)
#define ANSWER_MAX 512

/* The lines up to where they repeat. */
static char pattern[CHARACTERS * LINE];

/* Only as much as is needed of it, since a page that is touched is one that a fork has to copy. */
static void make_pattern(size_t lines)
{
	char *at = pattern;

	for (size_t line = 0; line < lines; line++) {
		for (size_t i = 0; i < WIDTH; i++)
			*at++ = (char)(' ' + (line + i) % CHARACTERS);
		*at++ = '\r';
		*at++ = '\n';
	}
}

/* Some of what has come by now: it cannot keep us from writing.  False once nothing more comes. */
static bool drop_input(struct begat_session *session)
{
	struct pollfd pollfd = { .fd = begat_descriptor(session), .events = POLLIN };
	char dropped[8192];
	size_t length;

	if (poll(&pollfd, 1, 0) <= 0)
		return true;
	return begat_read(session, dropped, sizeof(dropped), &length) == BEGAT_INPUT_OK;
}

static int chargen_serve(struct begat_session *session)
{
	bool hears = true;

	make_pattern(CHARACTERS);
	while (begat_write(session, pattern, sizeof(pattern)) == 0)
		hears = hears && drop_input(session);
	return 0;
}

static bool chargen_answer(struct begat_session *session, const void *bytes, size_t length)
{
	const size_t room = begat_room(session);
	const size_t most = room < ANSWER_MAX ? room : ANSWER_MAX;

	(void)bytes;
	(void)length;
	if (pattern[0] == '\0')
		make_pattern(ANSWER_MAX / LINE + 1);
	return begat_write(session, pattern, arc4random_uniform((uint32_t)most + 1)) == 0;
}

const struct begat_handler chargen_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "chargen",
	.summary = "lines of characters without an end (RFC 864)",
	.serve = chargen_serve,
	.answer = chargen_answer,
};
