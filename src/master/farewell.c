/* SPDX-License-Identifier: ISC */
/*
 * The last words to clients that are refused.
 *
 * A socket that is closed with unread input sends a reset, and a reset may take away what we have
 * just written.  So our side is shut down, and the connection stays until the client has closed
 * its own, for two seconds at most.  What it sends meanwhile is dropped by the kernel, MSG_TRUNC of
 * tcp(7): no byte of it ever comes into our memory.  A Unix socket cannot do that, and need not:
 * its text is in the client's queue already.
 *
 * The connections are a ring, oldest first.  Nobody can make it longer; who tries shortens the
 * time that the others have.
 */
#include "config.h"

#include "master/farewell.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admit/admit.h"
#include "base/clock.h"
#include "base/fd.h"
#include "master/loop.h"
#include "worker/banner.h"

struct leaving {
	struct watch watch; /* fd -1: this place is free */
	bool is_watched;
	size_t dropped;
	int64_t due_ns;
};

static void end_oldest(void *unused);

static struct {
	struct leaving ring[FAREWELLS];
	unsigned next, oldest; /* of all that there ever were; the ring has what lies between */
	struct timer timer;
} farewells = { .timer = { .fire = end_oldest } };

static struct leaving *place_of(unsigned number)
{
	return &farewells.ring[number % FAREWELLS];
}

static void unwatch(struct leaving *leaving)
{
	if (leaving->is_watched)
		loop_del(&leaving->watch);
	leaving->is_watched = false;
}

static void end(struct leaving *leaving)
{
	if (leaving->watch.fd < 0)
		return;
	unwatch(leaving);
	(void)close(leaving->watch.fd); /* what could be sent is sent */
	leaving->watch.fd = -1;
}

/* All whose time has come; the timer goes on for the next one. */
static void end_oldest(void *unused)
{
	const int64_t now_ns = clock_now_ns();

	(void)unused;
	for (; farewells.oldest != farewells.next; farewells.oldest++) {
		struct leaving *leaving = place_of(farewells.oldest);

		if (leaving->watch.fd >= 0 && leaving->due_ns > now_ns) {
			timer_start_at(&farewells.timer, leaving->due_ns);
			return;
		}
		end(leaving);
	}
}

/* Who sends too much is not closed, since that is the reset: nothing more of it is dropped, and it
 * waits until its time has come. */
static void drop_input(void *context)
{
	struct leaving *leaving = context;
	ssize_t dropped = recv(leaving->watch.fd, NULL, FAREWELL_MAX, MSG_TRUNC | MSG_DONTWAIT);

	if (dropped < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (dropped > 0)
		leaving->dropped += (size_t)dropped;
	if (dropped <= 0)
		end(leaving);
	else if (leaving->dropped > FAREWELL_MAX)
		unwatch(leaving);
}

static void linger(int fd, bool is_unix)
{
	struct leaving *leaving = place_of(farewells.next);

	if (farewells.next - farewells.oldest == FAREWELLS)
		end(place_of(farewells.oldest++));
	farewells.next++;
	*leaving = (struct leaving){
		.watch = { .fd = fd, .ready = drop_input, .context = leaving },
		.due_ns = clock_now_ns() + FAREWELL_MS * NS_IN_MS,
	};
	leaving->is_watched = !is_unix && loop_add(&leaving->watch) == 0;
	if (!farewells.timer.running)
		timer_start_at(&farewells.timer, leaving->due_ns);
}

/* A client that does not even take one line has heard enough. */
static bool say(const struct plan *plan, const struct plan_service *service,
		const struct connection *connection, const char *words)
{
	char text[BANNER_TEXT];
	const struct banner banner = {
		.text = words,
		.service = plan_text(plan, service->name),
		.connection = connection,
		.crlf = connection->peer.ss_family != AF_UNIX,
	};
	const size_t length = banner_format(&banner, text);

	return send(connection->fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length &&
	       shutdown(connection->fd, SHUT_WR) == 0;
}

void farewell(const struct plan *plan, const struct plan_service *service,
	      struct connection *connection, bool may_linger)
{
	const char *words = plan_text(plan, admission_of(plan, service)->banner_fail);
	int fd;

	if (words)
		connection_describe(connection);
	if (words == NULL || !say(plan, service, connection, words) || !may_linger) {
		(void)close(connection->fd); /* nothing was written, or nobody listens */
		return;
	}
	fd = fd_park(connection->fd); /* new connections have the numbers below */
	if (fd >= 0)
		linger(fd, connection->peer.ss_family == AF_UNIX);
}
