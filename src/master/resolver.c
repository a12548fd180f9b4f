/* SPDX-License-Identifier: ISC */
/*
 * The resolver, as the master keeps it.
 *
 * We have both ends of the socket on which workers ask, and never read from it: so a question that
 * comes while no resolver runs waits for the next one, and neither a resolver that dies nor a
 * reload loses any.  After a reload the next master starts a resolver of its own on the same
 * socket; the old one notices that its standard input has ended, takes no more questions, and
 * finishes.
 *
 * One that ends well has found the socket shut down.  A worker can do that to all others, so the
 * next resolver gets a new socket.
 */
#include "config.h"

#include "master/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "master/begatd.h"
#include "master/errlog.h"
#include "master/loop.h"
#include "master/signals.h"
#include "report/log.h"

#define FIRST_PAUSE_S 1
#define LAST_PAUSE_S  60
#define WELL_S	      60 /* one that has lived so long starts from the first pause again */

static void start(void *unused);

static struct {
	const struct plan *plan;
	bool wanted; /* by a service; or else only workers of before may ask */
	struct resolver_ends ends;
	int leash_fd; /* the end of its standard input that is ours; -1: it does not run */
	pid_t pid;    /* 0: it does not run */
	unsigned pause_s;
	int64_t started_ns; /* monotonic */
	struct timer again;
	struct errlog *errlog;
} resolver = {
	.ends = { -1, -1 },
	.leash_fd = -1,
	.again = { .fire = start },
};

static void close_ends(void)
{
	fd_close(&resolver.ends.workers);
	fd_close(&resolver.ends.resolvers);
}

static int open_ends(void)
{
	int theirs;

	if (resolver.ends.resolvers >= 0)
		return 0;
	if (fd_pair(&resolver.ends.workers, &theirs) < 0)
		return -1;
	resolver.ends.resolvers = fd_park(theirs);
	if (resolver.ends.resolvers >= 0)
		return 0;
	close_ends();
	return -1;
}

static void become_begatd(const struct plan *plan) __attribute__((noreturn));
static void become_begatd(const struct plan *plan)
{
	static char name[] = "begat: resolver";
	char option[64], *arguments[] = { name, option, NULL };

	if (plan->global.resolver_uid == (uid_t)-1)
		snprintf(option, sizeof(option), "--resolver=%d", resolver.ends.resolvers);
	else
		snprintf(option, sizeof(option), "--resolver=%d,%u,%u", resolver.ends.resolvers,
			 plan->global.resolver_uid, plan->global.resolver_gid);
	begatd_execute(plan, true, arguments);
	dprintf(STDERR_FILENO, "begatd: %m");
	_exit(EXIT_FAILURE);
}

/* In the child, which gets a process group of its own so that no terminal's signals reach it; 0 is
 * /dev/null in the master. */
static void run(const struct plan *plan, int leash, int problems) __attribute__((noreturn));
static void run(const struct plan *plan, int leash, int problems)
{
	if (setpgid(0, 0) < 0 || dup2(STDIN_FILENO, STDOUT_FILENO) < 0 ||
	    dup2(problems >= 0 ? problems : STDIN_FILENO, STDERR_FILENO) < 0 ||
	    dup2(leash, STDIN_FILENO) < 0 || fd_set_cloexec(resolver.ends.resolvers, false) < 0)
		_exit(EXIT_FAILURE);
	become_begatd(plan);
}

static int spawn(void)
{
	int leash[2], problems, error;

	if (open_ends() < 0 || pipe2(leash, O_CLOEXEC) < 0)
		return -1;
	problems = errlog_writer(&resolver.errlog, "resolver"); /* or else nobody reads them */
	resolver.leash_fd = fd_park(leash[1]);
	resolver.pid = resolver.leash_fd < 0 ? -1 : fork();
	if (resolver.pid == 0)
		run(resolver.plan, leash[0], problems);
	error = errno;
	(void)close(leash[0]); /* the child has it */
	errno = error;
	if (resolver.pid > 0)
		return 0;
	resolver.pid = 0;
	fd_close(&resolver.leash_fd);
	errno = error;
	return -1;
}

static void lengthen_pause(void)
{
	const bool was_well =
		resolver.started_ns && clock_now_ns() - resolver.started_ns >= WELL_S * NS_IN_S;

	if (resolver.pause_s == 0 || was_well)
		resolver.pause_s = FIRST_PAUSE_S;
	else
		resolver.pause_s =
			resolver.pause_s < LAST_PAUSE_S / 2 ? resolver.pause_s * 2 : LAST_PAUSE_S;
	timer_start(&resolver.again, resolver.pause_s * MS_IN_S);
}

static void start(void *unused)
{
	(void)unused;
	if (spawn() == 0) {
		resolver.started_ns = clock_now_ns();
		return;
	}
	resolver.started_ns = 0;
	lengthen_pause();
	log_line(LOG_ERR, "resolver: cannot start: %m; the next try is in %u s", resolver.pause_s);
}

static bool is_wanted(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nservices; i++)
		if (plan_service(plan, i)->asks_names)
			return true;
	return false;
}

struct resolver_ends resolver_save(void)
{
	return resolver.ends;
}

void resolver_adopt(const struct resolver_ends *ends)
{
	resolver.ends = *ends;
}

void resolver_init(const struct plan *plan)
{
	resolver.plan = plan;
	resolver.wanted = is_wanted(plan);
	if (!resolver.wanted)
		fd_close(&resolver.ends.workers); /* when theirs are closed, it ends */
	else if (resolver.ends.workers < 0)
		close_ends();
	if (resolver.wanted || resolver.ends.resolvers >= 0)
		start(NULL);
}

int resolver_fd(void)
{
	return resolver.pid || resolver.pause_s <= FIRST_PAUSE_S ? resolver.ends.workers : -1;
}

/* Its socket is good for nothing any more; or nobody is left who could ask. */
static bool is_over(int status)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_OK)
		return false;
	close_ends();
	return !resolver.wanted;
}

static void log_end(int status)
{
	if (WIFSIGNALED(status))
		log_line(LOG_ERR, "resolver killed by SIG%s; the next one starts in %u s",
			 signals_name(WTERMSIG(status)), resolver.pause_s);
	else
		log_line(LOG_ERR, "resolver has ended with status %d; the next one starts in %u s",
			 WEXITSTATUS(status), resolver.pause_s);
}

bool resolver_reaped(pid_t pid, int status)
{
	if (pid == 0 || pid != resolver.pid)
		return false;
	resolver.pid = 0;
	fd_close(&resolver.leash_fd);
	errlog_finish(resolver.errlog, pid);
	if (is_over(status)) {
		errlog_close(&resolver.errlog);
		return true;
	}
	lengthen_pause();
	log_end(status);
	return true;
}

void resolver_fini(void)
{
	timer_stop(&resolver.again);
	if (resolver.pid)
		(void)kill(resolver.pid, SIGKILL); /* not reaped, so it is nobody else */
	resolver.pid = 0;
	fd_close(&resolver.leash_fd);
	close_ends();
	errlog_close(&resolver.errlog);
}
