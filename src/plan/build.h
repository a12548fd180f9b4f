/* SPDX-License-Identifier: ISC */
/* From the configuration and the open listeners to the plan. */
#ifndef BUILD_H
#define BUILD_H

#include "cage/cages.h"
#include "config/config.h"
#include "listen/listener.h"
#include "plan/plan.h"

/* Writes the plan into a sealed memfd, close-on-exec, and returns it; -1 with errno.  The offsets
 * in global are filled in from the texts; the rest of it is taken as it stands. */
struct build_texts {
	const char *debug_topics; /* NULL: none, as below */
	char *const *environment; /* where pass-env, TZ and LANG are looked up */
	const char *begatd_path;  /* absolute */
	char *const *argv;	  /* what begatd was started with */
};
int build_plan(const struct config *config, const struct listener_set *listeners,
	       const struct cages *cages, const struct plan_global *global,
	       const struct build_texts *texts);

#endif
