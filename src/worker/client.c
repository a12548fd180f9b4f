/* SPDX-License-Identifier: ISC */
/*
 * Who the client is, where a proxy says so.
 *
 * By the time a header is read the worker has nothing left that would be worth a proxy's tricks: it
 * has its own identity, no other descriptor, and one question to ask.  The answer is the master's.
 * From here on nobody sees the proxy in the place of the client: not the process list, nor the log,
 * nor the program's variables.
 */
#include "config.h"

#include "worker/client.h"

#include <errno.h>
#include <unistd.h>

#include "admit/admit.h"
#include "base/clock.h"
#include "worker/banner.h"
#include "worker/introduction.h"
#include "worker/proxy.h"
#include "worker/session.h"

#define HEADER_MS 5000

static void refuse(const struct worker_task *task, bool may_linger) __attribute__((noreturn));
static void refuse(const struct worker_task *task, bool may_linger)
{
	static struct begat_session session; /* not on the stack, which would be cleared whole */
	const struct session_settings settings = { .fd = 0 };
	const char *text =
		plan_text(task->plan, admission_of(task->plan, task->service)->banner_fail);

	session_init(&session, &settings);
	if (text)
		banner_write(&session, task, text);
	if (text && may_linger)
		(void)begat_finish(&session); /* always 0 */
	worker_exit(0);
}

/* In the task's place from now on. */
static void name_client(struct connection *connection, const struct proxy_header *header)
{
	connection->proxy = connection->peer;
	connection->peer = header->client;
	connection->local = header->destination;
	connection_describe(connection);
}

const struct worker_task *client_meet(const struct worker_task *task)
{
	static struct worker_task met;
	static struct proxy_header header;
	struct introduction introduction = {
		.uid = task->connection.credentials.uid,
		.gid = task->connection.credentials.gid,
	};
	const int talk_fd = worker_fd(task, WORKER_FD_TALK);
	struct introduction_answer answer;

	met = *task;
	introduction.kind = proxy_read(0, clock_now_ns() + HEADER_MS * NS_IN_MS, &header);
	if (introduction.kind == INTRODUCTION_CLIENT)
		name_client(&met.connection, &header);
	if (introduction.kind == INTRODUCTION_CLIENT || introduction.kind == INTRODUCTION_UNKNOWN)
		introduction.client = met.connection.peer;
	answer = proxy_introduce(talk_fd, &introduction);
	(void)close(talk_fd); /* all is said */
	if (answer.refusal == REFUSAL_SHORTAGE)
		worker_fail(&met, WORKER_STEP_CLIENT, -ECONNRESET);
	if (answer.refusal != REFUSAL_NONE)
		refuse(&met, answer.may_linger);
	return &met;
}
