/* SPDX-License-Identifier: ISC */
/*
 * The services that a client may choose from, and how it gets there.
 *
 * The worker's half of what the handler tcpmux does; master/mux.c is the other.  The worker has no
 * right to anything of those services: it knows their names from the plan, asks the master whether
 * its client may come in to one of them, and says when the client has been told.  What comes of
 * that is decided and done there.
 *
 * Why somebody may not come in is told in two sentences.  Who is denied hears the same as one who
 * asks for a service that is not there, so that names cannot be guessed by asking.
 *
 * In tests a session has no task: then there are no such services.
 */
#include "config.h"

#include "worker/offer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "plan/plan.h"
#include "report/refusal.h"
#include "worker/session.h"
#include "worker/worker.h"

#define NOT_AVAILABLE "Service not available"
#define LATER	      "Try again later"

static uint64_t admitted_to; /* the service's id: this process has one client */

static const struct plan_service *find(const struct begat_session *session, size_t index)
{
	const struct worker_task *task = session->set.task;

	for (size_t i = 0; task && i < task->plan->nservices; i++) {
		const struct plan_service *service = plan_service(task->plan, i);

		if (service->multiplexed && index-- == 0)
			return service;
	}
	return NULL;
}

const char *begat_multiplexed(const struct begat_session *session, size_t index)
{
	const struct plan_service *service = find(session, index);

	return service ? plan_text(session->set.task->plan, service->name) : NULL;
}

static bool say(int talk_fd, enum offer_kind kind, uint64_t service)
{
	const struct offer offer = { .service = service, .kind = kind };
	ssize_t sent;

	do
		sent = send(talk_fd, &offer, sizeof(offer), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == sizeof(offer);
}

/* For which it may take as long as a reload does. */
static enum refusal hear(int talk_fd)
{
	struct offer_answer answer;
	ssize_t length;

	do
		length = recv(talk_fd, &answer, sizeof(answer), MSG_TRUNC);
	while (length < 0 && errno == EINTR);
	return length == sizeof(answer) && answer.refusal < REFUSALS ? (enum refusal)answer.refusal
								     : REFUSAL_SHORTAGE;
}

static const char *explain(enum refusal refusal)
{
	switch (refusal) {
	case REFUSAL_NONE:
		return NULL;
	case REFUSAL_PROXY:
	case REFUSAL_HEADER:
	case REFUSAL_ACCESS:
	case REFUSAL_TIME:
	case REFUSAL_BANNED:
		return NOT_AVAILABLE;
	default:
		return LATER;
	}
}

const char *begat_offer(struct begat_session *session, size_t index)
{
	const struct plan_service *service = find(session, index);
	int talk_fd;

	if (service == NULL)
		return NOT_AVAILABLE;
	talk_fd = worker_fd(session->set.task, WORKER_FD_TALK);
	if (!say(talk_fd, OFFER_ASK, service->id))
		return LATER;
	admitted_to = service->id;
	return explain(hear(talk_fd));
}

/* A client that is gone is not worth a worker. */
int begat_hand_over(struct begat_session *session)
{
	const struct worker_task *task = session->set.task;

	if (task == NULL)
		return EXIT_FAILURE;
	if (begat_flush(session) < 0)
		return EXIT_SUCCESS;
	return say(worker_fd(task, WORKER_FD_TALK), OFFER_HAND, admitted_to) ? EXIT_SUCCESS
									     : EXIT_FAILURE;
}
