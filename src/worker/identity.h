/* SPDX-License-Identifier: ISC */
/* Who a worker is.  Child side only; each returns 0 or -errno. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "worker/worker.h"

/* In this order: setgroups(2), setresgid(2), setresuid(2).  They do nothing for a service without
 * an identity of its own (begatd was started by an ordinary user). */
long identity_set_groups(const struct worker_task *task);
long identity_set_gid(const struct worker_task *task);
long identity_set_uid(const struct worker_task *task);

/* That all of it holds, and that root cannot be regained.  -EPERM when not. */
long identity_verify(const struct worker_task *task);

#endif
