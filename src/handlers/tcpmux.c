/* SPDX-License-Identifier: ISC */
/*
 * tcpmux, RFC 1078: the client names a service in one line, hears "+" or "-", and in the first case
 * speaks with that service from the next byte on.
 *
 * Whatever it sends behind the line is the service's, so not a byte of it may be read here: what
 * has come is looked at in the socket before it is taken, up to the line's end.  The line is
 * bounded in length and, whole, in time; a name that has no end may be a part of another, and is
 * none.
 *
 * Which services there are, and who may come in, is not decided here: worker/offer.c.
 */
#include "config.h"

#include "handlers/handler.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "handlers/now.h"

#define NAME_LENGTH 255 /* at most; the RFC has no limit, but no service's name is as long */

struct line {
	char bytes[NAME_LENGTH + sizeof("\r\n")];
	size_t length;
};

static bool is_complete(const struct line *line)
{
	return line->length > 0 && line->bytes[line->length - 1] == '\n';
}

/* So many bytes, all of them there already, or the end. */
static enum begat_input take(struct begat_session *session, struct line *line, size_t count)
{
	size_t taken = 0;
	const enum begat_input input =
		begat_read(session, line->bytes + line->length, count, &taken);

	line->length += taken;
	return input;
}

/* What has come of the line; at least one byte, so that nothing spins. */
static enum begat_input take_more(struct begat_session *session, struct line *line,
				  long long due_ms)
{
	const int fd = begat_descriptor(session);
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	const size_t room = sizeof(line->bytes) - 1 - line->length;
	char *bytes = line->bytes + line->length, *newline;
	ssize_t seen;

	if (room == 0)
		return BEGAT_INPUT_TOO_LONG;
	while ((seen = recv(fd, bytes, room, MSG_PEEK | MSG_DONTWAIT)) < 0 &&
	       (errno == EAGAIN || errno == EINTR))
		if (poll(&pollfd, 1, left_ms(due_ms)) == 0)
			return BEGAT_INPUT_TIMEOUT;
	if (seen <= 0)
		return take(session, line, 1); /* which finds out what it is */
	newline = memchr(bytes, '\n', (size_t)seen);
	return take(session, line, newline ? (size_t)(newline - bytes) + 1 : (size_t)seen);
}

/* For the first byte the service's own time limit holds. */
static enum begat_input read_line(struct begat_session *session, struct line *line)
{
	enum begat_input input = take(session, line, 1);
	long long due_ms;

	if (input != BEGAT_INPUT_OK)
		return input;
	due_ms = now_ms() + begat_number(session, "name-timeout");
	while (input == BEGAT_INPUT_OK && !is_complete(line))
		input = take_more(session, line, due_ms);
	return input;
}

/* Cuts the end off. */
static void trim(struct line *line)
{
	line->length--;
	if (line->length > 0 && line->bytes[line->length - 1] == '\r')
		line->length--;
	line->bytes[line->length] = '\0';
}

static bool is_name(const struct line *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (line->bytes[i] <= ' ' || line->bytes[i] > '~')
			return false;
	return line->length > 0;
}

/* NULL, or what is wrong with it. */
static const char *read_name(struct begat_session *session, struct line *line)
{
	switch (read_line(session, line)) {
	case BEGAT_INPUT_OK:
		trim(line);
		return is_name(line) ? NULL : "Not a service name";
	case BEGAT_INPUT_TOO_LONG:
		return "Service name too long";
	case BEGAT_INPUT_TIMEOUT:
		return "Too slow";
	case BEGAT_INPUT_END:
	case BEGAT_INPUT_ERROR:
		break;
	}
	return "Service name without an end";
}

static int refuse(struct begat_session *session, const char *why)
{
	begat_print(session, "-%s\r\n", why);
	return begat_finish(session);
}

static int help(struct begat_session *session)
{
	const char *name;

	for (size_t i = 0; (name = begat_multiplexed(session, i)); i++)
		begat_print(session, "%s\r\n", name);
	return begat_finish(session);
}

static int offer(struct begat_session *session, const char *wanted)
{
	const char *why = "Service not available", *name;

	for (size_t i = 0; (name = begat_multiplexed(session, i)); i++)
		if (strcasecmp(name, wanted) == 0) {
			why = begat_offer(session, i);
			break;
		}
	if (why)
		return refuse(session, why);
	begat_print(session, "+Go\r\n");
	return begat_hand_over(session);
}

static int tcpmux_serve(struct begat_session *session)
{
	struct line line = { .length = 0 };
	const char *wrong = read_name(session, &line);

	if (wrong)
		return refuse(session, wrong);
	if (strcasecmp(line.bytes, "help") == 0)
		return help(session);
	return offer(session, line.bytes);
}

static const struct begat_option tcpmux_options[] = {
	{ "name-timeout", BEGAT_OPTION_DURATION, "30s", 1000, 3600000,
	  "how long a client may take for its line, from the first byte on", NULL },
	{ .name = NULL },
};

const struct begat_handler tcpmux_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "tcpmux",
	.summary = "hands its client over to a service that it names (RFC 1078)",
	.options = tcpmux_options,
	.serve = tcpmux_serve,
};
