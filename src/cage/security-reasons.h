/* SPDX-License-Identifier: ISC */
/* Why a score is what it is. */
#ifndef SECURITY_REASONS_H
#define SECURITY_REASONS_H

#include "cage/security.h"

/* Appends "2.1 no filter of system calls (system-calls)" and the like, what costs most first; of
 * many only the first, and how much the others are. */
void reasons_list(const struct security *security, char ***texts, size_t *ntexts);

#endif
