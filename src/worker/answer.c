/* SPDX-License-Identifier: ISC */
/*
 * Answers: what a session writes, collected instead of sent.
 *
 * A standing worker answers one client after the other; each of them gets one piece, of a length
 * that is known before it begins, and whoever asked for the answer sends it.  So nothing here makes
 * a system call, and nothing is cut: a line that would be half in an answer is left out, and what
 * comes after it too, since a list with a hole in it would be a wrong one.
 *
 * There is one answer at a time in a process, as there is one session.  Its place is touched only
 * as far as answers go.
 */
#include "config.h"

#include "worker/session.h"

#include <stdint.h>
#include <string.h>

static char answer[SESSION_ANSWER];

void session_begin_answer(struct begat_session *session, size_t room)
{
	session->answers = true;
	session->ended = true; /* all of the question is there: nothing more can be read */
	session->cr = session->broken = false;
	session->room = room < SESSION_ANSWER ? room : SESSION_ANSWER;
	session->in_start = session->in_end = session->out_end = 0;
}

const void *session_answer(const struct begat_session *session, size_t *length)
{
	*length = session->out_end;
	return answer;
}

bool session_answer_is_whole(const struct begat_session *session)
{
	return !session->broken;
}

size_t begat_room(const struct begat_session *session)
{
	if (!session->answers)
		return SIZE_MAX;
	return session->broken ? 0 : session->room - session->out_end;
}

int session_add(struct begat_session *session, const void *bytes, size_t length)
{
	if (length > session->room - session->out_end) {
		session->broken = true;
		return -1;
	}
	if (length > 0) /* else bytes may be NULL */
		memcpy(answer + session->out_end, bytes, length);
	session->out_end += length;
	return 0;
}
