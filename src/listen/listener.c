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
#include <netinet/tcp.h>
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

#define CONTROL_SCHEME	"unixseq:" /* what a listener of its kind is known by */
#define CONTROL_BACKLOG 64

/* "tcp:PORT" without IPv6 in the kernel. */
static void make_ipv4(struct address *address)
{
	in_port_t port = address->in6.sin6_port;

	address->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port };
	address->length = sizeof(address->in);
}

static int open_socket(struct address *address, int type)
{
	int fd;

	type |= SOCK_NONBLOCK | SOCK_CLOEXEC;
	fd = socket(address->sa.sa_family, type, 0);

	if (fd < 0 && errno == EAFNOSUPPORT && address->dual) {
		make_ipv4(address);
		fd = socket(AF_INET, type, 0);
	}
	return fd_park(fd);
}

/* Connections have them from their listener: tcp(7).  Who is cut off is found out within two
 * minutes, even by a program that only waits for its client. */
static int set_keepalive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },  /* s without a byte, */
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15 }, /* s between two probes, */
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },    /* probes without an answer */
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(options[i].value)) < 0)
			return -1;
	return 0;
}

static int set_options(int fd, const struct address *address)
{
	int on = 1, v6only = !address->dual;

	if (address->sa.sa_family == AF_UNIX)
		return 0;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || set_keepalive(fd) < 0)
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
		     char error[static 256])
{
	struct unixpath_owner owner = { listener->uid, listener->gid, listener->mode };
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

static int open_listener(struct listener *listener, struct address *address, char error[static 256])
{
	int bound;

	listener->fd = open_socket(address, listener->type);
	if (listener->fd < 0 || set_options(listener->fd, address) < 0)
		return explain(address, error);
	if (is_path(address))
		bound = bind_path(listener, address, error);
	else
		bound = bind_address(listener, address, error);
	if (bound < 0 || listen(listener->fd, listener->backlog) == 0)
		return bound;
	return explain(address, error); /* busy even here: two sockets with SO_REUSEADDR */
}

/* With its address as configured, which is also what it is until it is bound. */
static void add(struct listener_set *set, const struct listener *wanted, const char *asked)
{
	struct listener *listener;

	set->all = xreallocarray(set->all, set->count + 1, sizeof(*set->all));
	listener = &set->all[set->count++];
	*listener = *wanted;
	listener->fd = -1;
	listener->asked = xstrdup(asked);
	listener->address = xstrdup(asked);
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

	if (open_listener(listener, &address, error) < 0) {
		denied = errno == EACCES || errno == EPERM;
		fail(set, index, denied ? EXIT_PRIVILEGE : EXIT_GENERIC, error);
	}
	name_address(listener, &address);
}

static void add_service(const struct service *service, size_t place, struct listener_set *set)
{
	struct listener wanted = {
		.type = SOCK_STREAM,
		.service = place,
		.owner = service->name,
		.backlog = service->backlog,
		.uid = service->socket_uid,
		.gid = service->socket_gid,
		.mode = service->socket_mode,
	};
	char text[ADDRESS_TEXT];

	for (size_t i = 0; i < service->nlisten; i++) {
		wanted.wanted = &service->listen[i].address;
		wanted.internet = wanted.wanted->sa.sa_family != AF_UNIX;
		address_format(wanted.wanted, text, sizeof(text));
		add(set, &wanted, text);
	}
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
	for (size_t i = 0; i < set->count; i++)
		if (!set->all[i].kept)
			open_or_die(set, i);
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
