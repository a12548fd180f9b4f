/* SPDX-License-Identifier: ISC */
/*
 * A worker introduces its client.
 *
 * Behind a proxy nobody knows who a client is until the worker has read the PROXY header.  The
 * worker then says who it is, in numbers, and what depends on that is decided here, by the same
 * questions and with the same counters as at the door.  It is not decided in the worker, because
 * then the table of sources would have to be shared with processes of other users: one that is
 * stopped at the wrong moment could hold up the master, and one that was broken into could lift a
 * ban.
 *
 * What comes is checked like anything from outside.
 */
#include "config.h"

#include "master/introduction.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/inet.h"
#include "master/gate.h"
#include "master/serving.h"
#include "report/log.h"
#include "worker/introduction.h"

static struct {
	const struct plan *plan;
	unsigned open;	    /* workers that read a header: each has a descriptor here */
	unsigned lingering; /* workers whose refused client may hear why; they have no instance */
} introductions;

void introductions_init(const struct plan *plan)
{
	introductions.plan = plan;
}

bool introductions_are_full(void)
{
	return introductions.open >= introductions.plan->global.headers;
}

static bool is_client(const struct introduction *said)
{
	switch (said->client.ss_family) {
	case AF_INET:
	case AF_INET6:
		return true;
	case AF_UNIX:
		return said->kind == INTRODUCTION_UNKNOWN; /* it came from the proxy itself */
	default:
		return false;
	}
}

static enum refusal decide(const struct child *child, const struct introduction *said,
			   const struct admission *admission)
{
	switch (said->kind) {
	case INTRODUCTION_LOCAL:
		return REFUSAL_NONE;
	case INTRODUCTION_CLIENT:
	case INTRODUCTION_UNKNOWN:
		break;
	default:
		return REFUSAL_HEADER;
	}
	if (!is_client(said))
		return REFUSAL_HEADER;
	if (child->serving->ghost) /* nobody knows any more whom it would have let in */
		return REFUSAL_ACCESS;
	return admit_check_client(admission);
}

static void give_token(const struct child *child, const struct admission *admission)
{
	admit_give(admission);
	serving_refill(child->serving);
}

static void admit(struct child *child, const struct introduction *said,
		  struct connection *connection, const struct admission *admission)
{
	if (said->kind == INTRODUCTION_LOCAL) {
		child->client_gone = true; /* it only looks whether we live, and does not stay */
		give_token(child, admission);
		return;
	}
	child->source = admit_take_client(admission);
	connection_describe(connection);
	log_line(LOG_INFO, "client of %s[%d] peer=%s proxy=%s", child->serving->name,
		 (int)child->pid, connection->text, child->peer);
	strcpy(child->peer, connection->text); /* both are INET_TEXT */
}

/* So that it is not an instance any more, however long its client takes. */
static void let_linger(struct child *child, const struct admission *admission)
{
	if (admission_of(admission->plan, admission->service)->banner_fail == 0 ||
	    introductions.lingering == INTRODUCTIONS_LINGERING)
		return;
	introductions.lingering++;
	child->lingers = true;
	serving_give(child->serving);
}

/* Nobody's budget is used up by one who is denied. */
static void refuse(struct child *child, const struct introduction *said,
		   struct connection *connection, const struct admission *admission)
{
	if (is_client(said))
		connection_describe(connection);
	else
		strcpy(connection->text, child->peer); /* both are INET_TEXT */
	give_token(child, admission);
	let_linger(child, admission);
	serving_refused(child->serving, connection, admission, child->refused);
	strcpy(child->peer, connection->text); /* likewise */
}

static void judge(struct child *child, const struct introduction *said)
{
	struct connection connection = { .fd = -1, .peer = said->client };
	const struct admission admission = serving_ask(child->serving, &connection);

	inet_unmap(&connection.peer);
	connection.credentials.uid = said->uid;
	connection.credentials.gid = said->gid;
	child->refused = decide(child, said, &admission);
	if (child->refused == REFUSAL_NONE)
		admit(child, said, &connection, &admission);
	else
		refuse(child, said, &connection, &admission);
}

static void hear(void *context)
{
	struct child *child = context;
	struct introduction said;
	struct introduction_answer answer;
	const ssize_t length = recv(child->talk.fd, &said, sizeof(said), MSG_DONTWAIT | MSG_TRUNC);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length == sizeof(said)) {
		judge(child, &said);
		answer.refusal = child->refused;
		answer.may_linger = child->lingers;
		(void)send(child->talk.fd, &answer, sizeof(answer),
			   MSG_DONTWAIT | MSG_NOSIGNAL); /* a worker that is gone needs none */
	}
	introduction_close(child);
}

int introduction_adopt(struct child *child, int fd)
{
	child->talk = (struct watch){ .fd = fd, .ready = hear, .context = child };
	introductions.open++;
	return loop_add(&child->talk);
}

void introduction_adopt_lingering(struct child *child)
{
	child->lingers = true;
	introductions.lingering++;
}

int introduction_open(struct child *child, int *worker_fd)
{
	int ours;

	if (fd_pair(&ours, worker_fd) < 0)
		return -1;
	if (introduction_adopt(child, ours) == 0)
		return 0;
	fd_close(worker_fd); /* failing already */
	return -1;
}

void introduction_close(struct child *child)
{
	const bool were_full = introductions_are_full();

	if (child->role != WORKER_CONNECTION || child->talk.fd < 0)
		return;
	loop_del(&child->talk);
	(void)close(child->talk.fd); /* all is said */
	child->talk.fd = -1;
	introductions.open--;
	if (were_full)
		gates_feed();
}

void introduction_ended(struct child *child)
{
	introduction_close(child);
	if (child->lingers)
		introductions.lingering--;
}
