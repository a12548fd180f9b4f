/* SPDX-License-Identifier: ISC */
/*
 * A connection that has just been accepted.
 *
 * It is asked whether it may come in (admit/admit.h); then either its limits are taken, and a
 * worker with a place in the table of children is made for it, or it is counted, logged, told and
 * closed.  A child has its place before it exists.  That it may end at once does no harm: we hear
 * of it in the loop, when all of this is done.
 */
#include "config.h"

#include "master/arrival.h"

#include <errno.h>
#include <unistd.h>

#include "master/birth.h"
#include "master/child.h"
#include "master/farewell.h"
#include "master/introduction.h"
#include "master/mux.h"
#include "report/log.h"

static void refuse(struct serving *serving, struct connection *connection,
		   const struct admission *admission, enum refusal refusal)
{
	serving_refused(serving, connection, admission, refusal);
	farewell(admission->plan, admission->service, connection,
		 refusal != REFUSAL_SHORTAGE); /* when descriptors are short, none is kept */
}

void arrival_turn_away(struct serving *serving, struct connection *connection)
{
	const struct admission admission = serving_ask(serving, connection);

	refuse(serving, connection, &admission, REFUSAL_SHORTAGE);
}

/* The connection is closed by then: its client knows at once. */
static int fail(struct child *child)
{
	const int error = errno;

	child->serving->record->stats.refused[REFUSAL_SHORTAGE]++;
	introduction_close(child);
	mux_close(child);
	child_del(child);
	errno = error;
	return -1;
}

/* A socket to the worker, where there is something to be said about its client. */
static int open_talk(const struct admission *admission, struct child *child, int *talk_fd)
{
	*talk_fd = -1;
	if (child->role == WORKER_MUX)
		return mux_open(child, admission->connection, talk_fd);
	if (admission_wants_header(admission->plan, admission->service))
		return introduction_open(child, talk_fd);
	return 0;
}

/* Whose client is still to be named takes its source later. */
static int receive(const struct admission *admission, const struct gate *gate, struct child *child)
{
	int talk_fd, result;

	if (open_talk(admission, child, &talk_fd) < 0) {
		(void)close(admission->connection->fd); /* failing already */
		return fail(child);
	}
	result = birth_give(admission->plan, child, gate->plan, admission->connection, talk_fd);
	if (talk_fd >= 0)
		(void)close(talk_fd); /* the worker has it */
	if (result < 0)
		return fail(child);
	if (!admission_wants_header(admission->plan, admission->service))
		child->source = admit_take_client(admission);
	serving_take(child->serving, admission);
	return 0;
}

static struct child *add_child(struct serving *serving, struct gate *gate, const char *peer)
{
	struct child *child = child_add(serving, peer);

	if (child == NULL)
		return NULL;
	child->gate = gate;
	if (serving->plan->multiplexes)
		child->role = WORKER_MUX;
	return child;
}

int arrival_receive(struct serving *serving, struct gate *gate, struct connection *connection)
{
	const struct admission admission = serving_ask(serving, connection);
	const enum refusal refusal = admit_check(&admission);
	struct child *child;

	if (refusal != REFUSAL_NONE) {
		refuse(serving, connection, &admission, refusal);
		return 0;
	}
	connection_describe(connection);
	child = add_child(serving, gate, connection->text);
	if (child)
		return receive(&admission, gate, child);
	(void)close(connection->fd); /* the table is as large as the limit: this cannot happen */
	log_line(LOG_CRIT, "%s: the table of children is full", serving->name);
	return 0;
}
