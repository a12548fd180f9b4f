/* SPDX-License-Identifier: ISC */
/*
 * A worker of tcpmux hands its client over.
 *
 * The worker has read the name of a service.  It asks here whether its client may come in there,
 * tells it, and ends; we have kept a copy of the connection, on which that service then gets a
 * worker of its own: as its user, in its cage, with its limits, after the very questions that a
 * client at its own door is asked (CVE-2012-0862, CVE-2013-4342).  From the worker we take a number
 * that stands for a service, and no byte of the client's.
 *
 * What comes is checked like anything from outside.  There is one question and, when it was
 * answered with yes, one hand-over.  That these speak of the same service is not looked at: the
 * questions are asked again then, all of them, so a worker that was broken into gains nothing, and
 * nothing has to be remembered over a reload.
 *
 * The client is who it was at the door.  The kernel is asked for it by SO_PEERNAME, which, other
 * than getpeername(2), says the same as accept4(2) even when the connection has been reset.
 */
#include "config.h"

#include "master/mux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inet.h"
#include "master/arrival.h"
#include "master/cgroup.h"
#include "master/drain.h"
#include "master/gate.h"
#include "master/serving.h"
#include "report/log.h"
#include "worker/offer.h"

#define FDS_EACH 2 /* of a worker: its socket, its client's connection */

static struct {
	const struct plan *plan;
	unsigned open; /* workers that may have something to say */
	struct log_limit unborn_log;
} mux;

void mux_init(const struct plan *plan)
{
	mux.plan = plan;
}

bool mux_is_full(void)
{
	return FDS_EACH * mux.open >= mux.plan->global.headers;
}

/* -- who, and where to -- */

/* The family first: more bytes than the address has is EINVAL. */
static int find_peer(int fd, struct connection *connection)
{
	socklen_t length = sizeof(connection->peer.ss_family);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &connection->peer, &length) < 0)
		return -1;
	switch (connection->peer.ss_family) {
	case AF_UNIX:
		length = sizeof(connection->credentials);
		return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &connection->credentials, &length);
	case AF_INET:
		length = sizeof(struct sockaddr_in);
		break;
	case AF_INET6:
		length = sizeof(struct sockaddr_in6);
		break;
	default:
		errno = EAFNOSUPPORT;
		return -1;
	}
	return getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &connection->peer, &length);
}

/* As connection_accept() has left it. */
static int recall(int fd, struct connection *connection)
{
	memset(connection, 0, sizeof(*connection)); /* AF_UNSPEC is 0 */
	connection->fd = fd;
	connection->credentials = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	if (find_peer(fd, connection) < 0)
		return -1;
	inet_unmap(&connection->peer);
	return 0;
}

/* NULL: it is none that clients are handed over to, or not any more. */
static struct serving *find_target(uint64_t id)
{
	for (size_t i = 0; i < mux.plan->nservices; i++)
		if (plan_service(mux.plan, i)->id == id && plan_service(mux.plan, i)->multiplexed)
			return &servings_all()[i];
	return NULL;
}

/* Where the client came in, or, after a reload, where such clients do.  What it is needed for is
 * how lines end, and the path of a Unix socket.  NULL: there is none like that any more. */
static struct gate *find_gate(const struct child *child, bool internet)
{
	struct gate *gate;

	if (child->gate)
		return child->gate;
	SLIST_FOREACH (gate, &child->serving->gates, of_service)
		if (gate->plan->internet == internet)
			return gate;
	for (uint32_t i = 0; internet && i < mux.plan->nlisteners; i++) {
		gate = gates_find(i);
		if (gate && gate->plan->internet && gate->plan->kind == PLAN_STREAM)
			return gate;
	}
	return NULL;
}

/* -- what is asked, and what is done -- */

/* At its own door a client would wait. */
static bool is_paused(const struct serving *target)
{
	return target->pause.running || drain_has_begun();
}

static enum refusal check(struct serving *target, struct connection *connection)
{
	const struct admission admission = serving_ask(target, connection);
	enum refusal refusal = admit_check(&admission);

	if (refusal == REFUSAL_NONE && is_paused(target))
		refusal = REFUSAL_PAUSED;
	if (refusal != REFUSAL_NONE)
		serving_refused(target, connection, &admission, refusal);
	return refusal;
}

/* What a worker speaks of. */
struct errand {
	struct serving *target;
	struct gate *gate;
	struct connection connection;
};

static enum refusal prepare(const struct child *child, uint64_t service, struct errand *errand)
{
	errand->target = find_target(service);
	if (errand->target == NULL)
		return REFUSAL_ACCESS;
	if (recall(child->offered_fd, &errand->connection) < 0)
		return REFUSAL_SHORTAGE;
	errand->gate = find_gate(child, errand->connection.peer.ss_family != AF_UNIX);
	return errand->gate ? REFUSAL_NONE : REFUSAL_SHORTAGE;
}

static enum refusal judge(const struct child *child, const struct offer *said)
{
	struct errand errand;
	const enum refusal refusal = prepare(child, said->service, &errand);

	return refusal == REFUSAL_NONE ? check(errand.target, &errand.connection) : refusal;
}

static void complain(struct serving *target)
{
	const int error = errno;

	if (cgroup_is_at_fault(mux.plan, target->plan, error)) {
		cgroup_pause(target, error);
		return;
	}
	errno = error;
	log_limited(&mux.unborn_log, LOG_ERR, "%s: cannot start a worker: %m", target->name);
}

/* All is asked again by arrival_receive(), but for what it knows nothing about. */
static void hand_over(struct child *child, const struct offer *said)
{
	struct errand errand;

	if (prepare(child, said->service, &errand) != REFUSAL_NONE ||
	    (is_paused(errand.target) && check(errand.target, &errand.connection) != REFUSAL_NONE))
		return;
	child->offered_fd = -1; /* taken over in any case */
	if (arrival_receive(errand.target, errand.gate, &errand.connection) < 0)
		complain(errand.target);
	gates_settle();
}

/* -- what is heard -- */

static void hear_last(void *context);

/* Each of these says whether there is more to come. */
static bool answer(struct child *child, const struct offer *said)
{
	const struct offer_answer given = { .refusal = judge(child, said) };

	child->talk.ready = hear_last;
	/* A worker that cannot hear it shall not wait for it. */
	return send(child->talk.fd, &given, sizeof(given), MSG_DONTWAIT | MSG_NOSIGNAL) ==
		       sizeof(given) &&
	       given.refusal == REFUSAL_NONE;
}

static bool obey(struct child *child, const struct offer *said)
{
	hand_over(child, said);
	return false;
}

static bool (*const acts[])(struct child *child, const struct offer *said) = {
	[OFFER_ASK] = answer,
	[OFFER_HAND] = obey,
};

static void end(struct child *child)
{
	const bool were_full = mux_is_full();

	if (child->offered_fd >= 0)
		(void)close(child->offered_fd); /* a copy: nothing to lose */
	child->offered_fd = -1;
	if (child->talk.fd < 0)
		return;
	loop_del(&child->talk);
	(void)close(child->talk.fd); /* all is said */
	child->talk.fd = -1;
	mux.open--;
	if (were_full)
		gates_feed();
}

/* expected has a bit for each kind. */
static void hear(struct child *child, unsigned expected)
{
	struct offer said;
	const ssize_t length = recv(child->talk.fd, &said, sizeof(said), MSG_DONTWAIT | MSG_TRUNC);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length != sizeof(said) || said.kind > OFFER_HAND || !(expected & 1U << said.kind))
		end(child);
	else if (!acts[said.kind](child, &said))
		end(child);
}

static void hear_first(void *context)
{
	hear(context, 1U << OFFER_ASK);
}

static void hear_last(void *context)
{
	hear(context, 1U << OFFER_HAND);
}

/* The master before us may have said yes already. */
static void hear_either(void *context)
{
	hear(context, 1U << OFFER_ASK | 1U << OFFER_HAND);
}

/* -- beginning and end -- */

static int begin(struct child *child, int talk_fd, void (*ready)(void *context))
{
	child->talk = (struct watch){ .fd = talk_fd, .ready = ready, .context = child };
	mux.open++;
	return loop_add(&child->talk);
}

int mux_adopt(struct child *child, int talk_fd, int offered_fd)
{
	child->offered_fd = offered_fd;
	return talk_fd < 0 ? 0 : begin(child, talk_fd, hear_either);
}

static int fail(struct child *child)
{
	const int error = errno;

	end(child);
	errno = error;
	return -1;
}

int mux_open(struct child *child, const struct connection *connection, int *worker_fd)
{
	int ours;

	child->offered_fd = fcntl(connection->fd, F_DUPFD_CLOEXEC, FD_PARKED);
	if (child->offered_fd < 0 || fd_pair(&ours, worker_fd) < 0)
		return fail(child);
	if (begin(child, ours, hear_first) == 0)
		return 0;
	fd_close(worker_fd); /* failing already */
	return fail(child);
}

/* Its end may be known to us before what it has said. */
void mux_close(struct child *child)
{
	if (child->role != WORKER_MUX)
		return;
	if (child->talk.fd >= 0)
		child->talk.ready(child);
	end(child);
}
