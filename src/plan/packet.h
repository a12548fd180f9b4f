/* SPDX-License-Identifier: ISC */
/*
 * What a master and its preflight say to each other, on a Unix SOCK_SEQPACKET pair that is the
 * preflight's standard output.  From the preflight: DETAIL, text of one line about what would
 * change; PARTS, descriptors in order, in as many packets as it takes; READY, everything is checked
 * and open.  From the master: STATE, one descriptor, its state as JSON.  From the preflight: PLAN,
 * two descriptors, the plan and the state for the next master.  From the master, at any time: VOID,
 * it cannot go on, and what was opened is not needed; silence after the PLAN says that all is well.
 * The two may be of different versions: kinds keep their meaning.
 */
#ifndef PACKET_H
#define PACKET_H

#include <stddef.h>

enum packet_kind {
	PACKET_DETAIL = 'd',
	PACKET_PARTS = 'f',
	PACKET_READY = 'r',
	PACKET_STATE = 's',
	PACKET_PLAN = 'p',
	PACKET_VOID = 'v',
};

/* The first argument by which begatd knows that it is a preflight, with the number of a descriptor:
 * the state as JSON.  A begatd that does not know it ends with a usage error. */
#define PACKET_OPTION "--reload="

#define PACKET_TEXT   1024
#define PACKET_FDS    250 /* SCM_MAX_FD is 253 */

struct packet {
	char kind; /* enum packet_kind; anything else is not ours to understand */
	char text[PACKET_TEXT + 1];
	int fds[PACKET_FDS]; /* close-on-exec; the receiver owns them */
	size_t nfds;
};

/* Sends one; a longer text is cut.  0, or -1 with errno.  Blocks while the other side is slow. */
int packet_send(int socket, enum packet_kind kind, const char *text, const int *fds, size_t nfds);

/* Receives one, without waiting when flags has MSG_DONTWAIT: 1, 0 when the other side has closed,
 * -1 with errno.  Descriptors that did not fit into our table make it -1 with EMFILE. */
int packet_receive(int socket, struct packet *packet, int flags);

/* Sends a VOID and waits until the other side has closed: at most a quarter of a second. */
void packet_dismiss(int socket);

#endif
