/* SPDX-License-Identifier: ISC */
/*
 * What this kernel, this build and this process can do for a cage.
 *
 * Asked by the configuration, which decides what is an error, and by whoever makes a cage.  What
 * can be asked is asked: seccomp(2), prctl(2), landlock_create_ruleset(2) and clone3(2) tell
 * without doing anything.  What can only be tried is tried in a child, once.  Nothing here changes
 * this process, and nothing needs /proc, which a container or a chroot may not have.  A system call
 * that an outer cage denies reads as one that the kernel does not have, and that is what it is to
 * us.
 */
#include "config.h"

#include "cage/kernel.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/landlock.h"
#include "base/raw.h"

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

/* Size of struct clone_args as Linux 5.7 has it, in words, and what is asked for here. */
#define CLONE_ARGS	  11
#define CLONE_ARGS_FLAGS  0
#define CLONE_ARGS_CGROUP 10
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

static int ask_landlock(void)
{
	long abi = landlock_abi();

	return abi > 0 ? (int)abi : 0;
}

static bool ask_filters(void)
{
#ifdef HAVE_SECCOMP
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return RAW(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#else
	return false;
#endif
}

/* With a cgroup that can be no descriptor: older kernels complain of words that they do not know
 * (E2BIG), or have no such call.  No child comes of it. */
static bool ask_clone_into_cgroup(void)
{
	uint64_t arguments[CLONE_ARGS] = {
		[CLONE_ARGS_FLAGS] = CLONE_INTO_CGROUP, [CLONE_ARGS_CGROUP] = UINT64_MAX
	};

	return RAW(SYS_clone3, arguments, sizeof(arguments)) == -EINVAL;
}

static uint64_t ask_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (RAW(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static uint64_t ask_known_capabilities(void)
{
	uint64_t known = 0;

	for (int i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		known |= UINT64_C(1) << i;
	return known;
}

const struct kernel *kernel_get(void)
{
	static struct kernel kernel;
	static bool is_known;

	if (!is_known) {
		kernel.landlock = ask_landlock();
		kernel.has_filters = ask_filters();
		kernel.has_deny_write_execute = prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0;
		kernel.has_clone_into_cgroup = ask_clone_into_cgroup();
		kernel.capabilities = ask_capabilities();
		kernel.known_capabilities = ask_known_capabilities();
		is_known = true;
	}
	return &kernel;
}

/* A child without an exit signal, so that it is there to be waited for when we were started with
 * SIGCHLD ignored, and nobody who waits for other children comes upon it: clone(2), __WCLONE. */
static bool try_namespaces(void)
{
	long pid = RAW(SYS_clone, 0, 0);
	int status;

	if (pid == 0) {
		long done = RAW(SYS_unshare, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID);

		if (done == 0)
			done = RAW(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE);
		if (done == 0)
			done = RAW(SYS_mount, "tmpfs", "/tmp", "tmpfs", 0);
		(void)RAW(SYS_exit_group, done < 0); /* does not return */
	}
	if (pid < 0)
		return false;
	while (waitpid((pid_t)pid, &status, __WCLONE) < 0)
		if (errno != EINTR)
			return false;
	return status == 0;
}

bool kernel_has_namespaces(void)
{
	static bool is_known, has_namespaces;

	if (!is_known)
		has_namespaces = try_namespaces();
	is_known = true;
	return has_namespaces;
}

uint64_t kernel_landlock_files(int abi)
{
	uint64_t rights = 0;

	if (abi >= 1)
		rights = LANDLOCK_REFER - 1; /* the thirteen before it */
	if (abi >= 2)
		rights |= LANDLOCK_REFER;
	if (abi >= 3)
		rights |= LANDLOCK_TRUNCATE;
	if (abi >= 5)
		rights |= LANDLOCK_IOCTL_DEV;
	return rights;
}

uint64_t kernel_landlock_ports(int abi)
{
	return abi >= 4 ? LANDLOCK_BIND | LANDLOCK_CONNECT : 0;
}

uint64_t kernel_landlock_scopes(int abi)
{
	return abi >= 6 ? LANDLOCK_ABSTRACT_SOCKETS | LANDLOCK_SIGNALS : 0;
}
