/* SPDX-License-Identifier: ISC */
/*
 * Which system call a handler was ended for.
 *
 * The kernel tells a parent that SIGSYS has ended its child, but not for which call.  So the worker
 * of a handler takes a note before it dies: the only signal handler there is, in a process that has
 * nothing but its connection.  Then it makes the same call again: that ends it, because the signal
 * is blocked while this runs (sigaction(2)).
 */
#include "config.h"

#include "worker/trap.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/raw.h"

#ifndef SYS_SECCOMP /* glibc 2.36 has it in no header */
#define SYS_SECCOMP 1
#endif

#ifndef SA_RESTORER /* where glibc keeps it to itself; of other machines it is another field */
#define SA_RESTORER 0x04000000
#endif

#define NO_SUCH_CALL 0xffff

/* In a page that every worker has touched already. */
static __thread struct worker_report *report;

static void note(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code == SYS_SECCOMP) {
		report->failure =
			(uint32_t)WORKER_STEP_FILTER << 16 | (uint32_t)(info->si_syscall & 0xffff);
		(void)RAW(info->si_syscall, 0); /* ends it: no more let in than it was */
	}
	(void)RAW(NO_SUCH_CALL, 0); /* somebody else's signal: ends it just so, ... */
	worker_exit(128 + number);  /* ... or where only some calls are denied */
}

/* What the kernel takes: rt_sigaction(2).  sigaction(3) lies in pages that a worker has no other
 * use for, and that costs it a fault. */
struct kernel_action {
	void (*handler)(int number, siginfo_t *info, void *context);
	unsigned long flags;
	void (*restorer)(void); /* wanted on some machines, and not used: note() does not return */
	unsigned char mask[_NSIG / 8];
};

static void never(void)
{
}

long trap_set(const struct worker_task *task)
{
	const struct kernel_action action = { .handler = note,
					      .flags = SA_SIGINFO | SA_RESTORER,
					      .restorer = never };

	report = task->report;
	return RAW(SYS_rt_sigaction, SIGSYS, &action, NULL, sizeof(action.mask));
}
