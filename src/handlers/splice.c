/* SPDX-License-Identifier: ISC */
/*
 * Bytes between the client and another socket, both ways, through a pipe each.
 *
 * A way reads only while its pipe is empty, so who reads slowly slows the other side down, and
 * nothing is stored but one pipe's worth.  Each way ends on its own: the end of what comes is
 * handed on as a half-close when all before it was passed on, and the other way lives on.  A socket
 * that cannot be written to any more ends the way to it and no other, so that what was read is
 * still delivered.
 *
 * Nothing here waits but in begat_wait(), and every wake-up moves a byte or ends a way: a socket
 * that has nothing to do any more is not asked about, since poll(2) would report its hang-up for
 * ever.
 */
#include "config.h"

#include "handlers/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handlers/now.h"

#define CHUNK	       65536 /* bytes: a pipe holds as much, pipe(7) */
#define MUCH	       16384 /* bytes: there is more, probably */
#define ROUNDS	       16    /* before the other way has its turn */
#define LINGER_MS      2000  /* without a byte */
#define LINGER_MOST_MS 30000 /* in all */

struct way {
	int from, to;
	int ends[2];		  /* of the pipe */
	size_t held;		  /* bytes in it */
	bool closed;		  /* its beginning has said so, or is gone */
	bool ended;		  /* nothing more comes, or nothing more is wanted */
	bool over;		  /* nor is anything left to be passed on */
	bool pushes;		  /* the last bytes may wait for more */
	unsigned long long count; /* bytes that were passed on */
};

static int way_open(struct way *way, int from, int to)
{
	*way = (struct way){ .from = from, .to = to };
	return pipe2(way->ends, O_CLOEXEC | O_NONBLOCK);
}

static void way_close(struct way *way)
{
	(void)close(way->ends[0]); /* what is left in it is meant for nobody */
	(void)close(way->ends[1]);
}

/* It cannot be written to any more. */
static void way_break(struct way *way)
{
	way->held = 0;
	way->ended = way->over = true;
}

/* How many bytes; 0: there is nothing now, or it has ended.  An error is an end, too: who had
 * reason to tell the two apart would have ended its words in its own way. */
static size_t way_fill(struct way *way)
{
	const ssize_t got = splice(way->from, NULL, way->ends[1], NULL, CHUNK,
				   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (got > 0)
		way->held += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		way->closed = way->ended = true;
	return got > 0 ? (size_t)got : 0;
}

static void way_drain(struct way *way)
{
	const unsigned more = way->held >= MUCH ? SPLICE_F_MORE : 0;
	const ssize_t gone = splice(way->ends[0], NULL, way->to, NULL, way->held,
				    SPLICE_F_MOVE | SPLICE_F_NONBLOCK | more);

	way->pushes |= more != 0;
	if (gone > 0) {
		way->held -= (size_t)gone;
		way->count += (unsigned long long)gone;
	} else if (gone == 0 || (errno != EAGAIN && errno != EINTR)) {
		way_break(way);
	}
}

/* What was held back to fill a segment leaves when there is no more after all: the option, set once
 * more, pushes.  Without it each splice(2) ends in a segment of a few bytes. */
static void way_push(struct way *way)
{
	const int yes = 1;

	/* Fails for a Unix socket, which holds nothing back. */
	(void)setsockopt(way->to, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	way->pushes = false;
}

static void way_pass(struct way *way)
{
	for (int round = 0; round < ROUNDS; round++) {
		const size_t got = way->held == 0 && !way->ended ? way_fill(way) : way->held;

		if (way->held > 0)
			way_drain(way);
		if (way->held > 0 || way->ended || got < MUCH)
			break;
	}
	if (way->pushes)
		way_push(way);
	if (way->ended && way->held == 0 && !way->over) {
		(void)shutdown(way->to, SHUT_WR); /* fails when it is gone: then it knows */
		way->over = true;
	}
}

/* One socket, where one way begins and the other ends. */
static void watch(struct pollfd *pollfd, const struct way *in, const struct way *out)
{
	*pollfd = (struct pollfd){ .fd = in->from };
	if (!in->ended && in->held == 0)
		pollfd->events |= POLLIN;
	if (out->held > 0)
		pollfd->events |= POLLOUT;
	if (pollfd->events == 0 && out->over)
		pollfd->fd = -1;
}

/* Who has hung up and is not read from any more has nothing to say and hears nothing. */
static void notice(const struct pollfd *pollfd, struct way *out)
{
	if ((pollfd->revents & (POLLHUP | POLLERR)) && !(pollfd->events & POLLIN))
		way_break(out);
}

static bool is_ready(const struct way *way, const struct pollfd *from, const struct pollfd *to)
{
	if (way->over)
		return false;
	return way->held > 0 ? to->revents != 0 : from->revents != 0;
}

static void pass(struct begat_session *session, struct way *up, struct way *down)
{
	while (!up->over || !down->over) {
		struct pollfd fds[2];

		watch(&fds[0], up, down);
		watch(&fds[1], down, up);
		if (begat_wait(session, fds, 2) <= 0)
			return; /* time is over */
		notice(&fds[0], down);
		notice(&fds[1], up);
		if (is_ready(up, &fds[0], &fds[1]))
			way_pass(up);
		if (is_ready(down, &fds[1], &fds[0]))
			way_pass(down);
		begat_count(session, up->count, down->count);
	}
}

/* Until no more bytes come to a socket that nobody reads any more: to close it with bytes in it, or
 * under way to it, is a reset, which takes from its other end what it has not got yet (RFC 2525,
 * 2.17). */
static void linger(int fd)
{
	const long long due_ms = now_ms() + LINGER_MOST_MS;
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	static char bytes[65536];

	while (left_ms(due_ms) > 0 && poll(&pollfd, 1, LINGER_MS) > 0) {
		const ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return;
	}
}

int splice_both(struct begat_session *session, int target)
{
	const int client = begat_descriptor(session);
	struct way up, down;

	if (way_open(&up, client, target) < 0)
		return -1;
	if (way_open(&down, target, client) < 0) {
		way_close(&up);
		return -1;
	}
	pass(session, &up, &down);
	if (down.over && !down.closed && up.count > 0)
		linger(target);
	if (up.over && !up.closed && down.count > 0)
		linger(client);
	way_close(&up);
	way_close(&down);
	return 0;
}
