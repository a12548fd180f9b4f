/* SPDX-License-Identifier: ISC */
/*
 * The walls around a worker, each a step of worker.c: 0, or -errno.  All but the mounts of
 * private-tmp are there in one call or a few, on the stack, and in memory that may still be the
 * master's.  Each does nothing where the service's cage says nothing.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "worker/worker.h"

long sandbox_enter_network(const struct worker_task *task);    /* setns(2): private-network */
long sandbox_set_nice(const struct worker_task *task);	       /* setpriority(2) */
long sandbox_set_limits(const struct worker_task *task);       /* prlimit(2): limits */
long sandbox_make_mounts(const struct worker_task *task);      /* private-tmp */
long sandbox_change_root(const struct worker_task *task);      /* chroot(2) */
long sandbox_drop_bounding(const struct worker_task *task);    /* what no exec may give back */
long sandbox_set_capabilities(const struct worker_task *task); /* after the change of user */
/* For a process that only waits: no capability is left, and nobody may look into it. */
long sandbox_give_up(void);

long sandbox_tie_to_master(const struct worker_task *task);	/* on-master-death = "die" */
long sandbox_refuse_privileges(const struct worker_task *task); /* no_new_privs */
long sandbox_deny_write_execute(const struct worker_task *task);
long sandbox_restrict(const struct worker_task *task); /* landlock(7) */
long sandbox_filter(const struct worker_task *task);   /* seccomp(2) */

#endif
