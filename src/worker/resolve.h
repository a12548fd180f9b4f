/* SPDX-License-Identifier: ISC */
/*
 * Names, from inside a cage: a worker asks the resolver (start/resolver.c), a process outside of it
 * that the master keeps.  Each question goes over the socket that all workers share, as one packet
 * with a socket for its answer.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define RESOLVE_NAME	  254 /* bytes of a name with its NUL: RFC 1035, 2.3.4 */
#define RESOLVE_ADDRESSES 16
#define RESOLVE_LIMIT_MS  60000 /* of a question, at most */

enum resolve_kind { RESOLVE_HOST, RESOLVE_PEER };

/* Without a gap, and all zero where nothing is said. */
struct resolve_question {
	uint32_t kind;	/* enum resolve_kind */
	uint32_t fresh; /* no answer of before will do */
	uint32_t limit_ms;
	uint16_t port; /* RESOLVE_HOST: host byte order */
	uint16_t datagrams;
	char name[RESOLVE_NAME + 2];	 /* RESOLVE_HOST */
	struct sockaddr_storage address; /* RESOLVE_PEER */
};

struct resolve_answer {
	uint32_t count;		     /* of addresses */
	char name[RESOLVE_NAME + 2]; /* RESOLVE_PEER: checked forward, letters, digits, "-._:"
					alone; RESOLVE_HOST without an address: why */
	struct sockaddr_storage addresses[RESOLVE_ADDRESSES];
};

/* Asks; blocks for at most the question's limit and a little more.  0, or -1 with errno: ETIMEDOUT,
 * ENOTCONN where there is no resolver. */
int resolve_ask(int resolver_fd, const struct resolve_question *question,
		struct resolve_answer *answer);

/* Whether a name is one that can be shown to anybody: letters, digits and "-._:". */
bool resolve_is_plain(const char *name);

/* Whether an answer is within bounds, and its text without a control character. */
bool resolve_answer_is_sound(const struct resolve_answer *answer);

#endif
