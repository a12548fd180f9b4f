/* SPDX-License-Identifier: ISC */
/*
 * How a worker of tcpmux offers its client to the master: it asks and gets an answer, and then
 * hands over.  Packets over a socket pair of their own (SOCK_SEQPACKET).  The master gets numbers,
 * and no byte that the client sent.
 */
#ifndef OFFER_H
#define OFFER_H

#include <stdint.h>

enum offer_kind {
	OFFER_ASK,  /* may it come in to this service?  There is an answer; once */
	OFFER_HAND, /* it has been told; here it is.  There is none; the last word */
};

struct offer {
	uint64_t service; /* plan_service.id: a reload may come in between, and move it elsewhere */
	uint32_t kind;
	uint32_t padding; /* 0 */
};

struct offer_answer {
	uint32_t refusal; /* enum refusal */
};

#endif
