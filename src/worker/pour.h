/* SPDX-License-Identifier: ISC */
/* From a reader that has come to its answer. */
#ifndef POUR_H
#define POUR_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/spout.h"

/* Readers can no longer find it, and have some time to arrive. */
void pour_begin(struct spout *spout, int64_t settle_ms, int64_t now_ns);

/* Goes on as far as it can without waiting; talk_fd leads to the master.  False when it is over,
 * and the spout is to be freed.  To be called again when due_ns has come, when answer_fd is
 * readable, when fd is in error, and, in SPOUT_ASKS without a due_ns, when talk_fd is writable. */
bool pour_on(struct spout *spout, int talk_fd, int64_t now_ns);

#endif
