/* SPDX-License-Identifier: ISC */
/* The answers of the last half minute. */
#ifndef NAME_CACHE_H
#define NAME_CACHE_H

#include <stdint.h>

#include "worker/resolve.h"

#define NAME_CACHE_SIZE	     64
#define NAME_CACHE_MS	     30000
#define NAME_CACHE_FAILED_MS 2000 /* of a host that has no address now */

/* In the place of the one to the same question, or else of the oldest. */
void name_cache_add(const struct resolve_question *question, const struct resolve_answer *answer);

/* The answer to a question that came at that time (monotonic); when it is to be fresh, one that is
 * not older than that.  NULL: there is none.  Valid until the next is added. */
const struct resolve_answer *name_cache_find(const struct resolve_question *question,
					     int64_t asked_ns);

#endif
