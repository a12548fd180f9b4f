/* SPDX-License-Identifier: ISC */
/*
 * The two ends of a session, for handlers that need more than bytes: their addresses, how much has
 * gone by between them, and the time while nothing does.
 *
 * Behind a proxy the addresses are those that it has told.  The counts go to memory that the master
 * sees, so that they are known even of a worker that was killed.  Runs in a worker; called through
 * <begat/handler.h>.
 */
#include "config.h"

#include "worker/session.h"

#include <errno.h>
#include <poll.h>

#include "base/inet.h"
#include "worker/worker.h"

int begat_peer_address(const struct begat_session *session, struct sockaddr_storage *address)
{
	const struct worker_task *task = session->set.task;

	if (task == NULL || task->connection.peer.ss_family == AF_UNSPEC) {
		errno = ENOTSOCK;
		return -1;
	}
	*address = task->connection.peer;
	return 0;
}

int begat_local_address(const struct begat_session *session, struct sockaddr_storage *address)
{
	const struct worker_task *task = session->set.task;
	socklen_t length = sizeof(*address);

	if (task && task->connection.local.ss_family != AF_UNSPEC) {
		*address = task->connection.local;
		return 0;
	}
	if (getsockname(session->set.fd, (struct sockaddr *)address, &length) < 0)
		return -1;
	inet_unmap(address);
	return 0;
}

void begat_count(struct begat_session *session, unsigned long long from_client,
		 unsigned long long to_client)
{
	const struct worker_task *task = session->set.task;

	if (task == NULL || task->report == NULL)
		return;
	__atomic_store_n(&task->report->from_client, from_client, __ATOMIC_RELAXED);
	__atomic_store_n(&task->report->to_client, to_client, __ATOMIC_RELAXED);
}

/* No deadline is needed: there are no signal handlers that could interrupt it again and again. */
int begat_wait(struct begat_session *session, struct pollfd *fds, size_t count)
{
	const int64_t idle_ms = session->set.idle_ms;
	int ready;

	do
		ready = poll(fds, (nfds_t)count, idle_ms > 0 ? (int)idle_ms : -1);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		session->timed_out = SESSION_IDLE;
	return ready;
}
