/* SPDX-License-Identifier: ISC */
/* One datagram: where it came from and went to, and what speaks against an answer. */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include "admit/connection.h"
#include "plan/plan.h"
#include "report/refusal.h"

/* The address that a datagram was sent to, for its answer to come from: ip(7), IP_PKTINFO. */
union datagram_control {
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct cmsghdr align;
};

/* From what recvmsg(2) has put into the message: the peer (unmapped), and as local the address that
 * was asked. */
void datagram_read(const struct msghdr *message, struct connection *connection);

/* The rules of UDP, before any other question: a source that may answer answers, or that is no
 * single host; a destination that more than one host has; loopback, but for what was sent to it. */
enum refusal datagram_check(const struct plan *plan, const struct connection *connection);

/* Makes what was read with a question fit for its answer: it leaves from the address that was
 * asked, by whatever way leads to the peer.  Only a link's own addresses mean nothing without the
 * link. */
void datagram_forget_interface(struct msghdr *message);

/* How long an answer may be, in bytes, to a question of so many: reply-max and reply-factor, where
 * the headers of IPv4 and UDP count on both sides. */
size_t datagram_room(const struct plan_service *service, size_t length);

#endif
