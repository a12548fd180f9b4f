/* SPDX-License-Identifier: ISC */
/*
 * Who a worker is.
 *
 * Groups first, then gid, then uid: any other order leaves something of root behind.  Each call is
 * checked, and then the kernel is asked what holds now, because a set*id that failed unnoticed is
 * how a service comes to run as root (CVE-2023-40303).  The raw calls matter twice: they touch no
 * memory that the master may still share, and they do not try to tell other threads.
 */
#include "config.h"

#include "worker/identity.h"

#include <linux/capability.h>
#include <stdbool.h>

#include "base/raw.h"

/* 32-bit machines have the old 16-bit calls under the plain names. */
#ifdef SYS_setresuid32
#define CALL(name) SYS_##name##32
#else
#define CALL(name) SYS_##name
#endif

long identity_set_groups(const struct worker_task *task)
{
	const struct plan_service *service = task->service;

	if (!service->set_identity)
		return 0;
	return RAW(CALL(setgroups), service->ngroups, plan_at(task->plan, service->groups));
}

long identity_set_gid(const struct worker_task *task)
{
	gid_t gid = task->service->gid;

	return task->service->set_identity ? RAW(CALL(setresgid), gid, gid, gid) : 0;
}

long identity_set_uid(const struct worker_task *task)
{
	uid_t uid = task->service->uid;

	return task->service->set_identity ? RAW(CALL(setresuid), uid, uid, uid) : 0;
}

static bool has_uid(uid_t uid)
{
	uid_t real, effective, saved;

	return RAW(CALL(getresuid), &real, &effective, &saved) == 0 && real == uid &&
	       effective == uid && saved == uid;
}

static bool has_gid(gid_t gid)
{
	gid_t real, effective, saved;

	return RAW(CALL(getresgid), &real, &effective, &saved) == 0 && real == gid &&
	       effective == gid && saved == gid;
}

/* The kernel gives the list in ascending order, as the plan has it. */
static bool has_groups(const gid_t *groups, size_t count)
{
	gid_t held[PLAN_GROUPS_MAX];

	if (RAW(CALL(getgroups), PLAN_GROUPS_MAX, held) != (long)count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (held[i] != groups[i])
			return false;
	return true;
}

/* The administrator has said so. */
static bool may_change_user(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	return cage && cage->set_capabilities && (cage->capabilities >> CAP_SETUID & 1);
}

long identity_verify(const struct worker_task *task)
{
	const struct plan_service *service = task->service;

	if (!service->set_identity)
		return 0;
	if (!has_uid(service->uid) || !has_gid(service->gid) ||
	    !has_groups(plan_at(task->plan, service->groups), service->ngroups))
		return -EPERM;
	if (service->uid != 0 && !may_change_user(task) && RAW(CALL(setresuid), 0, 0, 0) == 0)
		return -EPERM;
	return 0;
}
