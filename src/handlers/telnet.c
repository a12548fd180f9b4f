/* SPDX-License-Identifier: ISC */
/*
 * The server's end of the telnet protocol, as little of it as serves a telnet client well.
 *
 * A state machine of one byte at a time, with no buffer that a client could overflow or fill: the
 * contents of a subnegotiation are counted and dropped, so there is no LINEMODE, no NEW-ENVIRON and
 * nothing else that has broken telnet servers for thirty years.  All options stay off.  An offer is
 * refused once (RFC 1143: answering a repeated offer makes loops), a refusal is never answered.
 * TIMING-MARK is refused each time that it is asked for: after an interrupt, clients drop all
 * output until the answer comes.  The editing commands of the network terminal do nothing here,
 * since clients edit lines themselves.
 *
 * The number of answers is bounded, so that a storm of requests cannot be turned into one of
 * answers.
 */
#include "config.h"

#include "handlers/telnet.h"

#include <string.h>

enum {
	SE = 240,  /* ends a subnegotiation */
	AYT = 246, /* are you there? */
	SB = 250,  /* begins a subnegotiation */
	WILL = 251,
	WONT = 252,
	DO = 253,
	DONT = 254,
	IAC = 255, /* interpret as command */
};

enum {
	OPTION_TIMING_MARK = 6,
};

void telnet_init(struct telnet *telnet)
{
	memset(telnet, 0, sizeof(*telnet));
}

static void answer(struct telnet *telnet, struct begat_session *session, const void *bytes,
		   size_t length)
{
	if (telnet->answers == TELNET_ANSWERS)
		return;
	telnet->answers++;
	(void)begat_write(session, bytes, length); /* the session remembers a failure */
}

static void refuse(struct telnet *telnet, struct begat_session *session, unsigned char option)
{
	const bool offer = telnet->verb == WILL;
	const bool timing = telnet->verb == DO && option == OPTION_TIMING_MARK;
	const unsigned char refusal[] = { IAC, offer ? DONT : WONT, option };

	if (telnet->verb != WILL && telnet->verb != DO)
		return;
	if (telnet->refused[offer][option] && !timing)
		return;
	telnet->refused[offer][option] = true;
	answer(telnet, session, refusal, sizeof(refusal));
}

/* The byte after IAC.  True when it is data: IAC IAC is the byte 255. */
static bool command(struct telnet *telnet, struct begat_session *session, unsigned char byte)
{
	static const char here[] = "\r\n[yes]\r\n";

	telnet->state = TELNET_DATA;
	switch (byte) {
	case IAC:
		return true;
	case WILL:
	case WONT:
	case DO:
	case DONT:
		telnet->verb = byte;
		telnet->state = TELNET_OPTION;
		break;
	case SB:
		telnet->skipped = 0;
		telnet->state = TELNET_SUB;
		break;
	case AYT:
		answer(telnet, session, here, sizeof(here) - 1);
		break;
	default: /* SE, NOP, break, interrupt, erase, go ahead and what is undefined */
		break;
	}
	return false;
}

static void skip(struct telnet *telnet, unsigned char byte)
{
	if (byte == IAC)
		telnet->state = TELNET_SUB_COMMAND;
	else
		telnet->state = TELNET_SUB;
	if (++telnet->skipped > TELNET_SUBNEGOTIATION)
		telnet->state = TELNET_DATA;
}

/* After IAC in a subnegotiation: a byte 255 of its contents, or its end, which is IAC SE or, from a
 * client that has forgotten it, any other command. */
static void subcommand(struct telnet *telnet, struct begat_session *session, unsigned char byte)
{
	if (byte == IAC)
		telnet->state = TELNET_SUB;
	else
		(void)command(telnet, session, byte); /* is not IAC: never data */
}

/* True when the byte is data. */
static bool take(struct telnet *telnet, struct begat_session *session, unsigned char byte)
{
	switch (telnet->state) {
	case TELNET_DATA:
		if (byte != IAC)
			return true;
		telnet->state = TELNET_COMMAND;
		break;
	case TELNET_COMMAND:
		return command(telnet, session, byte);
	case TELNET_OPTION:
		telnet->state = TELNET_DATA;
		refuse(telnet, session, byte);
		break;
	case TELNET_SUB:
		skip(telnet, byte);
		break;
	case TELNET_SUB_COMMAND:
		subcommand(telnet, session, byte);
		break;
	}
	return false;
}

size_t telnet_filter(void *state, struct begat_session *session, unsigned char *bytes,
		     size_t length)
{
	size_t kept = 0;

	for (size_t i = 0; i < length; i++)
		if (take(state, session, bytes[i]))
			bytes[kept++] = bytes[i];
	return kept;
}
