/* SPDX-License-Identifier: ISC */
/*
 * What a listener's address stands for in the kernel.
 *
 * A socket is bound, with all of its options set before: no client may find it half made.  A FIFO
 * is only made here, so that a path that is something else is a mistake of the start and not of its
 * first reader; nothing of it is open, and its keeper (worker/keeper.c) puts a new file in its
 * place for every reader.  listener.c calls this for each listener that no running daemon has.
 */
#include "config.h"

#include "listen/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fifo.h"
#include "base/mem.h"
#include "base/path.h"
#include "listen/holder.h"
#include "listen/unixpath.h"

#define DATAGRAM_BUFFER                                                                            \
	(1 << 20) /* bytes, of which the kernel counts some for itself: socket(7)                  \
		   */

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

struct option {
	int level, name, value;
};

static int set_options(int fd, const struct option *options, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(options[i].value)) < 0)
			return -1;
	return 0;
}

/* Connections have all but the first from their listener: tcp(7).  Who is cut off is found out
 * within two minutes, even by a program that only waits for its client. */
static int set_stream_options(int fd)
{
	static const struct option options[] = {
		{ SOL_SOCKET, SO_REUSEADDR, 1 }, /* who was served before may still be leaving */
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },  /* s without a byte, */
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15 }, /* s between two probes, */
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },    /* probes without an answer */
	};

	return set_options(fd, options, sizeof(options) / sizeof(*options));
}

/* What comes in one burst, or while a worker is being born or a reload goes on, is to be waiting
 * for it.  An administrator who gives every socket more has said so. */
static void raise_buffer(int fd)
{
	int size = DATAGRAM_BUFFER, had = 0;
	socklen_t length = sizeof(had);

	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &had, &length) == 0 && had / 2 >= size)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size)); /* as much of it as net.core.rmem_max allows */
}

/* No SO_REUSEADDR: for datagrams it would let anybody of the same user bind the same port, who then
 * gets what was sent to us.  Path MTU discovery stays as the administrator has it.  A
 * socket for both families tells IPv4's addresses in IPv6's words too, as mapped ones, but only
 * IPv4's own say whether a packet was sent to more than one host. */
static int set_datagram_options(int fd, int family)
{
	static const struct option options[] = {
		{ IPPROTO_IP, IP_PKTINFO, 1 },
		{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1 },
	};

	raise_buffer(fd);
	return set_options(fd, options, family == AF_INET ? 1 : 2);
}

static int prepare(int fd, const struct address *address)
{
	const struct option v6only = { IPPROTO_IPV6, IPV6_V6ONLY, !address->dual };
	int result;

	if (address->sa.sa_family == AF_UNIX)
		return 0;
	if (address->type == SOCK_DGRAM)
		result = set_datagram_options(fd, address->sa.sa_family);
	else
		result = set_stream_options(fd);
	if (result == 0 && address->sa.sa_family == AF_INET6)
		result = set_options(fd, &v6only, 1);
	return result;
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

static int open_bound(struct listener *listener, struct address *address, char error[static 256])
{
	int bound;

	listener->fd = open_socket(address, listener->type);
	if (listener->fd < 0 || prepare(listener->fd, address) < 0)
		return explain(address, error);
	if (is_path(address))
		bound = bind_path(listener, address, error);
	else
		bound = bind_address(listener, address, error);
	if (bound < 0 || listener->type == SOCK_DGRAM ||
	    listen(listener->fd, listener->backlog) == 0)
		return bound;
	return explain(address, error); /* busy even here: two sockets with SO_REUSEADDR */
}

static int find(int directory_fd, const char *name, struct stat *status)
{
	return fstatat(directory_fd, name, status, AT_SYMLINK_NOFOLLOW);
}

/* What was not there before, and is ours, was made here: even where that has failed half-way. */
static int make_fifo(struct listener *listener, int directory_fd, const char *name)
{
	const struct fifo_owner owner = { listener->uid, listener->gid, listener->mode };
	struct stat status;
	const bool is_new = find(directory_fd, name, &status) < 0 && errno == ENOENT;
	const int result = fifo_make(directory_fd, name, &owner), reason = errno;

	if (is_new && find(directory_fd, name, &status) == 0 && fifo_is_ours(&status, &owner)) {
		listener->made_device = status.st_dev;
		listener->made_inode = status.st_ino;
	}
	errno = reason;
	return result;
}

/* Keeps errno. */
static int explain_fifo(int directory_fd, const char *name, char error[static 256])
{
	struct stat status;
	int reason = errno;

	if (reason == ELOOP)
		snprintf(error, 256,
			 "a symbolic link that is not root's is on the way; write the path that "
			 "it leads to");
	else if (reason != EEXIST)
		snprintf(error, 256, "the FIFO cannot be made: %m");
	else if (find(directory_fd, name, &status) == 0 && S_ISFIFO(status.st_mode))
		snprintf(error, 256,
			 "there is a FIFO of somebody else's, or one with a second name; remove "
			 "it or choose another path");
	else
		snprintf(error, 256,
			 "there is a file that is not a FIFO; remove it or choose another path");
	errno = reason;
	return -1;
}

static int open_fifo(struct listener *listener, char error[static 256])
{
	const char *name;
	int result, reason, directory_fd = path_open_directory(listener->path, &name);

	if (directory_fd < 0)
		return explain_fifo(directory_fd, name, error);
	result = make_fifo(listener, directory_fd, name);
	if (result < 0)
		result = explain_fifo(directory_fd, name, error);
	reason = errno;
	(void)close(directory_fd); /* O_PATH: nothing to lose */
	errno = reason;
	return result;
}

int endpoint_open(struct listener *listener, struct address *address, char error[static 256])
{
	if (address->type == 0)
		return open_fifo(listener, error);
	return open_bound(listener, address, error);
}

/* Failing already, and what stays is stale at worst. */
void endpoint_close(const struct listener *listener)
{
	if (listener->path && listener->type == 0)
		(void)path_remove(listener->path, listener->made_device, listener->made_inode);
	else if (listener->path)
		(void)path_remove(listener->path, listener->device, listener->inode);
	if (listener->fd >= 0)
		(void)close(listener->fd); /* a listening socket has nothing to flush */
}
