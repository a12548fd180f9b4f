/* SPDX-License-Identifier: ISC */
/* What a master leaves to the one after it. */
#ifndef LEGACY_H
#define LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "plan/state.h"
#include "report/stats.h"

#define LEGACY_TEXT 256

/* What is the daemon's rather than a service's, a child's or a listener's. */
struct legacy {
	unsigned generation; /* from 1; one more with each reload that succeeds */
	int64_t started_ns;  /* monotonic: of the first master */
	int64_t started_s;   /* since the epoch */
	struct reload_stats reloads;
	char last_failure[LEGACY_TEXT]; /* of a reload; "": none */
	bool reload_again;		/* another one was asked for meanwhile */
	int plan_fd;
};

/* Begins anew, or with what a state says. */
void legacy_init(struct legacy *legacy, int plan_fd, const struct state *state);

/* Everything as it is now, with descriptors that a preflight has sent; its own descriptor goes to
 * fd.  NULL with errno.  To be unmapped and closed. */
struct state *legacy_save(const struct legacy *legacy, const int *received, size_t nreceived,
			  int *fd);

/* Takes over services and children; the gates must be there.  0, or -1 with errno. */
int legacy_adopt(const struct state *state, const struct plan *plan);

/* There is no way back any more: gives kept listeners what has changed about them, and closes what
 * only the old plan had, and the old plan itself.  Never fails: what does is logged. */
void legacy_settle(const struct state *state, const struct plan *plan);

#endif
