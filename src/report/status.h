/* SPDX-License-Identifier: ISC */
/* What a master knows, as JSON. */
#ifndef STATUS_H
#define STATUS_H

#include "plan/plan.h"
#include "plan/state.h"

enum status_reader {
	STATUS_FOR_RELOAD,
	STATUS_FOR_PEOPLE, /* with what a look at the whole table of sources tells */
};

/* Writes one JSON document, with a version (plan/handover.h), to a descriptor.  0, or -1 with
 * errno.  Allocates: only for a process that the master has forked, whose parent the document
 * is about. */
int status_write(const struct plan *plan, const struct state *state, enum status_reader reader,
		 int fd);

#endif
