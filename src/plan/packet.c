/* SPDX-License-Identifier: ISC */
/*
 * Packets between a master and its preflight: one byte of kind, text, descriptors (unix(7)).
 *
 * The master takes descriptors from another process here, and whatever that process does, none may
 * stay open that nobody knows of: either a packet is whole and its receiver owns all of them, or
 * every one that has arrived is closed again.
 */
#include "config.h"

#include "plan/packet.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04 /* Linux 6.5 */
#endif

#define DISMISS_MS 250

/* Ancillary data, aligned as its headers want it. */
union ancillary {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(PACKET_FDS * sizeof(int))];
};

_Static_assert(sizeof(union ancillary) == CMSG_LEN(PACKET_FDS * sizeof(int)),
	       "what is more than our table holds does not fit here either");

static void put_fds(struct msghdr *message, union ancillary *ancillary, const int *fds, size_t nfds)
{
	if (nfds == 0)
		return;
	memset(ancillary, 0, sizeof(*ancillary));
	ancillary->header.cmsg_level = SOL_SOCKET;
	ancillary->header.cmsg_type = SCM_RIGHTS;
	ancillary->header.cmsg_len = CMSG_LEN(nfds * sizeof(*fds));
	memcpy(CMSG_DATA(&ancillary->header), fds, nfds * sizeof(*fds));
	message->msg_control = ancillary;
	message->msg_controllen = CMSG_SPACE(nfds * sizeof(*fds));
}

int packet_send(int socket, enum packet_kind kind, const char *text, const int *fds, size_t nfds)
{
	union ancillary ancillary;
	char first = (char)kind;
	struct iovec parts[] = {
		{ &first, 1 },
		{ (char *)(uintptr_t)text, text ? strnlen(text, PACKET_TEXT) : 0 },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	if (nfds > PACKET_FDS) {
		errno = EINVAL;
		return -1;
	}
	put_fds(&message, &ancillary, fds, nfds);
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

/* To the end of ours: all control data together has no more room than there is for them. */
static void take_fds(struct cmsghdr *header, struct packet *packet)
{
	const size_t size = header->cmsg_len - CMSG_LEN(0);

	memcpy(packet->fds + packet->nfds, CMSG_DATA(header), size);
	packet->nfds += size / sizeof(int);
}

static bool has_fds(const struct cmsghdr *header)
{
	return header->cmsg_level == SOL_SOCKET &&
	       (header->cmsg_type == SCM_RIGHTS || header->cmsg_type == SCM_PIDFD);
}

/* All of them are taken, so that they can all be closed, before anything is judged. */
static int take_ancillary(struct msghdr *message, struct packet *packet)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int error = message->msg_flags & MSG_CTRUNC ? EMFILE : 0;

	for (; header; header = CMSG_NXTHDR(message, header)) {
		if (has_fds(header))
			take_fds(header, packet);
		if (error == 0 && header->cmsg_type != SCM_RIGHTS)
			error = EBADMSG;
	}
	errno = error;
	return error ? -1 : 0;
}

static void drop_fds(struct packet *packet)
{
	int error = errno;

	while (packet->nfds)
		(void)close(packet->fds[--packet->nfds]); /* refused, and never written to */
	errno = error;
}

/* ECONNRESET says once, before what is still to be read, that the other side has closed without
 * having read all of ours. */
static ssize_t receive(int socket, struct msghdr *message, int flags)
{
	const struct msghdr whole = *message;
	ssize_t length;
	bool again = true;

	for (;;) {
		*message = whole;
		length = recvmsg(socket, message, flags | MSG_CMSG_CLOEXEC);
		if (length >= 0 || (errno != EINTR && (errno != ECONNRESET || !again)))
			return length;
		again = again && errno == EINTR;
	}
}

int packet_receive(int socket, struct packet *packet, int flags)
{
	union ancillary ancillary;
	struct iovec parts[] = { { &packet->kind, 1 }, { packet->text, PACKET_TEXT } };
	struct msghdr message = { .msg_iov = parts,
				  .msg_iovlen = 2,
				  .msg_control = &ancillary,
				  .msg_controllen = sizeof(ancillary) };
	ssize_t length;

	packet->kind = '\0';
	packet->nfds = 0;
	length = receive(socket, &message, flags);
	if (length < 0)
		return -1;
	packet->text[length ? length - 1 : 0] = '\0';
	if (take_ancillary(&message, packet) < 0) {
		drop_fds(packet);
		return -1;
	}
	if (length == 0)
		drop_fds(packet);
	return length > 0;
}

void packet_dismiss(int socket)
{
	struct pollfd wait = { .fd = socket, .events = POLLIN };

	if (packet_send(socket, PACKET_VOID, "", NULL, 0) == 0)
		(void)poll(&wait, 1, DISMISS_MS); /* its last words, or its end */
}
