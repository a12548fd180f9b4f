/* SPDX-License-Identifier: ISC */
/*
 * The listening sockets.
 *
 * Opened once by begatd, before the privileges of later processes matter, and never closed and
 * bound again: an inherited descriptor is what makes a reload lossless, whatever else about its
 * service changes.  A socket that cannot be opened ends the start, or the preflight of a reload,
 * with a message that names the address and who has it.
 */
#include "config.h"

#include "listen/listener.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/inet.h"
#include "base/mem.h"
#include "base/memfd.h"
#include "listen/endpoint.h"
#include "listen/held.h"
#include "report/log.h"

#define CONTROL_SCHEME	"unixseq:" /* what a listener of its kind is known by */
#define CONTROL_BACKLOG 64

/* With its address as configured, which is also what it is until it is bound. */
static void add(struct listener_set *set, const struct listener *wanted, const char *asked)
{
	struct listener *listener;

	set->all = xreallocarray(set->all, set->count + 1, sizeof(*set->all));
	listener = &set->all[set->count++];
	*listener = *wanted;
	listener->fd = listener->sources_fd = -1;
	listener->asked = xstrdup(asked);
	listener->address = xstrdup(asked);
	if (wanted->type == 0)
		listener->path = xstrdup(wanted->wanted->un.sun_path);
}

static uint16_t datagram_port(const struct address *address)
{
	return address->type == SOCK_DGRAM ? (uint16_t)inet_port(&address->sa) : 0;
}

/* What the kernel chose is known by now. */
static void name_address(struct listener *listener, const struct address *address)
{
	char text[ADDRESS_TEXT];

	if (listener->service == LISTENER_CONTROL)
		return;
	address_format(address, text, sizeof(text));
	free(listener->address);
	listener->address = xstrdup(text);
	listener->port = datagram_port(address);
}

static void fail(struct listener_set *set, size_t index, enum exit_code code, const char *why)
	__attribute__((noreturn));
static void fail(struct listener_set *set, size_t index, enum exit_code code, const char *why)
{
	char asked[ADDRESS_TEXT];
	const char *owner = set->all[index].owner;

	strlcpy(asked, set->all[index].asked, sizeof(asked));
	listeners_close(set);
	if (owner)
		fatal(code, "service %s: %s: %s", owner, asked, why);
	fatal(code, "control: %s: %s; another path, or \"none\", can be set",
	      asked + strlen(CONTROL_SCHEME), why);
}

static void open_or_die(struct listener_set *set, size_t index)
{
	struct listener *listener = &set->all[index];
	struct address address = *listener->wanted;
	char error[256];
	bool denied;

	if (endpoint_open(listener, &address, error) < 0) {
		denied = errno == EACCES || errno == EPERM;
		fail(set, index, denied ? EXIT_PRIVILEGE : EXIT_GENERIC, error);
	}
	name_address(listener, &address);
}

static void open_sources_or_die(struct listener_set *set, size_t index)
{
	struct listener *listener = &set->all[index];
	char why[128];

	listener->sources_fd = memfd_open("begat sources");
	if (listener->sources_fd >= 0)
		return;
	snprintf(why, sizeof(why), "no memory for its clients' sources: %m");
	fail(set, index, EXIT_GENERIC, why);
}

static void add_listen(const struct service *service, const struct service_listen *listen,
		       const struct listener *common, struct listener_set *set)
{
	const struct address *address = &listen->address;
	struct listener wanted = *common;
	char text[ADDRESS_TEXT];

	wanted.wanted = address;
	wanted.type = address->type;
	wanted.port = datagram_port(address);
	wanted.internet = address->sa.sa_family != AF_UNIX;
	wanted.backlog = address->type == SOCK_STREAM ? service->backlog : 0;
	wanted.standing = service_listen_stands(service, listen);
	wanted.admits = wanted.standing && service->handler;
	address_format(address, text, sizeof(text));
	add(set, &wanted, text);
}

static void add_service(const struct service *service, size_t place, struct listener_set *set)
{
	const struct listener common = {
		.service = place,
		.owner = service->name,
		.uid = service->socket_uid,
		.gid = service->socket_gid,
		.mode = service->socket_mode,
	};

	for (size_t i = 0; i < service->nlisten; i++)
		add_listen(service, &service->listen[i], &common, set);
}

static void add_control(const struct config *config, struct listener_set *set)
{
	const struct listener wanted = {
		.type = SOCK_SEQPACKET,
		.service = LISTENER_CONTROL,
		.wanted = &config->control_address,
		.backlog = CONTROL_BACKLOG,
		.uid = (uid_t)-1,
		.gid = config->control_gid,
		.mode = config->control_gid == (gid_t)-1 ? 0600 : 0660,
	};
	char *asked = xasprintf(CONTROL_SCHEME "%s", config->control);

	add(set, &wanted, asked);
	free(asked);
}

static void add_all(const struct config *config, struct listener_set *set)
{
	for (size_t i = 0; i < config->nservices; i++)
		if (!config->services[i]->disable)
			add_service(config->services[i], i, set);
	if (config->control)
		add_control(config, set);
}

void listeners_plan(const struct config *config, struct listener_set *held,
		    struct listener_set *set)
{
	*set = (struct listener_set){ NULL, 0 };
	add_all(config, set);
	if (held)
		held_keep(held, set);
}

void listeners_open(struct listener_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!set->all[i].kept)
			open_or_die(set, i);
		if (set->all[i].admits && !set->all[i].sources_kept)
			open_sources_or_die(set, i);
	}
}

static void close_one(const struct listener *listener)
{
	if (!listener->kept)
		endpoint_close(listener);
	if (listener->sources_fd >= 0 && !listener->sources_kept)
		(void)close(listener->sources_fd); /* nobody has written to it */
}

void listeners_close(struct listener_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		close_one(&set->all[i]);
		free(set->all[i].asked);
		free(set->all[i].address);
		free(set->all[i].path);
	}
	free(set->all);
	*set = (struct listener_set){ NULL, 0 };
}
