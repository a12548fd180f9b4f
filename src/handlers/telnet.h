/* SPDX-License-Identifier: ISC */
/* The server's end of the telnet protocol (RFC 854), for handlers that talk to people: takes its
 * commands out of the input and refuses every option. */
#ifndef HANDLERS_TELNET_H
#define HANDLERS_TELNET_H

#include <begat/handler.h>

#define TELNET_ANSWERS	      1000 /* a connection gets; further requests are read and ignored */
#define TELNET_SUBNEGOTIATION 1024 /* bytes; one that is longer ends there */

enum telnet_state {
	TELNET_DATA,
	TELNET_COMMAND,	    /* after IAC */
	TELNET_OPTION,	    /* after IAC and a verb */
	TELNET_SUB,	    /* between IAC SB and IAC SE */
	TELNET_SUB_COMMAND, /* after IAC in there */
};

struct telnet {
	enum telnet_state state;
	unsigned char verb;
	unsigned answers;     /* given, up to TELNET_ANSWERS */
	unsigned skipped;     /* bytes of this subnegotiation */
	bool refused[2][256]; /* each option once: the client's WILL, the client's DO */
};

void telnet_init(struct telnet *telnet);

/* A begat_filter whose state is a struct telnet.  What remains are the data bytes, however the
 * network has cut the stream; answers are written to the session. */
size_t telnet_filter(void *telnet, struct begat_session *session, unsigned char *bytes,
		     size_t length);

#endif
