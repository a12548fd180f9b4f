/* SPDX-License-Identifier: ISC */
/*
 * How a worker that has read a PROXY header introduces its client to the master, and hears whether
 * it may come in.  One packet each way over a socket pair of their own (SOCK_SEQPACKET).  The
 * master decides, because limits and bans are in its memory alone; it gets numbers, and no byte
 * that the client or the proxy sent.
 */
#ifndef INTRODUCTION_H
#define INTRODUCTION_H

#include <stdint.h>
#include <sys/socket.h>

#include "report/refusal.h"

enum introduction_kind {
	INTRODUCTION_CLIENT,  /* the header names its client */
	INTRODUCTION_LOCAL,   /* the proxy itself is the client, to see whether we live */
	INTRODUCTION_UNKNOWN, /* the proxy does not say who it is: then it counts as the proxy */
	INTRODUCTION_BAD,     /* no PROXY header, or one that breaks the rules */
	INTRODUCTION_LATE,    /* it did not come in time */
	INTRODUCTION_GONE,    /* the proxy has closed or reset before it was whole */
};

struct introduction {
	uint32_t kind;
	uint32_t uid, gid; /* of a proxy that is a Unix peer; -1: not known, or it is none */
	uint32_t padding;  /* 0 */
	struct sockaddr_storage client; /* of INTRODUCTION_UNKNOWN the proxy itself */
};

struct introduction_answer {
	uint32_t refusal;    /* enum refusal */
	uint32_t may_linger; /* or else the worker ends at once, whatever becomes of its words */
};

#endif
