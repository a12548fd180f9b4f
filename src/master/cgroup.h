/* SPDX-License-Identifier: ISC */
/* The control groups of services: when one takes no worker, and what is left in them when the
 * daemon ends. */
#ifndef MASTER_CGROUP_H
#define MASTER_CGROUP_H

#include <stdbool.h>

#include "master/serving.h"
#include "plan/plan.h"

/* SIGKILL to every process in the groups of all services, those too that have left their worker's
 * process group: cgroup.kill of cgroups(7), since Linux 5.14.  Removes the groups, and waits for
 * that a quarter of a second at most. */
void cgroups_kill(const struct plan *plan);

/* Whether it may be its control group alone that keeps a service from having a worker, with that
 * error. */
bool cgroup_is_at_fault(const struct plan *plan, const struct plan_service *service, int error);

/* Then only this service pauses: for longer each time, until a worker can be started. */
void cgroup_pause(struct serving *serving, int error);

#endif
