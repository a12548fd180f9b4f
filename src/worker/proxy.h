/* SPDX-License-Identifier: ISC */
/* A proxy that says who its client is.  Child side only; allocates nothing. */
#ifndef PROXY_H
#define PROXY_H

#include <stdint.h>

#include "report/refusal.h"
#include "worker/introduction.h"
#include "worker/proxy-header.h"

/* Takes the PROXY header from a stream socket in either mode, and not a byte of what follows it.
 * Waits until the deadline (monotonic) for all of it together.  The header is there with
 * INTRODUCTION_CLIENT. */
enum introduction_kind proxy_read(int fd, int64_t deadline_ns, struct proxy_header *header);

/* Tells the master and hears what it says, for which it may take as long as a reload does.
 * REFUSAL_SHORTAGE when it cannot be asked or does not answer. */
struct introduction_answer proxy_introduce(int talk_fd, const struct introduction *introduction);

#endif
