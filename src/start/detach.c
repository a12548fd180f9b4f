/* SPDX-License-Identifier: ISC */
/*
 * Becoming a daemon.
 *
 * The classic steps: fork, so that the shell gets its prompt and we lead no process group; setsid,
 * to leave the terminal; fork again, so that none can ever become ours.  (The other two, chdir to /
 * and umask, a daemon in the foreground needs as well: begatd.c and start/inherited.c.)  What
 * daemon(3) leaves out is the answer: the first process stays until the last one has opened every
 * listener, or has failed, and passes that on to the shell.  0 to 2 become /dev/null in the master,
 * when there is nothing left to say on them.
 */
#include "config.h"

#include "start/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/fd.h"
#include "report/log.h"

#define READY_TIMEOUT_MS 60000

static void wait_and_exit(int fd) __attribute__((noreturn));
static void wait_and_exit(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	unsigned char answer;
	sigset_t none;
	int ready;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* Control-C ends the waiting; cannot fail */
	do
		ready = poll(&wait, 1, READY_TIMEOUT_MS);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		fatal(EXIT_GENERIC, "the daemon is not ready after %d s; see its log",
		      READY_TIMEOUT_MS / 1000);
	if (ready < 0 || read(fd, &answer, 1) != 1)
		_exit(EXIT_GENERIC); /* it died; if it could, it has said why */
	_exit(answer == '\n' ? EXIT_OK : answer);
}

static pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fatal(EXIT_GENERIC, "fork: %m");
	return pid;
}

int detach_start(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		fatal(EXIT_GENERIC, "pipe: %m");
	if (fork_or_die() > 0) {
		(void)close(ends[1]); /* so that the pipe ends with the daemon */
		wait_and_exit(ends[0]);
	}
	if (setsid() < 0)
		fatal(EXIT_GENERIC, "setsid: %m");
	if (fork_or_die() > 0)
		_exit(EXIT_OK);
	(void)close(ends[0]); /* the waiting process reads it */
	ends[1] = fd_park(ends[1]);
	if (ends[1] < 0)
		fatal(EXIT_GENERIC, "cannot detach: %m");
	fatal_set_report(ends[1]);
	return ends[1];
}
