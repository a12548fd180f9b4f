/* SPDX-License-Identifier: ISC */
/*
 * The probe's tries to become root, and to do what root can do.
 */
#include "probe.h"

#include <grp.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

static int try_setuid(void)
{
	return result_of(setuid(0));
}

static int try_setresuid(void)
{
	return result_of(setresuid(-1, 0, -1));
}

static int try_setfsuid(void)
{
	(void)setfsuid(0); /* tells only what it was before */
	return setfsuid(-1) == 0 ? 0 : EPERM;
}

static int try_setgid(void)
{
	return result_of(setgid(0));
}

static int try_setresgid(void)
{
	return result_of(setresgid(-1, 0, -1));
}

static int try_setgroups(void)
{
	const gid_t root = 0;

	return result_of(setgroups(1, &root));
}

/* Groups that one leaves may be what kept one out. */
static int try_drop_groups(void)
{
	return result_of(setgroups(0, NULL));
}

static int try_capset(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const uint32_t wanted = 1U << CAP_DAC_OVERRIDE | 1U << CAP_SETUID;
	struct __user_cap_data_struct data[2] = { { wanted, wanted, wanted }, { 0, 0, 0 } };

	return result_of(syscall(SYS_capset, &header, data));
}

static int try_ambient(void)
{
	return result_of(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0));
}

/* The copy exits with 0 when it has become root. */
static int try_suid(void)
{
	execl(target.suid, target.suid, "am-i-root", (char *)NULL);
	return errno;
}

static int try_nice(void)
{
	return result_of(setpriority(PRIO_PROCESS, 0, -20));
}

static int try_realtime(void)
{
	const struct sched_param most = { .sched_priority = 1 };

	return result_of(sched_setscheduler(0, SCHED_FIFO, &most));
}

static int try_raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return errno;
	limit.rlim_max++;
	return result_of(setrlimit(RLIMIT_NOFILE, &limit));
}

static int try_settime(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return errno;
	return result_of(clock_settime(CLOCK_REALTIME, &now));
}

static int try_hostname(void)
{
	char name[256];

	if (gethostname(name, sizeof(name)) < 0)
		return errno;
	return result_of(sethostname(name, strlen(name)));
}

static int try_reboot(void)
{
	return privilege_of(syscall(SYS_reboot, 0, 0, 0, NULL));
}

static int try_kexec(void)
{
	return privilege_of(syscall(SYS_kexec_load, 0, 0, NULL, ~0L));
}

static int try_insert_module(void)
{
	return privilege_of(syscall(SYS_init_module, NULL, 0, ""));
}

static int try_remove_module(void)
{
	return privilege_of(syscall(SYS_delete_module, "begat_nonexistent", O_NONBLOCK));
}

static int try_swap(void)
{
	return privilege_of(swapoff("/nonexistent/begat"));
}

static int try_accounting(void)
{
	return privilege_of(acct("/nonexistent/begat"));
}

static int try_kernel_log(void)
{
	return privilege_of(syscall(SYS_syslog, 8 /* the console's level */, NULL, 0));
}

static int try_bpf(void)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	return privilege_of(
		syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attributes, sizeof(attributes)));
}

static int try_perf(void)
{
	struct perf_event_attr everybody = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(everybody),
		.config = PERF_COUNT_SW_CPU_CLOCK,
	};

	return result_of(syscall(SYS_perf_event_open, &everybody, -1, 0, -1, 0));
}

#if defined(__x86_64__)
static int try_ioperm(void)
{
	return result_of(ioperm(0x80, 1, 1));
}

static int try_iopl(void)
{
	return result_of(iopl(3));
}
#endif

const struct try privilege_tries[] = {
	{ "setuid", try_setuid },
	{ "setresuid", try_setresuid },
	{ "setfsuid", try_setfsuid },
	{ "setgid", try_setgid },
	{ "setresgid", try_setresgid },
	{ "setgroups", try_setgroups },
	{ "drop-groups", try_drop_groups },
	{ "capset", try_capset },
	{ "ambient", try_ambient },
	{ "suid", try_suid },
	{ "nice", try_nice },
	{ "realtime", try_realtime },
	{ "raise-limit", try_raise_limit },
	{ "settime", try_settime },
	{ "hostname", try_hostname },
	{ "reboot", try_reboot },
	{ "kexec", try_kexec },
	{ "insert-module", try_insert_module },
	{ "remove-module", try_remove_module },
	{ "swap", try_swap },
	{ "accounting", try_accounting },
	{ "kernel-log", try_kernel_log },
	{ "bpf", try_bpf },
	{ "perf", try_perf },
#if defined(__x86_64__)
	{ "ioperm", try_ioperm },
	{ "iopl", try_iopl },
#endif
	{ NULL, NULL },
};
