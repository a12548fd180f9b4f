/* SPDX-License-Identifier: ISC */
/*
 * A proxy that says who its client is.
 *
 * The service's own program reads on where the header ends, so the kernel is never asked for a byte
 * more: a block says how long it is, and a line is looked at before it is taken.  A line that has
 * no end yet is taken as far as it is there, because its end can only come behind it; so poll(2)
 * says again when there is something new, and nothing spins.
 *
 * Called by client.c in a worker that has nothing else to do.  The socket stays as it is: each call
 * says itself that it does not wait.
 */
#include "config.h"

#include "worker/proxy.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

/* Whether there is something to read, be it the end. */
static bool wait_for(int fd, int64_t deadline_ns)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int ms, ready;

	while ((ms = clock_left_ms(deadline_ns)) > 0) {
		ready = poll(&pollfd, 1, ms);
		if (ready != 0 && (ready > 0 || errno != EINTR))
			return ready > 0;
	}
	return false;
}

/* recv(2), which gives what was looked at: nobody else reads here. */
static ssize_t take(int fd, uint8_t *bytes, const struct proxy_need *need)
{
	size_t count = need->count;

	if (need->to_newline) {
		const ssize_t seen = recv(fd, bytes, count, MSG_PEEK | MSG_DONTWAIT);
		const uint8_t *newline;

		if (seen <= 0)
			return seen;
		newline = memchr(bytes, '\n', (size_t)seen);
		count = newline ? (size_t)(newline - bytes) + 1 : (size_t)seen;
	}
	return recv(fd, bytes, count, MSG_DONTWAIT);
}

enum introduction_kind proxy_read(int fd, int64_t deadline_ns, struct proxy_header *header)
{
	static uint8_t bytes[PROXY_HEADER_MAX]; /* of which most never use a second page */
	struct proxy_need need;
	size_t length = 0;

	while ((need = proxy_header_need(bytes, length)).count > 0) {
		const ssize_t got = take(fd, bytes + length, &need);

		if (got > 0)
			length += (size_t)got;
		else if (got == 0 || (errno != EAGAIN && errno != EINTR))
			return INTRODUCTION_GONE;
		else if (!wait_for(fd, deadline_ns))
			return INTRODUCTION_LATE;
	}
	return proxy_header_parse(bytes, length, header);
}

static ssize_t ask(int talk_fd, const struct introduction *introduction)
{
	ssize_t sent;

	do
		sent = send(talk_fd, introduction, sizeof(*introduction), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

static ssize_t hear(int talk_fd, struct introduction_answer *answer)
{
	ssize_t length;

	do
		length = recv(talk_fd, answer, sizeof(*answer), MSG_TRUNC);
	while (length < 0 && errno == EINTR);
	return length;
}

struct introduction_answer proxy_introduce(int talk_fd, const struct introduction *introduction)
{
	static const struct introduction_answer none = { .refusal = REFUSAL_SHORTAGE };
	struct introduction_answer answer;

	if (ask(talk_fd, introduction) != sizeof(*introduction) ||
	    hear(talk_fd, &answer) != sizeof(answer) || answer.refusal >= REFUSALS)
		return none;
	return answer;
}
