/* SPDX-License-Identifier: ISC */
/*
 * The environment of a program.
 *
 * A white list: what begatd put into the plan, and the names under which UCSPI, systemd and CGI
 * programs look for the two ends of the connection.  Everything here is an address, a port or a
 * number that the kernel told us; no byte that a client sent ever gets in.
 */
#include "config.h"

#include "worker/environ.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#include "base/inet.h"
#include "base/raw.h"

static void add(struct environ_block *block, const char *name, const char *value)
{
	size_t need = strlen(name) + strlen(value) + 2;
	char *at = block->text + block->used;

	if (block->used + need > sizeof(block->text))
		return;
	strlcpy(at, name, need);
	strlcat(at, "=", need);
	strlcat(at, value, need);
	block->used += need;
	block->vector[block->count++] = at;
	block->vector[block->count] = NULL;
}

static void add_number(struct environ_block *block, const char *name, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	add(block, name, text);
}

/* Where the client is connected to: what a proxy says, or else this socket's own end. */
static bool find_local(const struct connection *connection, struct sockaddr_storage *local)
{
	socklen_t length = sizeof(*local);

	*local = connection->local;
	if (local->ss_family != AF_UNSPEC)
		return true;
	if (RAW(SYS_getsockname, 0, local, &length) < 0)
		return false; /* the client has reset; the program will see that soon enough */
	inet_unmap(local);
	return true;
}

static void add_local(struct environ_block *block, const struct connection *connection)
{
	struct sockaddr_storage local;
	char host[INET_TEXT];

	if (!find_local(connection, &local))
		return;
	inet_format_host((struct sockaddr *)&local, host, sizeof(host));
	add(block, "TCPLOCALIP", host);
	add(block, "SERVER_NAME", host);
	add_number(block, "TCPLOCALPORT", inet_port((struct sockaddr *)&local));
	add_number(block, "SERVER_PORT", inet_port((struct sockaddr *)&local));
}

static void add_internet(struct environ_block *block, const struct connection *connection)
{
	const struct sockaddr *peer = (const struct sockaddr *)&connection->peer;
	char host[INET_TEXT];

	add(block, "PROTO", "TCP");
	inet_format_host(peer, host, sizeof(host));
	add(block, "TCPREMOTEIP", host);
	add(block, "REMOTE_ADDR", host);
	add(block, "REMOTE_HOST", host); /* xinetd and CGI: the address where no name is known */
	add_number(block, "TCPREMOTEPORT", inet_port(peer));
	add_number(block, "REMOTE_PORT", inet_port(peer));
	add_local(block, connection);
}

static void add_proxy(struct environ_block *block, const struct sockaddr *proxy)
{
	char host[INET_TEXT];

	inet_format_host(proxy, host, sizeof(host));
	add(block, "PROXY_ADDR", host[0] ? host : "unix");
	if (host[0])
		add_number(block, "PROXY_PORT", inet_port(proxy));
}

static void add_unix(struct environ_block *block, const struct worker_task *task)
{
	const struct ucred *peer = &task->connection.credentials;
	const char *address = plan_text(task->plan, task->listener->address);

	add(block, "PROTO", "IPC");
	add(block, "IPCLOCALPATH", strchr(address, ':') + 1);
	if (peer->uid == (uid_t)-1)
		return;
	add_number(block, "IPCREMOTEEUID", (unsigned)peer->uid);
	add_number(block, "IPCREMOTEEGID", (unsigned)peer->gid);
}

/* A listener, whose clients nobody knows yet; or a FIFO's reader. */
static void add_listener(struct environ_block *block, const struct plan_listener *listener)
{
	if (listener->kind == PLAN_DATAGRAM)
		add(block, "PROTO", "UDP");
	else if (listener->kind == PLAN_STREAM)
		add(block, "PROTO", listener->internet ? "TCP" : "IPC");
}

void environ_build(const struct worker_task *task, struct environ_block *block)
{
	block->count = plan_vector(task->plan, task->service->env, block->vector);
	block->used = 0;
	if (task->connection.peer.ss_family == AF_UNSPEC)
		add_listener(block, task->listener);
	else if (task->connection.peer.ss_family == AF_UNIX)
		add_unix(block, task);
	else
		add_internet(block, &task->connection);
	if (task->connection.proxy.ss_family != AF_UNSPEC)
		add_proxy(block, (const struct sockaddr *)&task->connection.proxy);
}
