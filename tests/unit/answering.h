/* SPDX-License-Identifier: ISC */
/* A handler's answer to one datagram, as a standing worker gets it. */
#ifndef ANSWERING_H
#define ANSWERING_H

#include <check.h>
#include <string.h>

#include "worker/session.h"

struct answering {
	const struct begat_handler *handler;
	const struct begat_value *values;
	size_t nvalues;
	size_t room;
	bool without_crlf;
	/* What came of it: */
	bool answered, whole;
	size_t length;
	char bytes[SESSION_ANSWER + 1]; /* with a NUL */
};

static inline struct begat_session answering_session(const struct answering *answering)
{
	const struct session_settings settings = {
		.fd = -1, /* what is sent or read would fail */
		.crlf = !answering->without_crlf,
		.values = answering->values,
		.nvalues = answering->nvalues,
	};
	struct begat_session session;

	session_init(&session, &settings);
	session_begin_answer(&session, answering->room);
	return session;
}

/* Whether there is one. */
static inline bool answering_ask(struct answering *answering, const void *question, size_t length)
{
	struct begat_session session = answering_session(answering);
	const void *answer;

	answering->answered = answering->handler->answer(&session, question, length);
	answering->whole = session_answer_is_whole(&session);
	answer = session_answer(&session, &answering->length);
	ck_assert_uint_le(answering->length, answering->room);
	memcpy(answering->bytes, answer, answering->length);
	answering->bytes[answering->length] = '\0';
	return answering->answered;
}

#endif
