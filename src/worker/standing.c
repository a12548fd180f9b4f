/* SPDX-License-Identifier: ISC */
/*
 * A standing worker: one process for all clients of a listener, for what is over at once.
 *
 * It has the listener's socket, and is in the same cage as a worker for one client would be.  The
 * questions that a client is asked are the same ones, asked here, against a table of sources that
 * belongs to this listener alone: the master reads nothing of it, so whoever breaks in here can
 * spoil nobody else's.  What happens is told to the master in notes.  It ends when nobody has come
 * for a while, when the master wants it, and with the master.
 *
 * This file has what all such loops do; the loops are standing-streams.c, standing-datagrams.c and
 * relay-datagrams.c.
 */
#include "config.h"

#include "worker/standing.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "admit/source.h"
#include "base/clock.h"
#include "handlers/handler.h"

#define NOTE_MS 1000 /* between two notes, at least */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct admission ask(struct standing *standing, const struct connection *connection)
{
	return (struct admission){
		.plan = standing->task->plan,
		.service = standing->service,
		.connection = connection,
		.quota = &standing->quota,
		.all = &standing->all,
		.now_ns = clock_now_ns(),
		.is_datagram = standing->task->listener->kind == PLAN_DATAGRAM,
	};
}

static void name_peer(const struct connection *connection, struct sockaddr_in6 *peer)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&connection->peer;

	*peer = (struct sockaddr_in6){ .sin6_family = connection->peer.ss_family };
	switch (connection->peer.ss_family) {
	case AF_INET6:
		memcpy(peer, &connection->peer, sizeof(*peer));
		break;
	case AF_INET:
		peer->sin6_port = in->sin_port;
		memcpy(&peer->sin6_addr.s6_addr[12], &in->sin_addr, 4);
		break;
	case AF_UNIX:
		peer->sin6_scope_id = connection->credentials.uid;
		break;
	}
}

/* Of several the one that was banned is named, or else the first. */
static void count_refusal(struct standing *standing, const struct connection *connection,
			  enum refusal refusal, bool banned)
{
	struct note_refused *refused = &standing->note.refused[refusal];

	if (refused->count++ == 0 || banned)
		name_peer(connection, &refused->peer);
	refused->banned |= banned;
	standing->news = true;
}

void standing_refuse(struct standing *standing, const struct connection *connection,
		     enum refusal refusal)
{
	const struct admission admission = ask(standing, connection);
	bool banned;

	sources_begin();
	banned = admit_refuse(&admission, refusal);
	sources_end();
	count_refusal(standing, connection, refusal, banned);
}

bool standing_admits(struct standing *standing, const struct connection *connection)
{
	const struct admission admission = ask(standing, connection);
	const enum refusal refusal = admit_check(&admission);

	if (refusal != REFUSAL_NONE) {
		standing_refuse(standing, connection, refusal);
		return false;
	}
	sources_begin();
	admit_pass(&admission);
	*sources_rate_ns() = standing->quota.rate_ns;
	sources_end();
	return true;
}

void standing_serves(struct standing *standing)
{
	standing->note.served++;
	standing->news = true;
}

/* Its files may have been replaced, and so be out of this cage's reach, but not of the next one's.
 */
void standing_says(struct standing *standing, bool says)
{
	const int64_t least_ns = standing->begun_ns + STANDING_LEAST_MS * NS_IN_MS;
	int64_t now_ns;

	if (says) {
		standing->has_answered = true;
	} else if (standing->has_answered && standing->ends_ns) {
		now_ns = clock_now_ns();
		standing->ends_ns = least(standing->ends_ns, now_ns < least_ns ? least_ns : now_ns);
	}
}

/* A note that the master has no room for goes with the next one. */
static void send_note(struct standing *standing, int64_t now_ns)
{
	if (send(standing->talk_fd, &standing->note, sizeof(standing->note),
		 MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(standing->note)) {
		memset(&standing->note, 0, sizeof(standing->note));
		standing->news = false;
	}
	standing->noted_ns = now_ns;
}

int standing_turn(struct standing *standing)
{
	const int64_t now_ns = clock_now_ns();
	const int64_t idle_ns = standing->heard_ns + standing->idle_ms * NS_IN_MS;
	const int64_t ends_ns = standing->ends_ns ? least(idle_ns, standing->ends_ns) : idle_ns;
	const int64_t due_ns = standing->noted_ns + NOTE_MS * NS_IN_MS;

	if (standing->watched && standing->watched[1].revents)
		standing->finishing = true; /* it says so, or is gone */
	if (standing->finishing || now_ns >= ends_ns) {
		if (standing->news)
			send_note(standing, now_ns);
		return -1;
	}
	if (standing->news && now_ns >= due_ns)
		send_note(standing, now_ns);
	return clock_left_ms(standing->news ? least(ends_ns, due_ns) : ends_ns);
}

void standing_watch(struct standing *standing, struct pollfd *fds)
{
	fds[0] = (struct pollfd){ .fd = 0, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = standing->talk_fd, .events = POLLIN };
	standing->watched = fds;
}

void standing_hears(struct standing *standing)
{
	standing->heard_ns = clock_now_ns();
}

static void init(struct standing *standing, const struct worker_task *task)
{
	const struct plan_service *service = task->service;

	*standing = (struct standing){
		.task = task,
		.service = service,
		.rules = admission_of(task->plan, service),
		.quota = { .limit = { .max = UINT_MAX } },
		.all = { .max = UINT_MAX },
		.talk_fd = worker_fd(task, WORKER_FD_TALK),
		.idle_ms = STANDING_IDLE_MS,
		.heard_ns = clock_now_ns(),
	};
	standing->begun_ns = standing->heard_ns;
	if (service->idle_ms > 0)
		standing->idle_ms = least(service->idle_ms, STANDING_IDLE_MS);
	if (standing->idle_ms < STANDING_LEAST_MS)
		standing->idle_ms = STANDING_LEAST_MS;
	if (handler_at((size_t)service->handler)->paths) /* its cage knows them by their inodes */
		standing->ends_ns = standing->heard_ns + STANDING_FILES_MS * NS_IN_MS;
}

void standing_run(const struct worker_task *task, struct begat_session *session)
{
	static struct standing standing; /* a note is too large for a stack that is not touched */

	init(&standing, task);
	if (sources_attach(worker_fd(task, WORKER_FD_SOURCES)) < 0)
		worker_fail(task, WORKER_STEP_SOURCES, -errno);
	standing.quota.rate_ns =
		bucket_clip(*sources_rate_ns(), &standing.rules->rate, clock_now_ns());
	if (task->listener->kind != PLAN_DATAGRAM)
		standing_serve_streams(&standing, session);
	else if (handler_at((size_t)task->service->handler) == &redirect_handler)
		standing_relay_datagrams(&standing, session);
	else
		standing_serve_datagrams(&standing, session);
	worker_exit(EXIT_SUCCESS);
}
