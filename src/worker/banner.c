/* SPDX-License-Identifier: ISC */
/*
 * A line for the client, with fields.
 *
 * What is expanded comes from the kernel, the clock and the configuration, never from the client.
 * Both a worker and the master write such lines.
 */
#include "config.h"

#include "worker/banner.h"

#include <stdio.h>
#include <time.h>

#include <begat/handler.h>

#include "base/inet.h"
#include "worker/worker.h"

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

void banner_write(struct begat_session *session, const struct worker_task *task, const char *text)
{
	static char expanded[BANNER_TEXT];
	const struct banner banner = {
		.text = text,
		.service = plan_text(task->plan, task->service->name),
		.connection = &task->connection,
		.crlf = task->listener->internet,
	};

	(void)begat_write(session, expanded, banner_format(&banner, expanded));
	(void)begat_flush(session); /* who is gone finds out */
}
