/* SPDX-License-Identifier: ISC */
/*
 * What begat(1) and a running daemon say to each other on the control socket (SOCK_SEQPACKET).
 *
 * The request is one packet of text, words with a space between them.  The answer is one packet,
 * and after it the daemon closes: a word that says how it went, and for a longer answer a
 *descriptor with it.  The two may be of different versions: words keep their meaning.
 *
 *	status			ok, and a memfd with JSON: report/status.c
 *	unban PREFIX [SERVICE]	ok COUNT
 *	anything		error WHY, denied WHY
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "plan/packet.h"

#define ANSWER_REQUEST 512 /* bytes of a request */

enum answer_kind { ANSWER_OK, ANSWER_ERROR, ANSWER_DENIED };

struct answer {
	enum answer_kind kind;
	char text[PACKET_TEXT + 1]; /* of one line; "" for none */
	int fd;			    /* close-on-exec, the receiver's; -1: none */
};

/* Sends one; a longer text is cut.  fd -1: none.  0, or -1 with errno. */
int answer_send(int socket, enum answer_kind kind, const char *text, int fd);

/* Waits for one: 1, 0 when the other side has closed without a word, -1 with errno (EBADMSG for
 * what is no answer). */
int answer_receive(int socket, struct answer *answer);

#endif
