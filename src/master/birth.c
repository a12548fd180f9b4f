/* SPDX-License-Identifier: ISC */
/*
 * The birth of a worker: what it is born with, and the line of the log.
 *
 * Called for a connection, for a listener that is handed over, and for the keeper of a FIFO.  Takes
 * no limits: that is up to whoever calls.
 */
#include "config.h"

#include "master/birth.h"

#include <unistd.h>

#include "master/resolver.h"
#include "master/serving.h"
#include "report/log.h"
#include "worker/spawn.h"

/* A handler that stands may do so for ever: it ends by itself when nobody comes. */
static int64_t time_of(const struct child *child)
{
	const struct plan_service *service = child->serving->plan;

	if (child->role == WORKER_KEEPER)
		return 0;
	return child->role == WORKER_STANDING && service->handler >= 0 ? 0 : service->max_time_ms;
}

static void give_descriptors(const struct plan *plan, const struct child *child,
			     const struct plan_listener *listener, int fds[WORKER_FDS])
{
	const struct plan_service *service = child->serving->plan;
	const struct plan_cage *cage = plan_cage(plan, service);
	const bool is_handler = service->handler >= 0;

	for (int i = 0; i < WORKER_FDS; i++)
		fds[i] = -1;
	if (child->role == WORKER_KEEPER)
		return;
	fds[WORKER_FD_RULESET] = cage ? cage->ruleset_fd : -1;
	fds[WORKER_FD_RESOLVER] = service->asks_names ? resolver_fd() : -1;
	if (child->role == WORKER_STANDING && is_handler)
		fds[WORKER_FD_SOURCES] = listener->sources_fd;
}

int birth_give(const struct plan *plan, struct child *child, const struct plan_listener *listener,
	       const struct connection *connection, int talk_fd)
{
	struct serving *serving = child->serving;
	struct worker_task task = {
		.plan = plan,
		.service = serving->plan,
		.listener = listener,
		.connection = *connection,
		.role = child->role,
		.stderr_fd = -1,
		.parent = getpid(),
		.report = child_report(child),
	};
	pid_t pid;

	give_descriptors(plan, child, listener, task.fds);
	task.fds[WORKER_FD_TALK] = talk_fd;
	if (serving->plan->stderr_to == PLAN_STDERR_LOG)
		task.stderr_fd = errlog_writer(&serving->errlog, serving->name);
	if (serving->plan->handler < 0 && child->role == WORKER_CONNECTION)
		child->client_gone = connection_is_reset(connection); /* handlers do not mind */
	pid = spawn_worker(&task);
	if (pid < 0)
		return -1;
	log_line(LOG_INFO, "begat %s[%d] peer=%s", serving->name, (int)pid, child->peer);
	child_start(child, pid, time_of(child));
	return 0;
}
