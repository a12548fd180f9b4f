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
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "listen/held.h"
#include "listen/holder.h"
#include "listen/unixpath.h"
#include "report/log.h"

/* "tcp:PORT" without IPv6 in the kernel. */
static void make_ipv4(struct address *address)
{
	in_port_t port = address->in6.sin6_port;

	address->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
	address->length = sizeof(address->in);
}

static int open_socket(struct address *address)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(address->sa.sa_family, type, 0);

	if (fd < 0 && errno == EAFNOSUPPORT && address->dual) {
		make_ipv4(address);
		fd = socket(AF_INET, type, 0);
	}
	return fd_park(fd);
}

static int set_options(int fd, const struct address *address)
{
	int on = 1, v6only = !address->dual;

	if (address->sa.sa_family == AF_UNIX)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	if (address->sa.sa_family == AF_INET)
		return 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
}

static bool is_path(const struct address *address)
{
	return address->sa.sa_family == AF_UNIX && address->un.sun_path[0] != '\0';
}

static int bind_path(struct listener *listener, const struct address *address,
		     const struct service *service, char error[static 256])
{
	struct unixpath_owner owner = { service->socket_uid, service->socket_gid,
					service->socket_mode };
	struct stat made;

	if (unixpath_bind(listener->fd, &address->un, &owner, &made, error) < 0)
		return -1;
	listener->path = xstrdup(address->un.sun_path);
	listener->device = made.st_dev;
	listener->inode = made.st_ino;
	return 0;
}

/* Says what errno is, and for a busy address who is in the way; keeps errno. */
static int explain(const struct address *address, char error[static 256])
{
	char holder[HOLDER_TEXT] = "";
	int reason = errno;

	if (reason == EADDRINUSE)
		holder_find(address, holder, sizeof(holder));
	errno = reason;
	snprintf(error, 256, "%m%s", holder);
	return -1;
}

static int bind_address(struct listener *listener, struct address *address, char error[static 256])
{
	socklen_t length = sizeof(address->un);

	if (bind(listener->fd, &address->sa, address->length) < 0)
		return explain(address, error);
	if (address->sa.sa_family != AF_UNIX)
		(void)getsockname(listener->fd, &address->sa,
				  &length); /* for port 0; cannot fail */
	return 0;
}

static int open_listener(struct listener *listener, struct address *address,
			 const struct service *service, char error[static 256])
{
	int bound;

	listener->fd = open_socket(address);
	if (listener->fd < 0 || set_options(listener->fd, address) < 0)
		return explain(address, error);
	if (is_path(address))
		bound = bind_path(listener, address, service, error);
	else
		bound = bind_address(listener, address, error);
	if (bound < 0 || listen(listener->fd, service->backlog) == 0)
		return bound;
	return explain(address, error); /* busy even here: two sockets with SO_REUSEADDR */
}

static void add(struct listener_set *set, size_t service, const struct service *settings,
		const struct address *address, const char *asked)
{
	struct listener *listener;

	set->all = xreallocarray(set->all, set->count + 1, sizeof(*set->all));
	listener = &set->all[set->count++];
	*listener = (struct listener){
		.fd = -1,
		.service = service,
		.owner = settings->name,
		.wanted = address,
		.asked = xstrdup(asked),
		.address = xstrdup(asked), /* until it is bound */
		.internet = address->sa.sa_family != AF_UNIX,
		.backlog = settings->backlog,
		.uid = settings->socket_uid,
		.gid = settings->socket_gid,
		.mode = settings->socket_mode,
	};
}

static void open_or_die(struct listener_set *set, struct listener *listener,
			const struct service *settings)
{
	struct address address = *listener->wanted;
	char error[256], text[ADDRESS_TEXT];
	bool denied;

	if (open_listener(listener, &address, settings, error) < 0) {
		denied = errno == EACCES || errno == EPERM;
		strlcpy(text, listener->asked, sizeof(text));
		listeners_close(set);
		fatal(denied ? EXIT_PRIVILEGE : EXIT_GENERIC, "service %s: %s: %s", settings->name,
		      text, error);
	}
	address_format(&address, text, sizeof(text));
	free(listener->address);
	listener->address = xstrdup(text);
}

static void add_all(const struct config *config, struct listener_set *set)
{
	const struct service *service;
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < config->nservices; i++) {
		service = config->services[i];
		for (size_t j = 0; j < service->nlisten && !service->disable; j++) {
			address_format(&service->listen[j].address, text, sizeof(text));
			add(set, i, service, &service->listen[j].address, text);
		}
	}
}

void listeners_plan(const struct config *config, struct listener_set *held,
		    struct listener_set *set)
{
	*set = (struct listener_set){ NULL, 0 };
	add_all(config, set);
	if (held)
		held_keep(held, set);
}

void listeners_open(const struct config *config, struct listener_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (!set->all[i].kept)
			open_or_die(set, &set->all[i], config->services[set->all[i].service]);
}

static void close_one(const struct listener *listener)
{
	if (listener->kept)
		return;
	if (listener->path)
		(void)path_remove(listener->path, listener->device,
				  listener->inode); /* failing already, and it was stale at worst */
	if (listener->fd >= 0)
		(void)close(listener->fd); /* a listening socket has nothing to flush */
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
