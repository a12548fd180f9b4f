/* SPDX-License-Identifier: ISC */
/* Looking a name up: getaddrinfo(3), getnameinfo(3). */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "worker/resolve.h"

/* The answer to a question, which is one of question_receive().  Blocks for as long as the name
 * service pleases, so it is for a process that somebody ends. */
void lookup_run(const struct resolve_question *question, struct resolve_answer *answer);

/* The answer that is none; why is for RESOLVE_HOST. */
void lookup_fail(const struct resolve_question *question, const char *why,
		 struct resolve_answer *answer);

#endif
