/* SPDX-License-Identifier: ISC */
/*
 * Signals.
 *
 * All of them are blocked, from begatd's first line on and over every exec, and are read from a
 * signalfd in the loop, where any code may run: so no system call of ours is interrupted, and there
 * is no handler that could do too much.  SIGPIPE and SIGXFSZ are read and dropped: the write that
 * raised them has said EPIPE or EFBIG.  Workers start with an empty mask (worker/worker.c).
 */
#include "config.h"

#include "master/signals.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "master/loop.h"

#define SIGNALS_AT_ONCE 16

static struct watch watch;
static signals_handle *handle_signal;

static void read_signals(void *unused)
{
	struct signalfd_siginfo signals[SIGNALS_AT_ONCE];
	ssize_t length;

	(void)unused;
	do {
		length = read(watch.fd, signals, sizeof(signals));
		for (ssize_t i = 0; i < length / (ssize_t)sizeof(*signals); i++)
			handle_signal((int)signals[i].ssi_signo, (pid_t)signals[i].ssi_pid);
	} while (length == (ssize_t)sizeof(signals));
	/* EAGAIN and EINTR: the loop comes again when there is more. */
}

const char *signals_name(int number)
{
	static char text[16];

#ifdef HAVE_SIGABBREV_NP
	if (sigabbrev_np(number))
		return sigabbrev_np(number);
#endif
	if (number >= SIGRTMIN && number <= SIGRTMAX)
		snprintf(text, sizeof(text), "RTMIN+%d", number - SIGRTMIN);
	else
		snprintf(text, sizeof(text), "%d", number);
	return text;
}

/* Only of ends: a child that is stopped and continued in a loop must not keep us awake. */
static int want_ends(void)
{
	const struct sigaction ends = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP };

	return sigaction(SIGCHLD, &ends, NULL);
}

int signals_open(signals_handle *handle)
{
	sigset_t all;

	if (want_ends() < 0)
		return -1;
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -1;
	watch.fd = fd_park(signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC));
	if (watch.fd < 0)
		return -1;
	handle_signal = handle;
	watch.ready = read_signals;
	return loop_add(&watch);
}
