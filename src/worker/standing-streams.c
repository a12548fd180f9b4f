/* SPDX-License-Identifier: ISC */
/*
 * Connections, each answered at once.
 *
 * What a client gets fits into the socket's buffer, so nothing is ever waited for: it is sent, our
 * side is shut down, and the connection is put aside until the client has closed its own, since a
 * close with unread bytes would be a reset that overtakes the answer.  Who lingers is looked at
 * from time to time, and when there are too many, the one that has been there for longest has to
 * go.
 */
#include "config.h"

#include "worker/standing.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "handlers/handler.h"
#include "worker/banner.h"

#define ANSWER_MAX   8192 /* bytes: less than a new socket takes at once, tcp(7) */
#define LINGERING    256
#define LINGER_MS    2000
#define LINGER_BYTES 65536
#define LOOK_MS	     50 /* between two looks at who lingers, where nothing else happens */
#define PARTINGS     4
#define PARTING_MS   5
#define SHORT_MS     100 /* for want of descriptors or memory */

struct guest {
	int fd;
	uint32_t dropped; /* bytes that it has sent, and nobody has wanted */
	int64_t until_ns; /* monotonic */
};

static struct {
	struct guest guests[LINGERING]; /* from the one that has been there for longest */
	unsigned count;
	int64_t look_ns;	 /* when they are looked at next */
	int64_t closed_until_ns; /* nobody is taken until then; 0: now */
	int batch;		 /* that one turn takes: asking in vain has its price, too */
} streams = { .batch = 1 };

/* -- who lingers -- */

/* Whether it has closed, or has had its time. */
static bool is_over(struct guest *guest, int64_t now_ns)
{
	char bytes[4096];
	ssize_t got;

	while ((got = recv(guest->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		guest->dropped += (uint32_t)got;
		if (guest->dropped > LINGER_BYTES)
			return true;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return now_ns >= guest->until_ns;
	return true; /* it has closed, or reset */
}

static void look_around(void)
{
	const int64_t now_ns = clock_now_ns();
	unsigned left = 0;

	for (unsigned i = 0; i < streams.count; i++) {
		if (is_over(&streams.guests[i], now_ns))
			(void)close(streams.guests[i].fd); /* all was sent */
		else
			streams.guests[left++] = streams.guests[i];
	}
	streams.count = left;
	streams.look_ns = now_ns + LOOK_MS * NS_IN_MS;
}

static void drop_oldest(void)
{
	(void)close(streams.guests[0].fd); /* its answer was sent; it may get a reset after that */
	memmove(streams.guests, streams.guests + 1, --streams.count * sizeof(*streams.guests));
}

static void let_linger(int fd)
{
	if (streams.count == LINGERING)
		look_around();
	if (streams.count == LINGERING)
		drop_oldest();
	streams.guests[streams.count++] = (struct guest){
		.fd = fd,
		.until_ns = clock_now_ns() + LINGER_MS * NS_IN_MS,
	};
}

/* The last bytes leave with the FIN, in one segment.  Who has gone already is over. */
static void send_last(int fd, const void *bytes, size_t length)
{
	const ssize_t sent =
		length ? send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE) : 0;

	if (sent == (ssize_t)length && shutdown(fd, SHUT_WR) == 0)
		let_linger(fd);
	else
		(void)close(fd); /* nobody is there */
}

/* -- who comes -- */

/* Once, since the next client's answer is no shorter. */
static void complain_cut(void)
{
	static bool told;

	if (!told)
		dprintf(STDERR_FILENO, "an answer over %d bytes was cut: leave out wait = true\n",
			ANSWER_MAX);
	told = true;
}

static void answer(struct standing *standing, struct begat_session *session, int fd)
{
	const struct begat_handler *handler = handler_at((size_t)standing->service->handler);
	size_t length = 0;
	const void *bytes = NULL;
	bool says;

	session_begin_answer(session, ANSWER_MAX);
	says = handler->answer(session, "", 0);
	standing_says(standing, says);
	if (says)
		bytes = session_answer(session, &length);
	if (!session_answer_is_whole(session))
		complain_cut();
	send_last(fd, bytes, length);
	standing_serves(standing);
}

static void turn_away(const struct standing *standing, const struct connection *connection)
{
	const struct worker_task *task = standing->task;
	const char *text = plan_text(task->plan, standing->rules->banner_fail);
	static char expanded[BANNER_TEXT];
	const struct banner banner = {
		.text = text,
		.service = plan_text(task->plan, standing->service->name),
		.connection = connection,
		.crlf = task->listener->internet,
	};

	if (text)
		send_last(connection->fd, expanded, banner_format(&banner, expanded));
	else
		(void)close(connection->fd); /* nothing was said */
}

/* False when there is nobody more for now. */
static bool pass_one(struct standing *standing, struct begat_session *session)
{
	struct connection connection;

	switch (connection_accept(0, &connection)) {
	case CONNECTION_OK:
		if (standing_admits(standing, &connection))
			answer(standing, session, connection.fd);
		else
			turn_away(standing, &connection);
		return true;
	case CONNECTION_AGAIN:
		return true;
	case CONNECTION_NONE:
		return false;
	case CONNECTION_SHORT:
		streams.closed_until_ns = clock_now_ns() + SHORT_MS * NS_IN_MS;
		return false;
	case CONNECTION_BROKEN:
		worker_fail(standing->task, WORKER_STEP_SOURCES, -errno);
	}
	return false;
}

/* -- the loop -- */

/* Where clients wait for a token, nobody asks for it before it is there. */
static bool must_wait(const struct standing *standing, int64_t *until_ns)
{
	const int64_t now_ns = clock_now_ns();

	*until_ns = streams.closed_until_ns;
	if (now_ns < *until_ns)
		return true;
	if (standing->rules->refuse_when_full ||
	    bucket_has(standing->quota.rate_ns, &standing->rules->rate, now_ns))
		return false;
	*until_ns = bucket_due_ns(standing->quota.rate_ns, &standing->rules->rate, now_ns);
	return true;
}

static void pass(struct standing *standing, struct begat_session *session)
{
	int64_t ignored;
	int passed = 0;

	while (passed < streams.batch && !must_wait(standing, &ignored) &&
	       pass_one(standing, session))
		passed++;
	if (passed == streams.batch)
		streams.batch = passed < STANDING_BATCH ? 2 * passed : passed;
	else
		streams.batch = passed ? passed : 1;
	if (passed)
		standing_hears(standing);
}

static int shorter(int ms, int64_t other_ms)
{
	return ms < other_ms ? ms : (int)other_ms;
}

/* Nobody's answer shall be overtaken by a reset, where that takes no longer than this. */
static void part(void)
{
	for (int i = 0; i < PARTINGS && streams.count; i++) {
		(void)poll(NULL, 0, PARTING_MS);
		look_around();
	}
}

void standing_serve_streams(struct standing *standing, struct begat_session *session)
{
	struct pollfd fds[STANDING_FDS];
	int64_t until_ns;
	int wait_ms;

	while ((wait_ms = standing_turn(standing)) >= 0) {
		standing_watch(standing, fds);
		if (must_wait(standing, &until_ns)) {
			fds[0].fd = -1;
			wait_ms = shorter(wait_ms, clock_left_ms(until_ns));
		}
		if (streams.count)
			wait_ms = shorter(wait_ms, LOOK_MS);
		if (poll(fds, STANDING_FDS, wait_ms) > 0 && fds[0].revents)
			pass(standing, session);
		if (streams.count && clock_now_ns() >= streams.look_ns)
			look_around();
	}
	part();
}
