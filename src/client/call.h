/* SPDX-License-Identifier: ISC */
/* One request to a running daemon, and its answer. */
#ifndef CALL_H
#define CALL_H

#include "plan/answer.h"

/* Where the daemon listens unless somebody says otherwise: that of the system or, for an ordinary
 * user who has one, that of their own.  The caller frees it. */
char *call_default_path(void);

/* Asks, and waits for the answer, which is of kind ANSWER_OK: everything else ends the program,
 * with EXIT_NOT_RUNNING where nobody listens and EXIT_PRIVILEGE where we may not ask. */
void call_make(const char *control, const char *request, struct answer *answer);

#endif
