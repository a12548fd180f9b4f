/* SPDX-License-Identifier: ISC */
/*
 * A line for the client, with fields.
 *
 * What is expanded comes from the kernel, the clock and the configuration, never from the client,
 * but for its name, which the resolver has checked and which is checked here once more.  Both a
 * worker and the master write such lines; the master looks nothing up.
 */
#include "config.h"

#include "worker/banner.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <begat/handler.h>

#include "base/inet.h"
#include "worker/resolve.h"
#include "worker/worker.h"

#define LOOKUP_MS 2000

struct output {
	char *bytes;
	size_t used;
	bool crlf;
};

static void put_byte(struct output *output, char byte)
{
	if (output->used < BANNER_TEXT)
		output->bytes[output->used++] = byte;
}

static void put(struct output *output, char byte)
{
	const char last = output->used ? output->bytes[output->used - 1] : '\0';

	if (byte == '\n' && output->crlf && last != '\r')
		put_byte(output, '\r');
	put_byte(output, byte);
}

static void put_text(struct output *output, const char *text)
{
	for (; *text; text++)
		put(output, *text);
}

static void put_time(struct output *output)
{
	time_t now = time(NULL);
	struct tm local;
	char text[40];

	if (localtime_r(&now, &local) && strftime(text, sizeof(text), "%a %b %e %T %Y", &local))
		put_text(output, text);
}

static void put_host(struct output *output, const struct connection *connection)
{
	char host[INET_TEXT];

	inet_format_host((const struct sockaddr *)&connection->peer, host, sizeof(host));
	put_text(output, host[0] ? host : connection->text);
}

static void put_name(struct output *output, const struct banner *banner)
{
	if (banner->name && *banner->name)
		put_text(output, banner->name);
	else
		put_host(output, banner->connection);
}

static void put_port(struct output *output, const struct connection *connection)
{
	char port[12];

	snprintf(port, sizeof(port), "%u", inet_port((const struct sockaddr *)&connection->peer));
	put_text(output, port);
}

static void put_field(struct output *output, const struct banner *banner, char field)
{
	switch (field) {
	case 'h':
		put_host(output, banner->connection);
		break;
	case 'n':
		put_name(output, banner);
		break;
	case 'p':
		put_port(output, banner->connection);
		break;
	case 's':
		put_text(output, banner->service);
		break;
	case 't':
		put_time(output);
		break;
	default:
		put(output, field);
	}
}

size_t banner_format(const struct banner *banner, char out[static BANNER_TEXT])
{
	struct output output = { .bytes = out, .crlf = banner->crlf };

	for (const char *at = banner->text; *at; at++) {
		if (*at == '%' && at[1])
			put_field(&output, banner, *++at);
		else
			put(&output, *at);
	}
	put(&output, '\n');
	return output.used;
}

static void write_text(struct begat_session *session, const struct worker_task *task,
		       const char *text, const char *name)
{
	static char expanded[BANNER_TEXT];
	const struct banner banner = {
		.text = text,
		.service = plan_text(task->plan, task->service->name),
		.name = name,
		.connection = &task->connection,
		.crlf = task->listener->internet,
	};

	(void)begat_write(session, expanded, banner_format(&banner, expanded));
	(void)begat_flush(session); /* who is gone finds out */
}

void banner_write(struct begat_session *session, const struct worker_task *task, const char *text)
{
	write_text(session, task, text, NULL);
}

static bool has_name_field(const char *text)
{
	for (text = strchr(text, '%'); text && text[1]; text = strchr(text + 2, '%'))
		if (text[1] == 'n')
			return true;
	return false;
}

static bool is_internet(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET || address->ss_family == AF_INET6;
}

/* "" when it has none, or when nobody says. */
static void find_name(const struct worker_task *task, char name[static RESOLVE_NAME])
{
	const struct resolve_question question = {
		.kind = RESOLVE_PEER,
		.limit_ms = LOOKUP_MS,
		.address = task->connection.peer,
	};
	static struct resolve_answer answer;

	name[0] = '\0';
	if (resolve_ask(worker_fd(task, WORKER_FD_RESOLVER), &question, &answer) == 0 &&
	    resolve_is_plain(answer.name))
		strlcpy(name, answer.name, RESOLVE_NAME);
}

void banner_greet(struct begat_session *session, const struct worker_task *task)
{
	const char *text = plan_text(task->plan, task->service->banner);
	char name[RESOLVE_NAME] = "";

	if (has_name_field(text) && is_internet(&task->connection.peer))
		find_name(task, name);
	write_text(session, task, text, name);
}
