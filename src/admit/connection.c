/* SPDX-License-Identifier: ISC */
/*
 * A connection that has been accepted.
 *
 * The peer is who accept4(2) says it is: by the time one asks getpeername(2) the client may have
 * reset, and the answer is ENOTCONN.  Each error of accept(2) is placed: those of the network that
 * are pending on the new socket are that client's and over with it; shortage is ours and passes;
 * what is left is a bug or a broken socket.
 */
#include "config.h"

#include "admit/connection.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static enum connection_result place_error(int error)
{
	switch (error) {
	case EAGAIN:
		return CONNECTION_NONE;
	case EINTR:
	case ECONNABORTED:
	case EPERM: /* a firewall rule forbids this one */
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
		return CONNECTION_AGAIN;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return CONNECTION_SHORT;
	default:
		return CONNECTION_BROKEN;
	}
}

static void identify_unix(struct connection *connection)
{
	socklen_t length = sizeof(connection->credentials);

	(void)getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &connection->credentials,
			 &length); /* else it stays nobody that we know */
}

enum connection_result connection_accept(int listening_fd, struct connection *connection)
{
	socklen_t length = sizeof(connection->peer);

	connection->peer.ss_family = AF_UNSPEC;
	connection->proxy.ss_family = AF_UNSPEC;
	connection->local.ss_family = AF_UNSPEC;
	connection->credentials = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	connection->text[0] = '\0';
	connection->fd =
		accept4(listening_fd, (struct sockaddr *)&connection->peer, &length, SOCK_CLOEXEC);
	if (connection->fd < 0)
		return place_error(errno);
	if (connection->peer.ss_family == AF_UNIX)
		identify_unix(connection);
	else
		inet_unmap(&connection->peer);
	return CONNECTION_OK;
}

void connection_describe(struct connection *connection)
{
	if (connection->peer.ss_family == AF_UNSPEC)
		strcpy(connection->text, "fifo"); /* its readers are nobody that the kernel names */
	else if (connection->peer.ss_family != AF_UNIX)
		inet_format((struct sockaddr *)&connection->peer, connection->text,
			    sizeof(connection->text));
	else if (connection->credentials.uid == (uid_t)-1)
		strcpy(connection->text, "unix");
	else
		snprintf(connection->text, sizeof(connection->text), "unix:uid=%u",
			 (unsigned)connection->credentials.uid);
}

size_t connection_groups(const struct connection *connection, const gid_t **groups, bool *are_all)
{
	static gid_t all[1 + NGROUPS_MAX]; /* too many for a stack */
	socklen_t length = sizeof(all) - sizeof(all[0]);

	all[0] = connection->credentials.gid;
	*are_all = getsockopt(connection->fd, SOL_SOCKET, SO_PEERGROUPS, all + 1, &length) == 0;
	*groups = all;
	return 1 + (*are_all ? length / sizeof(all[0]) : 0);
}

/* Asked by poll(2), which leaves the error to the program: getsockopt(2) would take it away. */
bool connection_is_reset(const struct connection *connection)
{
	struct pollfd pollfd = { .fd = connection->fd };

	return poll(&pollfd, 1, 0) > 0 && (pollfd.revents & POLLERR);
}
