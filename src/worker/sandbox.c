/* SPDX-License-Identifier: ISC */
/*
 * The walls around a worker.
 *
 * Everything was decided, compiled and opened by begatd, so a wall costs the system call that puts
 * it up.  Their order is worker.c's, and any other order leaves a hole: a change of user wipes the
 * signal for the parent's death and most capabilities, Landlock and seccomp need no_new_privs,
 * Landlock forbids mounts, and seccomp forbids whatever would still have to be done.
 *
 * A ruleset of Landlock is made once, and each worker only looks whether its files are still the
 * same.  Capabilities are left to the change of user where nothing is said: it clears all sets of
 * whoever is not root, and under no_new_privs no exec gives one back.
 */
#include "config.h"

#include "worker/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/landlock.h"
#include "base/raw.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_MDWE_REFUSE_EXEC_GAIN
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define TMP_FLAGS   (MS_NOSUID | MS_NODEV)
#define TMP_OPTIONS "mode=1777,size=10%,nr_inodes=64k"

long sandbox_enter_network(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	return cage && cage->network_fd >= 0 ? RAW(SYS_setns, cage->network_fd, CLONE_NEWNET) : 0;
}

long sandbox_set_nice(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	return cage && cage->set_nice ? RAW(SYS_setpriority, PRIO_PROCESS, 0, cage->nice) : 0;
}

static long restore_nofile(const struct plan_global *global)
{
	const struct rlimit limit = { global->nofile_soft, global->nofile_hard };

	return global->restore_nofile ? RAW(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL) : 0;
}

long sandbox_set_limits(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	const struct plan_limit *limits = cage ? plan_at(task->plan, cage->limits) : NULL;
	long result = restore_nofile(&task->plan->global);

	for (uint32_t i = 0; result == 0 && limits && i < cage->nlimits; i++) {
		const uint64_t limit[] = { limits[i].soft, limits[i].hard };

		result = RAW(SYS_prlimit64, 0, limits[i].resource, limit, NULL);
	}
	return result;
}

/* Where the machine has no such directory, nobody can leave anything in it. */
static long mount_tmp(const char *path)
{
	long result = RAW(SYS_mount, "tmpfs", path, "tmpfs", TMP_FLAGS, TMP_OPTIONS);

	return result == -ENOENT ? 0 : result;
}

/* What is mounted here stays here; what the machine mounts later still comes. */
long sandbox_make_mounts(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	long result;

	if (cage == NULL || !(cage->private_tmp || cage->private_pids))
		return 0;
	result = RAW(SYS_unshare, CLONE_NEWNS);
	if (result == 0)
		result = RAW(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	if (result == 0 && cage->private_tmp)
		result = mount_tmp("/tmp");
	if (result == 0 && cage->private_tmp)
		result = mount_tmp("/var/tmp");
	return result;
}

/* The directory comes after this, and nothing is open by which one could get out again. */
long sandbox_change_root(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	const char *root = cage ? plan_text(task->plan, cage->chroot) : NULL;
	long result = root ? RAW(SYS_chroot, root) : 0;

	return root && result == 0 ? RAW(SYS_chdir, "/") : result;
}

static bool has_capability(const struct plan_cage *cage, int number)
{
	return cage->capabilities >> number & 1;
}

/* Those that are kept must outlive the change of user. */
long sandbox_drop_bounding(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	long result = 0;

	if (cage == NULL || !cage->set_capabilities)
		return 0;
	for (int number = 0; cage->drop_bounding && result == 0 && number < 64; number++)
		if (!has_capability(cage, number))
			result = RAW(SYS_prctl, PR_CAPBSET_DROP, number, 0, 0);
	if (result < 0 && result != -EINVAL) /* there are no more */
		return result;
	return cage->capabilities ? RAW(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0) : 0;
}

static long set_capabilities(uint64_t kept, uint64_t inherited)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const uint32_t low = (uint32_t)kept, high = (uint32_t)(kept >> 32);
	const struct __user_cap_data_struct sets[] = {
		{ low, low, (uint32_t)inherited }, { high, high, (uint32_t)(inherited >> 32) }
	};
	long result = RAW(SYS_capset, &header, sets);

	/* Until the exec nobody may look into what has fewer of them, but was the master a moment
	 * ago. */
	return result == 0 ? RAW(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0) : result;
}

long sandbox_give_up(void)
{
	return set_capabilities(0, 0);
}

/* A program gets root's by the bounding set, and those of anybody else by the ambient one. */
long sandbox_set_capabilities(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	const bool is_root = task->service->set_identity && task->service->uid == 0;
	long result;

	if (cage == NULL || !cage->set_capabilities)
		return 0;
	result = set_capabilities(cage->capabilities, is_root ? 0 : cage->capabilities);
	for (int number = 0; result == 0 && !is_root && number < 64; number++)
		if (has_capability(cage, number))
			result = RAW(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0);
	return result;
}

/* A change of user would have wiped it.  A worker that was too late sees another parent. */
long sandbox_tie_to_master(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	long result;

	if (cage == NULL || !cage->die_with_master)
		return 0;
	result = RAW(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	if (result == 0 && RAW(SYS_getppid, 0) != task->parent)
		return -ESRCH;
	return result;
}

long sandbox_refuse_privileges(const struct worker_task *task)
{
	return task->service->no_new_privileges ? RAW(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0) : 0;
}

long sandbox_deny_write_execute(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);

	return cage && cage->deny_write_execute
		       ? RAW(SYS_prctl, PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0)
		       : 0;
}

static bool is_same(const struct statx *there, const struct plan_rule *rule)
{
	return there->stx_ino == rule->inode &&
	       makedev(there->stx_dev_major, there->stx_dev_minor) == rule->device;
}

/* Files are replaced while we run: by an editor, by an upgrade, by what is mounted for this worker
 * alone.  A rule is about the file, and the administrator meant the path. */
static bool is_replaced(const struct plan *plan, const struct plan_rule *rule)
{
	struct statx there;
	long result;

	if (rule->fixed && rule->inode == 0) /* whatever is there now is not meant */
		return false;
	result = RAW(SYS_statx, AT_FDCWD, plan_text(plan, rule->path), 0, STATX_INO, &there);
	if (result == -ENOENT)
		return rule->inode != 0;
	if (result < 0) /* this user does not get there, and so it does not matter */
		return false;
	return !is_same(&there, rule);
}

static bool is_current(const struct plan *plan, const struct plan_cage *cage)
{
	const struct plan_rule *rules = plan_at(plan, cage->rules);

	for (uint32_t i = 0; i < cage->nrules; i++)
		if (rules[i].path && is_replaced(plan, &rules[i]))
			return false;
	return true;
}

/* Where workers may write they may also put something else, such as a link, in a rule's place. */
static bool is_meant(const struct plan_rule *rule, int fd)
{
	struct statx there;

	return !rule->fixed || (RAW(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_INO, &there) == 0 &&
				is_same(&there, rule));
}

static long allow_path(const struct plan_rule *rule, int ruleset_fd, int fd)
{
	long result = landlock_allow_path(ruleset_fd, fd, rule->rights);

	if (result == -EINVAL)
		result = landlock_allow_path(ruleset_fd, fd, rule->rights & LANDLOCK_OF_FILES);
	return result;
}

/* What is not there, or out of this user's reach, needs no rule. */
static long add_rule(const struct plan *plan, const struct plan_rule *rule, int ruleset_fd)
{
	long fd, result = 0;

	if (rule->path == 0)
		return landlock_allow_port(ruleset_fd, (uint16_t)rule->port, rule->rights);
	fd = RAW(SYS_openat, AT_FDCWD, plan_text(plan, rule->path), O_PATH | O_CLOEXEC);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		return fd;
	if (fd < 0)
		return 0;
	if (is_meant(rule, (int)fd))
		result = allow_path(rule, ruleset_fd, (int)fd);
	(void)RAW(SYS_close, fd); /* O_PATH */
	return result;
}

static long make_ruleset(const struct plan *plan, const struct plan_cage *cage)
{
	const struct plan_rule *rules = plan_at(plan, cage->rules);
	long fd = landlock_create(&cage->handled), result = 0;

	for (uint32_t i = 0; fd >= 0 && result == 0 && i < cage->nrules; i++)
		result = add_rule(plan, &rules[i], (int)fd);
	return result < 0 ? result : fd;
}

long sandbox_restrict(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	const int shared_fd = worker_fd(task, WORKER_FD_RULESET);
	long fd = shared_fd, result;

	if (shared_fd < 0)
		return 0;
	if (!is_current(task->plan, cage))
		fd = make_ruleset(task->plan, cage);
	if (fd < 0)
		return fd;
	result = landlock_restrict((int)fd);
	if (fd != shared_fd)
		(void)RAW(SYS_close, fd);
	(void)RAW(SYS_close, shared_fd); /* the domain stays without them */
	return result;
}

long sandbox_filter(const struct worker_task *task)
{
	const struct plan_cage *cage = worker_cage(task);
	struct sock_fprog program;

	if (cage == NULL || cage->nfilter == 0)
		return 0;
	program.len = (unsigned short)cage->nfilter;
	program.filter = (struct sock_filter *)(uintptr_t)plan_at(task->plan, cage->filter);
	return RAW(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
