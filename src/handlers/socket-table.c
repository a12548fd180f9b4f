/* SPDX-License-Identifier: ISC */
/*
 * The kernel's table of TCP connections, asked for exactly one: sock_diag(7).
 *
 * /proc/net/tcp has the same in it, but is the whole table, as text, of a machine that may have a
 * million connections.  One request brings one answer here, and before sendto(2) has returned, so
 * that nothing has to be waited for.
 *
 * The kernel finds an IPv6 socket with IPv4-mapped addresses by its IPv4 ones.  Where there is no
 * such connection it may answer with the socket that listens on the port, whose other port is 0;
 * and what no process has (a closed connection in its last states, one that nobody has accepted
 * yet) has no inode, and 0 for its user, which is not to be taken for root.  Sockets that are bound
 * to an interface of another routing domain (SO_BINDTODEVICE) are not found.
 */
#include "config.h"

#include "handlers/socket-table.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 what;
};

/* What of an answer is looked at; it may be longer. */
struct answer {
	struct nlmsghdr header;
	union {
		struct inet_diag_msg found;
		int error; /* negative; first in struct nlmsgerr, too */
	};
};

static int put_end(const struct sockaddr_storage *end, __be16 *port, __be32 address[4],
		   struct inet_diag_sockid *id)
{
	const struct sockaddr_in6 *inet6 = (const void *)end;
	const struct sockaddr_in *inet = (const void *)end;

	switch (end->ss_family) {
	case AF_INET:
		*port = inet->sin_port;
		address[0] = inet->sin_addr.s_addr;
		return 0;
	case AF_INET6:
		*port = inet6->sin6_port;
		memcpy(address, &inet6->sin6_addr, sizeof(inet6->sin6_addr));
		if (inet6->sin6_scope_id)
			id->idiag_if = inet6->sin6_scope_id;
		return 0;
	}
	return -1;
}

static int make_request(struct request *request, const struct sockaddr_storage *local,
			const struct sockaddr_storage *foreign)
{
	struct inet_diag_sockid *id = &request->what.id;

	*request = (struct request){
		.header = { .nlmsg_len = sizeof(*request),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST },
		.what = { .sdiag_family = (__u8)local->ss_family, .sdiag_protocol = IPPROTO_TCP },
	};
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (local->ss_family == foreign->ss_family &&
	    put_end(local, &id->idiag_sport, id->idiag_src, id) == 0 &&
	    put_end(foreign, &id->idiag_dport, id->idiag_dst, id) == 0)
		return 0;
	errno = EAFNOSUPPORT;
	return -1;
}

/* The type of the answer, or -1 with errno: what it says, if it is an error. */
static int ask(int fd, const struct request *request, struct answer *answer)
{
	ssize_t length = send(fd, request, sizeof(*request), 0);

	if (length >= 0)
		length = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);
	if (length < 0)
		return -1;
	if ((size_t)length >= sizeof(answer->header) + sizeof(answer->error) &&
	    (answer->header.nlmsg_type == NLMSG_ERROR || answer->header.nlmsg_type == NLMSG_DONE)) {
		errno = -answer->error;
		return answer->error ? -1 : answer->header.nlmsg_type;
	}
	if ((size_t)length >= sizeof(*answer) && answer->header.nlmsg_type == SOCK_DIAG_BY_FAMILY)
		return SOCK_DIAG_BY_FAMILY;
	errno = EPROTO;
	return -1;
}

/* Without its module for TCP the kernel answers as if there were no such connection.  But it cannot
 * list those in no state either, of which there are none to look at. */
static bool is_supported(int fd, struct request *request)
{
	struct answer answer;

	request->header.nlmsg_flags |= NLM_F_DUMP;
	request->what.idiag_states = 0;
	return ask(fd, request, &answer) == NLMSG_DONE;
}

static int find(int fd, struct request *request, uid_t *owner)
{
	struct answer answer;

	if (ask(fd, request, &answer) < 0) {
		if (errno == ENOENT)
			errno = is_supported(fd, request) ? ENOENT : EPROTONOSUPPORT;
		return -1;
	}
	if (answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY || answer.found.idiag_inode == 0 ||
	    answer.found.id.idiag_dport != request->what.id.idiag_dport) {
		errno = ENOENT;
		return -1;
	}
	*owner = answer.found.idiag_uid;
	return 0;
}

int socket_table_find(const struct sockaddr_storage *local, const struct sockaddr_storage *foreign,
		      uid_t *owner)
{
	struct request request;
	int fd, result, error;

	if (make_request(&request, local, foreign) < 0)
		return -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -1;
	result = find(fd, &request, owner);
	error = errno;
	(void)close(fd); /* nothing of it is lost */
	errno = error;
	return result;
}
