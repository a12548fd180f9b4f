/* SPDX-License-Identifier: ISC */
/*
 * Questions, as they come to the resolver.
 *
 * Workers that talk to clients send them, and one of those may have been taken over.  So a packet
 * is whole, with every field within its bounds and exactly one descriptor, or it is dropped with
 * all that came with it.  Nothing here blocks, whatever that descriptor is.
 */
#include "config.h"

#include "start/question.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/inet.h"

#define FDS 8 /* that there is room for, so that they can be closed; the kernel closes any more */

struct arrival {
	int fds[FDS];
	size_t nfds;
};

/* A socket of TCP with SO_LINGER would have us wait for its client: socket(7). */
void question_drop(int fd)
{
	const struct linger none = { 0, 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)); /* other files: no need */
	(void)close(fd); /* whatever was sent is there */
}

static void drop_all(const struct arrival *arrival)
{
	for (size_t i = 0; i < arrival->nfds; i++)
		question_drop(arrival->fds[i]);
}

static void take_fds(struct msghdr *message, struct arrival *arrival)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t size;

	arrival->nfds = 0;
	for (; header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		size = header->cmsg_len - CMSG_LEN(0);
		memcpy(arrival->fds + arrival->nfds, CMSG_DATA(header), size);
		arrival->nfds += size / sizeof(int);
	}
}

/* A name that ends where it says, of the length that a name can have. */
static bool has_name(const struct resolve_question *question)
{
	return strnlen(question->name, sizeof(question->name)) < RESOLVE_NAME &&
	       resolve_is_plain(question->name);
}

static bool is_sound(const struct resolve_question *question)
{
	if (question->limit_ms == 0 || question->limit_ms > RESOLVE_LIMIT_MS ||
	    question->fresh > 1 || question->datagrams > 1)
		return false;
	if (question->kind == RESOLVE_HOST)
		return question->port != 0 && has_name(question);
	return question->kind == RESOLVE_PEER &&
	       (question->address.ss_family == AF_INET || question->address.ss_family == AF_INET6);
}

static void copy_host(const struct resolve_question *said, struct resolve_question *question)
{
	question->port = said->port;
	question->datagrams = said->datagrams;
	for (size_t i = 0; said->name[i]; i++)
		question->name[i] = (char)tolower((unsigned char)said->name[i]);
}

/* The address alone: its port is another one each time. */
static void copy_peer(const struct resolve_question *said, struct resolve_question *question)
{
	struct sockaddr_storage address = said->address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address;
	struct sockaddr_in *out = (struct sockaddr_in *)&question->address;
	struct sockaddr_in6 *out6 = (struct sockaddr_in6 *)&question->address;

	inet_unmap(&address);
	question->address.ss_family = address.ss_family;
	if (address.ss_family == AF_INET) {
		out->sin_addr = in->sin_addr;
	} else {
		out6->sin6_addr = in6->sin6_addr;
		out6->sin6_scope_id = in6->sin6_scope_id;
	}
}

static void normalize(const struct resolve_question *said, struct resolve_question *question)
{
	memset(question, 0, sizeof(*question));
	question->kind = said->kind;
	question->fresh = said->fresh;
	question->limit_ms = said->limit_ms;
	if (said->kind == RESOLVE_HOST)
		copy_host(said, question);
	else
		copy_peer(said, question);
}

/* What a read of nothing cannot say: whether that was a packet of no bytes. */
static bool is_over(int socket)
{
	struct pollfd state = { .fd = socket, .events = POLLRDHUP };

	return poll(&state, 1, 0) > 0 && (state.revents & (POLLHUP | POLLRDHUP));
}

int question_receive(int socket, struct resolve_question *question, int *answer_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(FDS * sizeof(int))];
	} ancillary;
	struct resolve_question said;
	struct iovec part = { &said, sizeof(said) };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = &ancillary,
				  .msg_controllen = sizeof(ancillary) };
	struct arrival arrival;
	ssize_t length;

	do
		length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return -1;
	take_fds(&message, &arrival);
	if (length == sizeof(said) && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	    arrival.nfds == 1 && is_sound(&said)) {
		normalize(&said, question);
		*answer_fd = arrival.fds[0];
		return 1;
	}
	drop_all(&arrival);
	if (length == 0 && arrival.nfds == 0 && is_over(socket))
		return 0;
	errno = EBADMSG;
	return -1;
}

bool question_is_same(const struct resolve_question *a, const struct resolve_question *b)
{
	return a->kind == b->kind && a->port == b->port && a->datagrams == b->datagrams &&
	       memcmp(a->name, b->name, sizeof(a->name)) == 0 &&
	       memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}
