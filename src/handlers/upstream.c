/* SPDX-License-Identifier: ISC */
/*
 * The other side of a redirect: a connection to the first of its targets that answers.
 *
 * Each attempt has a limit of its own, and ends early when the client resets.  A target that is a
 * name is looked up outside of this process; when none of its addresses answers it is looked up
 * anew, because what was known of it may be from before it moved, and the addresses that are new
 * are tried.  Why each target has failed is put into one line, written only when none is left.
 */
#include "config.h"

#include "handlers/upstream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handlers/now.h"
#include "handlers/target.h"

#define ADDRESSES 16  /* of a name */
#define QUEUE_MS  20  /* between two attempts to get into the full queue of a Unix socket */
#define FAILURES  900 /* bytes of the line */

struct search {
	struct begat_session *session;
	long long timeout_ms;
	int client; /* -1: it has closed, which is no reason not to give its words to a target */
	bool gone;  /* it has reset */
	int error;  /* of the last attempt */
	char failures[FAILURES];
};

static socklen_t length_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

/* For the socket, where there is one, with an eye on the client.  1: it is ready; 0: not yet; -1:
 * with errno. */
static int wait_for(struct search *search, int fd, int limit_ms)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLOUT }, { .fd = search->client } };

	if (poll(fds, 2, limit_ms) < 0)
		return errno == EINTR ? 0 : -1;
	if (fds[1].revents & POLLERR) {
		search->gone = true;
		errno = ECONNRESET;
		return -1;
	}
	if (fds[1].revents)
		search->client = -1; /* it would be ready for ever */
	return fds[0].revents != 0;
}

/* connect(2), EINPROGRESS. */
static int await_answer(struct search *search, int fd, long long due_ms)
{
	int error, limit_ms, ready = 0;
	socklen_t length = sizeof(error);

	while (ready == 0 && (limit_ms = left_ms(due_ms)) > 0)
		ready = wait_for(search, fd, limit_ms);
	if (ready == 0)
		errno = ETIMEDOUT;
	if (ready <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return -1;
	errno = error;
	return error ? -1 : 0;
}

/* A Unix socket whose queue is full says EAGAIN, and poll(2) does not know when it is not: unix(7).
 */
static int await_place(struct search *search, long long due_ms)
{
	const int limit_ms = left_ms(due_ms);

	if (limit_ms > 0)
		return wait_for(search, -1, limit_ms < QUEUE_MS ? limit_ms : QUEUE_MS);
	errno = ETIMEDOUT;
	return -1;
}

/* A port of the kernel's choice may be the very one that is asked for, when nobody listens there:
 * then both ends are this one socket, and the client would hear itself. */
static bool is_self(int fd, const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_storage own = { 0 };
	socklen_t size = sizeof(own);

	return address->ss_family != AF_UNIX &&
	       getsockname(fd, (struct sockaddr *)&own, &size) == 0 && size == length &&
	       memcmp(&own, address, length) == 0;
}

/* Where the client came in: it would come in again, and again, until there is no worker left. */
static bool is_entrance(const struct search *search, const struct sockaddr_storage *address,
			socklen_t length)
{
	struct sockaddr_storage entrance = { 0 };

	return begat_local_address(search->session, &entrance) == 0 &&
	       memcmp(&entrance, address, length) == 0;
}

static int start(struct search *search, int fd, const struct sockaddr_storage *address,
		 socklen_t length)
{
	const long long due_ms = now_ms() + search->timeout_ms;

	while (connect(fd, (const struct sockaddr *)address, length) < 0) {
		if (errno == EINPROGRESS || errno == EINTR)
			return await_answer(search, fd, due_ms);
		if (errno != EAGAIN || await_place(search, due_ms) < 0)
			return -1;
	}
	return 0;
}

/* What a client says in pieces is passed on in these pieces, at once; and a target that is switched
 * off is found out some day.  Neither is worth a connection. */
static void set_options(int fd, int family)
{
	const int yes = 1;

	if (family == AF_UNIX)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
}

static int try_address(struct search *search, const struct sockaddr_storage *address,
		       socklen_t length)
{
	int fd, result;

	search->error = EDEADLK;
	if (is_entrance(search, address, length))
		return -1;
	fd = result = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		result = start(search, fd, address, length);
	search->error = errno;
	if (result >= 0 && !is_self(fd, address, length)) {
		set_options(fd, address->ss_family);
		return fd;
	}
	if (result >= 0)
		search->error = ECONNREFUSED;
	if (fd >= 0)
		(void)close(fd); /* nothing was written to it */
	return -1;
}

/* Those that have been tried already, and what is found now. */
struct round {
	struct sockaddr_storage tried[2 * ADDRESSES];
	size_t count;
};

static bool was_tried(const struct round *round, const struct sockaddr_storage *address)
{
	for (size_t i = 0; i < round->count; i++)
		if (memcmp(&round->tried[i], address, length_of(address)) == 0)
			return true;
	return false;
}

static int try_found(struct search *search, struct round *round,
		     const struct sockaddr_storage *found, size_t count)
{
	int fd = -1;

	for (size_t i = 0; i < count && fd < 0 && !search->gone; i++) {
		if (was_tried(round, &found[i]))
			continue;
		round->tried[round->count++] = found[i];
		fd = try_address(search, &found[i], length_of(&found[i]));
	}
	return fd;
}

/* Why a name has no address, is in why; else search->error has it. */
static int try_name(struct search *search, const struct target *target, const char **why)
{
	struct begat_lookup lookup = { .host = target->host,
				       .port = target->port,
				       .limit_ms = search->timeout_ms };
	struct sockaddr_storage found[ADDRESSES];
	struct round round = { .count = 0 };

	for (;;) {
		const size_t count = begat_resolve(search->session, &lookup, found, ADDRESSES, why);
		int fd;

		if (count == 0)
			return -1;
		*why = NULL;
		fd = try_found(search, &round, found, count);
		if (fd >= 0 || search->gone || lookup.fresh)
			return fd;
		lookup.fresh = true;
	}
}

/* connect(2) knows no EDEADLK. */
static const char *explain(int error)
{
	return error == EDEADLK ? "leads back to this service" : strerror(error);
}

static void add_failure(struct search *search, const char *text, const char *why)
{
	const size_t length = strlen(search->failures);

	/* What is too long is cut off. */
	(void)snprintf(search->failures + length, sizeof(search->failures) - length, "%s%s: %s",
		       length ? "; " : "", text, why);
}

/* Those for datagrams are of the service's other listeners. */
static int try_target(struct search *search, const char *text)
{
	const char *why = NULL;
	struct target target;
	int fd;

	if (target_read(text, &target) < 0) {
		add_failure(search, text, "not understood");
		return -1;
	}
	if (target.datagrams)
		return -1;
	fd = target.length ? try_address(search, &target.address, target.length)
			   : try_name(search, &target, &why);
	if (fd < 0)
		add_failure(search, text, why ? why : explain(search->error));
	return fd;
}

int upstream_open(struct begat_session *session, char *const *targets, long long timeout_ms)
{
	struct search search = { .session = session,
				 .timeout_ms = timeout_ms,
				 .client = begat_descriptor(session) };
	int fd = -1;

	for (; *targets && fd < 0 && !search.gone; targets++)
		fd = try_target(&search, *targets);
	if (fd >= 0)
		return fd;
	if (search.gone)
		return UPSTREAM_GONE;
	target_complain(search.failures, NULL);
	return UPSTREAM_NONE;
}
