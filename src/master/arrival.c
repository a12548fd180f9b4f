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

#include "master/child.h"
#include "master/farewell.h"
#include "master/introduction.h"
#include "report/log.h"
#include "worker/spawn.h"

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
	child_del(child);
	errno = error;
	return -1;
}

static int beget(const struct admission *admission, const struct plan_listener *listener,
		 struct child *child, int talk_fd)
{
	struct serving *serving = child->serving;
	const struct plan_cage *cage = plan_cage(admission->plan, serving->plan);
	struct worker_task task = {
		.plan = admission->plan,
		.service = serving->plan,
		.listener = listener,
		.connection = *admission->connection,
		.talk_fd = talk_fd,
		.stderr_fd = -1,
		.ruleset_fd = cage ? cage->ruleset_fd : -1,
		.parent = getpid(),
		.failure = child_failure(child),
	};
	pid_t pid;

	if (serving->plan->stderr_to == PLAN_STDERR_LOG)
		task.stderr_fd = errlog_writer(&serving->errlog, serving->name);
	if (serving->plan->handler < 0) /* handlers take it in their stride */
		child->client_gone = connection_is_reset(admission->connection);
	pid = spawn_worker(&task);
	if (pid < 0)
		return -1;
	log_line(LOG_INFO, "begat %s[%d] peer=%s", serving->name, (int)pid, child->peer);
	child_start(child, pid, serving->plan->max_time_ms);
	return 0;
}

/* Whose client is still to be named takes its source later. */
static int receive(const struct admission *admission, const struct plan_listener *listener,
		   struct child *child)
{
	const bool is_proxied = admission_wants_header(admission->plan, admission->service);
	int talk_fd = -1, result;

	if (is_proxied && introduction_open(child, &talk_fd) < 0) {
		(void)close(admission->connection->fd); /* failing already */
		return fail(child);
	}
	result = beget(admission, listener, child, talk_fd);
	if (talk_fd >= 0)
		(void)close(talk_fd); /* the worker has it */
	if (result < 0)
		return fail(child);
	if (!is_proxied)
		child->source = admit_take_client(admission);
	serving_take(child->serving, admission);
	return 0;
}

int arrival_receive(struct serving *serving, const struct plan_listener *listener,
		    struct connection *connection)
{
	const struct admission admission = serving_ask(serving, connection);
	const enum refusal refusal = admit_check(&admission);
	struct child *child;

	if (refusal != REFUSAL_NONE) {
		refuse(serving, connection, &admission, refusal);
		return 0;
	}
	connection_describe(connection);
	child = child_add(serving, connection->text);
	if (child)
		return receive(&admission, listener, child);
	(void)close(connection->fd); /* the table is as large as the limit: this cannot happen */
	log_line(LOG_CRIT, "%s: the table of children is full", serving->name);
	return 0;
}
