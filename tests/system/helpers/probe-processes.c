/* SPDX-License-Identifier: ISC */
/*
 * The probe's tries on the master and on other processes, and to get into other namespaces.
 */
#include "probe.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int try_ptrace(void)
{
	return result_of(ptrace(PTRACE_SEIZE, target.master, NULL, NULL)); /* ends with us */
}

static int try_process_read(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };

	if (process_vm_readv(target.master, &here, 1, &there, 1, 0) == 1 || errno == EFAULT)
		return 0; /* it may, wherever its memory is */
	return errno;
}

static int open_of_master(const char *file, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)target.master, file);
	return open_it(path, flags);
}

static int try_memory_file(void)
{
	return open_of_master("mem", O_RDWR);
}

static int try_environ(void)
{
	return open_of_master("environ", O_RDONLY);
}

static int try_maps(void)
{
	return open_of_master("maps", O_RDONLY);
}

static int try_master_root(void)
{
	return open_of_master("root/etc/hostname", O_RDONLY);
}

static int try_master_descriptors(void)
{
	return open_of_master("fd", O_RDONLY | O_DIRECTORY);
}

static int try_pidfd_getfd(void)
{
	int pidfd = syscall(SYS_pidfd_open, target.master, 0);

	return pidfd < 0 ? errno : result_of(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
}

static int try_signal(void)
{
	return result_of(kill(target.master, 0));
}

static int try_signal_thread(void)
{
	return result_of(syscall(SYS_tgkill, target.master, target.master, 0));
}

static int try_signal_pidfd(void)
{
	int pidfd = syscall(SYS_pidfd_open, target.master, 0);

	return pidfd < 0 ? errno : result_of(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0));
}

/* Somebody else's of the same user. */
static int try_signal_other(void)
{
	return result_of(kill(target.other, 0));
}

static int try_ptrace_other(void)
{
	return result_of(ptrace(PTRACE_SEIZE, target.other, NULL, NULL)); /* ends with us */
}

static int try_see_other(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)target.other);
	return open_it(path, O_RDONLY);
}

static int try_terminate(void)
{
	return result_of(kill(target.master, SIGTERM));
}

static int try_setns(void)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)target.master);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : result_of(setns(fd, CLONE_NEWNET));
}

/* A user namespace is the way to a kernel's less tried parts. */
static int try_unshare_user(void)
{
	return result_of(unshare(CLONE_NEWUSER));
}

static int try_unshare_network(void)
{
	return result_of(unshare(CLONE_NEWNET));
}

static int try_unshare_mounts(void)
{
	return result_of(unshare(CLONE_NEWNS));
}

/* Whoever has started us: the master, or code of begat's own that waits for our end, and has all
 * that was in the master's memory. */
static int try_parent_ptrace(void)
{
	return result_of(ptrace(PTRACE_SEIZE, target.parent, NULL, NULL)); /* ends with us */
}

static int open_of_parent(const char *file)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)target.parent, file);
	return open_it(path, O_RDONLY);
}

static int try_parent_memory(void)
{
	return open_of_parent("mem");
}

static int try_parent_environ(void)
{
	return open_of_parent("environ");
}

static int try_parent_descriptors(void)
{
	return open_of_parent("fd");
}

const struct try process_tries[] = {
	{ "ptrace", try_ptrace },
	{ "process-read", try_process_read },
	{ "memory-file", try_memory_file },
	{ "environ", try_environ },
	{ "maps", try_maps },
	{ "master-root", try_master_root },
	{ "master-descriptors", try_master_descriptors },
	{ "pidfd-getfd", try_pidfd_getfd },
	{ "signal", try_signal },
	{ "signal-thread", try_signal_thread },
	{ "signal-pidfd", try_signal_pidfd },
	{ "parent-ptrace", try_parent_ptrace },
	{ "parent-memory", try_parent_memory },
	{ "parent-environ", try_parent_environ },
	{ "parent-descriptors", try_parent_descriptors },
	{ "signal-other", try_signal_other },
	{ "ptrace-other", try_ptrace_other },
	{ "see-other", try_see_other },
	{ "setns", try_setns },
	{ "unshare-user", try_unshare_user },
	{ "unshare-network", try_unshare_network },
	{ "unshare-mounts", try_unshare_mounts },
	{ "terminate", try_terminate },
	{ NULL, NULL },
};
