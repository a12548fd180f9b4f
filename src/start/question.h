/* SPDX-License-Identifier: ISC */
/* A question to the resolver, as it comes from a worker that may have been broken into. */
#ifndef QUESTION_H
#define QUESTION_H

#include <stdbool.h>

#include "worker/resolve.h"

/* Takes the next one from the socket, without waiting: 1 with where its answer goes, which is the
 * caller's to question_drop(); 0 when all askers are gone; -1 with errno, EBADMSG for one that is
 * not as it should be: then nothing of it is left open.  What does not matter to a question is zero
 * in it, and its name is in lower case, so that equal ones are the same bytes. */
int question_receive(int socket, struct resolve_question *question, int *answer_fd);

/* Whether two are answered alike. */
bool question_is_same(const struct resolve_question *a, const struct resolve_question *b);

/* Closes what came with one.  Never blocks. */
void question_drop(int fd);

#endif
