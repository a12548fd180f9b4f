/* SPDX-License-Identifier: ISC */
/*
 * What the process that started us left behind.
 *
 * nohup ignores SIGHUP, a careless parent ignores SIGCHLD, a login shell leaks descriptors, an init
 * starts us with 0 to 2 closed: all of it is inherited over exec, and by default our workers would
 * inherit it in turn.  So the daemon begins from a known state.  Signals stay blocked from here on:
 * the master reads them from a signalfd, and no moment is left in which one could strike.
 */
#include "config.h"

#include "start/inherited.h"

#include <signal.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "report/log.h"

/* The kernel's own call, because the C library's refuses the two signals that it keeps for threads,
 * and a program would get those ignored if our parent did.  All zero is SIG_DFL without flags. */
static void reset_signals(void)
{
	static const unsigned char standard[64] = { 0 };
	sigset_t all;

	for (int number = 1; number < _NSIG; number++)
		/* KILL and STOP refuse, and need not. */
		(void)syscall(SYS_rt_sigaction, number, standard, NULL, _NSIG / 8);
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		fatal(EXIT_GENERIC, "cannot block signals: %m");
}

void inherited_reset(int *keep, size_t count)
{
	if (fd_open_standard() < 0)
		fatal(EXIT_GENERIC, "/dev/null: %m");
	if (fd_close_others(keep, count) < 0)
		fatal(EXIT_GENERIC, "cannot close inherited descriptors: %m");
	reset_signals();
	(void)umask(022); /* cannot fail */
}
