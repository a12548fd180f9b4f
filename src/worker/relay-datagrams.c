/* SPDX-License-Identifier: ISC */
/*
 * Datagrams, redirected: a standing worker whose answers are given by somebody else.
 *
 * Each peer has a socket of its own, connected to a target, so that the kernel knows whose answer
 * it is, and tells when nobody is there: then the peer's next target has its turn.  Peers are
 * admitted datagram by datagram like all others.  What comes back goes to the peer from the address
 * that it had asked, and only for idle-timeout after its last question, however much the target has
 * to say: who forges a sender gets no more than that out of it.  The table is bounded; a new peer
 * takes the place of the one that has asked nothing for longest.
 *
 * Never waits for a peer or a target, but for the names of targets (relay-targets.c).  What cannot
 * be sent at once is dropped, as the network would do it.
 */
#include "config.h"

#include "worker/standing.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inet.h"
#include "worker/datagram.h"
#include "worker/relay-targets.h"

#define PEERS	   256
#define IDLE_MS	   60000 /* where there is no idle-timeout */
#define AVOID_MS   5000	 /* for so long new peers begin behind an address that has failed */
#define FINISH_MS  1000	 /* after a question, for its answer, when we shall end */
#define DATAGRAM   65536 /* bytes: more than any has */
#define FROM_PEERS 64	 /* datagrams of all peers in one turn */
#define FROM_ONE   16	 /* datagrams of one peer's target */

struct peer {
	int fd;			     /* connected to a target; -1: it has none */
	unsigned address;	     /* which it is connected to */
	struct sockaddr_storage own; /* of fd, unmapped */
	unsigned failed;	     /* addresses in a row that have not answered */
	int64_t heard_ns;	     /* its last question; 0: the place is free */
	bool waits;		     /* nothing has been answered since */
	struct sockaddr_in6 name;    /* as the kernel has it, and so is the rest */
	socklen_t name_length;
	size_t control_length;
	/* Says which of our addresses it has asked. */
	_Alignas(struct cmsghdr) char control[sizeof(union datagram_control)];
};

static struct {
	struct standing *standing;
	struct relay_targets targets;
	unsigned first;		/* the address that new peers begin with ... */
	int64_t first_until_ns; /* ... up to then: those before it have just failed */
	struct peer peers[PEERS];
	unsigned used; /* places that have ever been taken */
	struct pollfd fds[STANDING_FDS + PEERS];
	char bytes[DATAGRAM];
} relay;

/* Peers */

static int64_t idle_ns(void)
{
	const int64_t idle_ms = relay.standing->service->idle_ms;

	return (idle_ms > 0 ? idle_ms : IDLE_MS) * NS_IN_MS;
}

static void peer_hang_up(struct peer *peer)
{
	if (peer->fd >= 0)
		(void)close(peer->fd); /* datagrams: nothing is left to be sent */
	peer->fd = -1;
}

static void peer_free(struct peer *peer)
{
	peer_hang_up(peer);
	peer->heard_ns = 0;
}

/* The one that has asked nothing for longest; a free place is older than any. */
static struct peer *oldest_peer(void)
{
	struct peer *oldest = &relay.peers[0];

	for (unsigned i = 0; i < PEERS; i++)
		if (relay.peers[i].heard_ns < oldest->heard_ns)
			oldest = &relay.peers[i];
	return oldest;
}

static bool is_from(const struct msghdr *message, const struct peer *peer)
{
	return peer->heard_ns && message->msg_namelen == peer->name_length &&
	       message->msg_controllen == peer->control_length &&
	       memcmp(message->msg_name, &peer->name, peer->name_length) == 0 &&
	       memcmp(message->msg_control, peer->control, peer->control_length) == 0;
}

static struct peer *find_peer(const struct msghdr *message)
{
	for (unsigned i = 0; i < relay.used; i++)
		if (is_from(message, &relay.peers[i]))
			return &relay.peers[i];
	return NULL;
}

static struct peer *add_peer(const struct msghdr *message)
{
	struct peer *peer = oldest_peer();
	const unsigned place = (unsigned)(peer - relay.peers);

	peer_free(peer);
	*peer = (struct peer){ .fd = -1,
			       .address = clock_now_ns() < relay.first_until_ns ? relay.first : 0,
			       .name_length = message->msg_namelen,
			       .control_length = message->msg_controllen };
	memcpy(&peer->name, message->msg_name, message->msg_namelen);
	memcpy(peer->control, message->msg_control, message->msg_controllen);
	if (relay.used <= place)
		relay.used = place + 1;
	return peer;
}

/* How long until the next one's time is over, in ms; -1: there is nobody. */
static int expire_peers(void)
{
	const int64_t now_ns = clock_now_ns(), since_ns = now_ns - idle_ns();
	int64_t first_ns = INT64_MAX;

	for (unsigned i = 0; i < relay.used; i++) {
		struct peer *peer = &relay.peers[i];

		if (peer->heard_ns && peer->heard_ns <= since_ns)
			peer_free(peer);
		if (peer->heard_ns && peer->heard_ns < first_ns)
			first_ns = peer->heard_ns;
	}
	return first_ns == INT64_MAX ? -1 : clock_left_ms(first_ns + idle_ns());
}

/* To the targets */

static int open_socket(int family)
{
	return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Where descriptors are short, another peer's is given up; not that of one who asks just now. */
static int open_in_turn(const struct peer *peer, int family)
{
	int fd = open_socket(family);
	struct peer *oldest = NULL;

	if (fd >= 0 || (errno != EMFILE && errno != ENFILE))
		return fd;
	for (unsigned i = 0; i < relay.used; i++)
		if (&relay.peers[i] != peer && relay.peers[i].fd >= 0 &&
		    (oldest == NULL || relay.peers[i].heard_ns < oldest->heard_ns))
			oldest = &relay.peers[i];
	if (oldest == NULL)
		return -1;
	peer_free(oldest);
	return open_socket(family);
}

static int peer_connect(struct peer *peer)
{
	const struct sockaddr_storage *address =
		&relay.targets.addresses[peer->address % relay.targets.count];
	socklen_t length = sizeof(peer->own);

	peer->fd = open_in_turn(peer, address->ss_family);
	if (peer->fd < 0)
		return -1;
	memset(&peer->own, 0, sizeof(peer->own));
	if (connect(peer->fd, (const struct sockaddr *)address, inet_length(address)) == 0 &&
	    getsockname(peer->fd, (struct sockaddr *)&peer->own, &length) == 0) {
		inet_unmap(&peer->own);
		return 0;
	}
	peer_hang_up(peer);
	return -1;
}

/* Where a target, or what its name leads to now, is this very listener, a datagram would go round
 * for ever. */
static bool is_own(const struct sockaddr_storage *address)
{
	for (unsigned i = 0; i < relay.used; i++)
		if (relay.peers[i].fd >= 0 &&
		    memcmp(&relay.peers[i].own, address, inet_length(address)) == 0)
			return true;
	return false;
}

/* Not of the datagram, nor of ourselves: icmp(7), connect(2) without a way, and firewalls (EPERM of
 * our own; EACCES for ICMPv6's "prohibited"). */
static bool is_dead(int error)
{
	return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
	       error == EHOSTDOWN || error == ENETDOWN || error == ETIMEDOUT ||
	       error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EACCES ||
	       error == EPERM || error == ENONET || error == EINVAL;
}

/* The next one is connected to when there is something to be sent. */
static void turn_to_next(struct peer *peer, int error)
{
	peer_hang_up(peer);
	relay.first = ++peer->address;
	relay.first_until_ns = clock_now_ns() + AVOID_MS * NS_IN_MS;
	if (++peer->failed < relay.targets.count)
		return;
	peer->failed = 0;
	relay_targets_doubt(&relay.targets, error);
}

/* Tries each address once, and the first one twice, since an error that is waiting there may be
 * that of the last datagram. */
static int forward(struct peer *peer, size_t length)
{
	for (unsigned tries = 0; relay.targets.count > 0 && tries <= relay.targets.count; tries++) {
		if ((peer->fd >= 0 || peer_connect(peer) == 0) &&
		    send(peer->fd, relay.bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (!is_dead(errno))
			break;
		turn_to_next(peer, errno);
	}
	return -1;
}

static void count_bytes(size_t from_client, size_t to_client)
{
	struct worker_report *report = relay.standing->task->report;

	/* Nobody else writes it; the master reads it any time. */
	__atomic_store_n(&report->from_client, report->from_client + from_client, __ATOMIC_RELAXED);
	__atomic_store_n(&report->to_client, report->to_client + to_client, __ATOMIC_RELAXED);
}

static void take_question(const struct msghdr *message, const struct connection *connection,
			  size_t length)
{
	struct peer *peer = find_peer(message);

	if (peer == NULL && is_own(&connection->peer)) {
		standing_refuse(relay.standing, connection, REFUSAL_PORT);
		return;
	}
	if (peer == NULL)
		peer = add_peer(message);
	peer->heard_ns = clock_now_ns();
	if (relay.targets.count == 0)
		relay_targets_renew(&relay.targets);
	if (forward(peer, length) < 0) {
		standing_refuse(relay.standing, connection, REFUSAL_UNSENT);
		return;
	}
	peer->waits = true;
	standing_serves(relay.standing);
	count_bytes(length, 0);
}

static bool is_admitted(const struct connection *connection)
{
	const enum refusal refusal = datagram_check(relay.standing->task->plan, connection);

	if (refusal == REFUSAL_NONE)
		return standing_admits(relay.standing, connection);
	standing_refuse(relay.standing, connection, refusal);
	return false;
}

/* What has been received is said to be nothing but an address, so it can be compared as bytes. */
static ssize_t receive(struct msghdr *message)
{
	const ssize_t got = recvmsg(0, message, MSG_DONTWAIT);

	if (got >= 0)
		datagram_forget_interface(message);
	return got;
}

static void hear_peers(void)
{
	struct connection connection = { .fd = -1 };
	struct iovec piece = { relay.bytes, sizeof(relay.bytes) };

	for (int i = 0; i < FROM_PEERS; i++) {
		union datagram_control control = { .bytes = { 0 } };
		struct sockaddr_in6 name = { 0 };
		struct msghdr message = { .msg_name = &name,
					  .msg_namelen = sizeof(name),
					  .msg_iov = &piece,
					  .msg_iovlen = 1,
					  .msg_control = &control,
					  .msg_controllen = sizeof(control) };
		const ssize_t got = receive(&message);

		if (got < 0)
			return; /* nothing more, or an error of somebody who is no longer asked */
		standing_hears(relay.standing);
		datagram_read(&message, &connection);
		if (is_admitted(&connection))
			take_question(&message, &connection, (size_t)got);
	}
}

/* From the targets */

static void send_answer(struct peer *peer, size_t length)
{
	struct connection connection = { .fd = -1 };
	struct iovec piece = { relay.bytes, length };
	struct msghdr message = { .msg_name = &peer->name,
				  .msg_namelen = peer->name_length,
				  .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = peer->control_length ? peer->control : NULL,
				  .msg_controllen = peer->control_length };

	if (sendmsg(0, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		count_bytes(0, length);
		return;
	}
	datagram_read(&message, &connection);
	standing_refuse(relay.standing, &connection, REFUSAL_UNSENT);
}

static void hear_target(struct peer *peer)
{
	for (int i = 0; i < FROM_ONE && peer->fd >= 0; i++) {
		const ssize_t got = recv(peer->fd, relay.bytes, sizeof(relay.bytes), MSG_DONTWAIT);

		if (got < 0 && is_dead(errno))
			turn_to_next(peer, errno);
		if (got < 0)
			return;
		peer->failed = 0;
		peer->waits = false;
		send_answer(peer, (size_t)got);
	}
}

/* All together */

static void watch(void)
{
	standing_watch(relay.standing, relay.fds);
	for (unsigned i = 0; i < relay.used; i++)
		relay.fds[STANDING_FDS + i] =
			(struct pollfd){ .fd = relay.peers[i].fd, .events = POLLIN };
}

/* How long until nobody waits for an answer any more, in ms. */
static int answers_left_ms(void)
{
	int most_ms = 0;

	for (unsigned i = 0; i < relay.used; i++) {
		const struct peer *peer = &relay.peers[i];
		const int left_ms = clock_left_ms(peer->heard_ns + FINISH_MS * NS_IN_MS);

		if (peer->heard_ns && peer->waits && left_ms > most_ms)
			most_ms = left_ms;
	}
	return most_ms;
}

/* Who has asked just before a reload is not to lose its answer.  New questions are for the next
 * worker. */
static void finish(void)
{
	int left_ms;

	while ((left_ms = answers_left_ms()) > 0) {
		watch();
		if (poll(relay.fds + STANDING_FDS, relay.used, left_ms) <= 0)
			continue;
		for (unsigned i = 0; i < relay.used; i++)
			if (relay.fds[STANDING_FDS + i].revents)
				hear_target(&relay.peers[i]);
	}
}

/* Answers first: the places of those who wait for them may be taken by new peers. */
static void pass(unsigned watched)
{
	for (unsigned i = 0; i < watched; i++)
		if (relay.fds[STANDING_FDS + i].revents)
			hear_target(&relay.peers[i]);
	if (relay.fds[0].revents)
		hear_peers();
}

/* As long as somebody waits for answers this one stays: another would ask from other ports. */
static int wait_ms(void)
{
	const int peers_ms = expire_peers();
	int turn_ms;

	if (peers_ms >= 0)
		standing_hears(relay.standing);
	turn_ms = standing_turn(relay.standing);
	return peers_ms >= 0 && peers_ms < turn_ms ? peers_ms : turn_ms;
}

void standing_relay_datagrams(struct standing *standing, struct begat_session *session)
{
	int limit_ms;

	relay.standing = standing;
	for (unsigned i = 0; i < PEERS; i++)
		relay.peers[i].fd = -1;
	relay_targets_init(&relay.targets, session);
	while ((limit_ms = wait_ms()) >= 0) {
		const unsigned watched = relay.used;

		watch();
		if (poll(relay.fds, STANDING_FDS + watched, limit_ms) > 0)
			pass(watched);
	}
	finish();
}
