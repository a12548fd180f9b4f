/* SPDX-License-Identifier: ISC */
/*
 * Running a program on the connection.
 *
 * The argument list is the administrator's, word for word: there is no shell, and nothing that a
 * client sent is ever among it.  exec_program() may run in memory that is still the master's, so it
 * keeps to its stack.
 */
#include "config.h"

#include "worker/exec.h"

#include <stdio.h>
#include <time.h>

#include "worker/environ.h"
#include "worker/raw.h"
#include "worker/session.h"

long exec_program(const struct worker_task *task)
{
	char *arguments[PLAN_VECTOR_MAX + 1];
	struct environ_block block;

	plan_vector(task->plan, task->service->argv, arguments);
	environ_build(task, &block);
	return RAW(SYS_execve, plan_text(task->plan, task->service->path), arguments, block.vector);
}

static void put_time(struct begat_session *session)
{
	time_t now = time(NULL);
	struct tm local;
	char text[40];

	if (localtime_r(&now, &local) && strftime(text, sizeof(text), "%a %b %e %T %Y", &local))
		(void)begat_print(session, "%s", text); /* the flush tells */
}

static void put_host(struct begat_session *session, const struct connection *connection)
{
	char host[INET_TEXT];

	inet_format_host((const struct sockaddr *)&connection->peer, host, sizeof(host));
	(void)begat_print(session, "%s", host[0] ? host : connection->text); /* the flush tells */
}

static void put_field(struct begat_session *session, const struct worker_task *task, char field)
{
	switch (field) {
	case 'h':
		put_host(session, &task->connection);
		break;
	case 'p':
		(void)begat_print(session, "%u", /* the flush tells */
				  inet_port((const struct sockaddr *)&task->connection.peer));
		break;
	case 's':
		(void)begat_print(session, "%s", begat_service(session)); /* the flush tells */
		break;
	case 't':
		put_time(session);
		break;
	default:
		(void)begat_write(session, &field, 1); /* the flush tells */
	}
}

void exec_banner(const struct worker_task *task)
{
	static struct begat_session session; /* not on the stack, which would be cleared whole */
	const struct session_settings settings = {
		.fd = 0,
		.crlf = task->listener->internet,
		.service = plan_text(task->plan, task->service->name),
		.peer = task->connection.text,
	};
	const char *at = plan_text(task->plan, task->service->banner);

	session_init(&session, &settings);
	for (; *at; at++) {
		if (*at == '%' && at[1])
			put_field(&session, task, *++at);
		else
			(void)begat_write_text(&session, at, 1); /* the flush tells */
	}
	(void)begat_write_text(&session, "\n", 1); /* the flush tells */
	(void)begat_flush(&session); /* a client that is gone: the program will find out */
}
