/* SPDX-License-Identifier: ISC */
/*
 * The preflight as the master sees it.
 *
 * A child that becomes begatd, with two sockets back to us: on its standard output it talks in
 * packets (plan/packet.h), what it writes to its standard error is logged.  Both keep their writes
 * in one piece, so a line cannot come in two.  It runs while we serve; its own process group and a
 * time limit make sure that it ends.  start/preflight.c is the other half.
 *
 * What may allocate happens after the fork, in the child.
 */
#include "config.h"

#include "master/preflight.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memfd.h"
#include "master/begatd.h"
#include "master/loop.h"
#include "master/signals.h"
#include "plan/packet.h"
#include "report/log.h"
#include "report/status.h"

#define LINES_MAX 250 /* that are logged; begatd itself stops at 200 */
#define SPEAKER	  "begatd: "
#define AT_ONCE	  64 /* packets, before others have their turn */
#define TEXT_MAX  4096

static void end_time(void *unused);

static struct {
	pid_t pid; /* 0: none */
	struct watch talk, problems;
	struct timer limit;
	int64_t timeout_ms;
	bool ready; /* it only waits for us, and cleans up when it is dismissed */
	int *parts;
	size_t nparts;
	unsigned lines;
	char message[256];
	const struct preflight_events *events;
} preflight = {
	.talk = { .fd = -1 },
	.problems = { .fd = -1 },
	.limit = { .fire = end_time },
};

const int *preflight_parts(size_t *count)
{
	*count = preflight.nparts;
	return preflight.parts;
}

int preflight_talk_fd(void)
{
	return preflight.talk.fd;
}

const char *preflight_message(void)
{
	return preflight.message;
}

static int write_state(const struct plan *plan, const struct state *state)
{
	int fd = memfd_open("begat state");

	return fd >= 0 && status_write(plan, state, STATUS_FOR_RELOAD, fd) == 0 ? fd : -1;
}

static void exec_begatd(const struct plan *plan, bool gone, int state_fd)
{
	char option[32], *arguments[1 + PLAN_VECTOR_MAX + 1];

	snprintf(option, sizeof(option), PACKET_OPTION "%d", state_fd);
	plan_vector(plan, plan->global.argv, arguments + 1);
	arguments[0] = arguments[1]; /* its name; then ours, and what it was started with */
	arguments[1] = option;
	begatd_execute(plan, gone, arguments);
}

static int pass_on(const struct plan *plan, int state_fd)
{
	if (fd_set_cloexec(state_fd, false) < 0 ||
	    fd_set_cloexec(plan->global.effective_fd, false) < 0)
		return -1;
	return fd_set_cloexec(plan->global.master_fd, false);
}

/* In the child.  It dies with us, and with all that it may have started when its time is over. */
static void run(const struct plan *plan, struct state *state, int talk, int problems)
	__attribute__((noreturn));
static void run(const struct plan *plan, struct state *state, int talk, int problems)
{
	const char *path = plan_text(plan, plan->global.begatd_path);
	int fd;

	state->begatd_gone = begatd_is_gone(plan);
	if (setpgid(0, 0) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
	    dup2(talk, STDOUT_FILENO) >= 0 && dup2(problems, STDERR_FILENO) >= 0) {
		fd = write_state(plan, state);
		if (fd >= 0 && pass_on(plan, fd) == 0)
			exec_begatd(plan, state->begatd_gone, fd);
	}
	dprintf(STDERR_FILENO, "%s: %m", path ? path : "begatd");
	_exit(EXIT_FAILURE);
}

/* "FILE:LINE: warning: ...", and not a quoted value with these words in it. */
static bool is_warning(const char *line)
{
	const char *word = strstr(line, ": warning: ");

	return word && memchr(line, '"', (size_t)(word - line)) == NULL;
}

static void log_problem(char *line)
{
	bool warns = is_warning(line);

	if (strncmp(line, SPEAKER, strlen(SPEAKER)) == 0)
		line += strlen(SPEAKER); /* "reload: " says enough */
	if (*line == '\0' || preflight.lines > LINES_MAX)
		return;
	if (preflight.lines++ == LINES_MAX) {
		log_line(LOG_ERR, "reload: further messages are left out");
		return;
	}
	log_line(warns ? LOG_WARNING : LOG_ERR, "reload: %s", line);
	if (!warns && preflight.message[0] == '\0')
		strlcpy(preflight.message, line, sizeof(preflight.message));
}

static void read_problems(void *unused)
{
	char text[TEXT_MAX + 1], *rest, *line;
	ssize_t length = -1;

	(void)unused;
	for (int i = 0; i < AT_ONCE; i++) {
		length = recv(preflight.problems.fd, text, TEXT_MAX, MSG_DONTWAIT);
		if (length <= 0)
			break;
		text[length] = '\0';
		rest = text;
		while ((line = strsep(&rest, "\n")))
			log_problem(line);
	}
	if (length == 0)
		loop_del(&preflight.problems);
}

/* Takes them over in any case. */
static int add_parts(const struct packet *packet)
{
	int *grown = reallocarray(preflight.parts, preflight.nparts + packet->nfds, sizeof(int));
	int result = grown ? 0 : -1;

	if (grown)
		preflight.parts = grown;
	for (size_t i = 0; i < packet->nfds; i++) {
		int fd = grown ? fd_park(packet->fds[i]) : -1;

		if (fd >= 0)
			preflight.parts[preflight.nparts++] = fd;
		else
			result = -1;
		if (grown == NULL)
			(void)close(packet->fds[i]); /* not needed */
	}
	return result;
}

static void fail(const char *why)
{
	preflight_stop();
	preflight.events->failed(why);
}

static void take_packet(const struct packet *packet)
{
	switch (packet->kind) {
	case PACKET_DETAIL:
		log_debug("reload", "reload: %s", packet->text);
		break;
	case PACKET_PARTS:
		if (add_parts(packet) < 0)
			fail("no room for the descriptors of new listeners");
		break;
	case PACKET_READY:
		preflight.ready = true;
		preflight.events->ready();
		break;
	default:
		fail("the preflight says what cannot be understood");
		break;
	}
}

static void read_packets(void *unused)
{
	struct packet packet;
	int got = 1;

	(void)unused;
	for (int i = 0; i < AT_ONCE && preflight.pid && got > 0; i++) {
		got = packet_receive(preflight.talk.fd, &packet, MSG_DONTWAIT);
		if (got > 0)
			take_packet(&packet);
	}
	if (!preflight.pid || got > 0)
		return;
	if (got == 0)
		loop_del(&preflight.talk); /* its end says the rest */
	else if (errno == EMFILE)
		fail("too many descriptors are open");
}

static void end_time(void *unused)
{
	static char why[96];

	(void)unused;
	snprintf(why, sizeof(why),
		 "the preflight has not come to an end within %lld s (reload-timeout)",
		 (long long)(preflight.timeout_ms / MS_IN_S));
	fail(why);
}

static int open_sockets(int talk[2], int problems[2])
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC;

	if (socketpair(AF_UNIX, type, 0, talk) < 0)
		return -1;
	if (socketpair(AF_UNIX, type, 0, problems) < 0) {
		(void)close(talk[0]); /* nothing was said */
		(void)close(talk[1]);
		return -1;
	}
	return 0;
}

static int watch(struct watch *watch, int fd, void (*ready)(void *context))
{
	*watch = (struct watch){ .fd = fd_park(fd), .ready = ready };
	return watch->fd < 0 ? -1 : loop_add(watch);
}

void preflight_reset(void)
{
	preflight.ready = false;
	preflight.lines = 0;
	preflight.message[0] = '\0';
}

/* Parks both in any case, so that stopping closes them. */
static int watch_both(int talk, int problems)
{
	int result = watch(&preflight.problems, problems, read_problems);

	return watch(&preflight.talk, talk, read_packets) < 0 ? -1 : result;
}

int preflight_start(const struct plan *plan, struct state *state,
		    const struct preflight_events *events)
{
	int talk[2], problems[2];
	int error;

	if (open_sockets(talk, problems) < 0)
		return -1;
	preflight.timeout_ms = plan->global.reload_timeout_ms;
	preflight.events = events;
	preflight.pid = watch_both(talk[0], problems[0]) < 0 ? -1 : fork();
	if (preflight.pid == 0)
		run(plan, state, talk[1], problems[1]);
	error = errno;
	(void)close(talk[1]); /* the child has these two */
	(void)close(problems[1]);
	if (preflight.pid > 0) {
		timer_start(&preflight.limit, preflight.timeout_ms);
		return 0;
	}
	preflight.pid = 0;
	preflight_stop();
	errno = error;
	return -1;
}

int preflight_send_state(const struct plan *plan, const struct state *state)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid < 0 ? -1 : 0; /* it is reaped as a stranger */
	fd = write_state(plan, state);
	if (fd < 0 || packet_send(preflight.talk.fd, PACKET_STATE, "", &fd, 1) < 0)
		(void)shutdown(preflight.talk.fd,
			       SHUT_RDWR); /* whoever waits on it waits in vain */
	_exit(EXIT_SUCCESS);
}

static const char *take_plan(const struct packet *packet, int *plan_fd, int *state_fd)
{
	if (add_parts(packet) < 0)
		return "too many descriptors are open";
	if (packet->kind != PACKET_PLAN || packet->nfds != 2)
		return "the preflight says what cannot be understood";
	*plan_fd = preflight.parts[preflight.nparts - 2];
	*state_fd = preflight.parts[preflight.nparts - 1];
	return NULL;
}

int preflight_receive_plan(int timeout_ms, int *plan_fd, int *state_fd, const char **why)
{
	struct packet packet;
	struct pollfd wait = { .fd = preflight.talk.fd, .events = POLLIN };

	*why = "the preflight does not answer";
	if (poll(&wait, 1, timeout_ms) <= 0)
		return -1;
	*why = "the preflight could not make the plan";
	if (packet_receive(preflight.talk.fd, &packet, MSG_DONTWAIT) <= 0)
		return -1;
	*why = take_plan(&packet, plan_fd, state_fd);
	return *why ? -1 : 0;
}

static void close_watch(struct watch *watched)
{
	if (watched->fd < 0)
		return;
	loop_del(watched);
	(void)close(watched->fd); /* all has been read that matters */
	watched->fd = -1;
}

static void kill_group(pid_t pid)
{
	(void)kill(-pid, SIGKILL); /* it may not have its group yet, ... */
	(void)kill(pid, SIGKILL);  /* ... or be a zombie already */
}

void preflight_stop(void)
{
	if (preflight.pid && preflight.ready)
		packet_dismiss(preflight.talk.fd); /* it has files of sockets to remove */
	if (preflight.pid)
		kill_group(preflight.pid);
	preflight.pid = 0;
	timer_stop(&preflight.limit);
	if (preflight.problems.fd >= 0)
		read_problems(NULL);
	close_watch(&preflight.problems);
	close_watch(&preflight.talk);
	for (size_t i = 0; i < preflight.nparts; i++)
		(void)close(preflight.parts[i]); /* copies, which nobody has used */
	free(preflight.parts);
	preflight.parts = NULL;
	preflight.nparts = 0;
}

static const char *describe(int status)
{
	static char text[128];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "the preflight was killed by SIG%s",
			 signals_name(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == EXIT_CONFIG)
		return "the configuration is wrong";
	else if (WEXITSTATUS(status) == EXIT_SUCCESS)
		snprintf(text, sizeof(text), "the preflight has ended without an answer");
	else
		snprintf(text, sizeof(text), "the preflight has ended with status %d",
			 WEXITSTATUS(status));
	return text;
}

void preflight_reaped(pid_t pid, int status)
{
	if (pid == 0 || pid != preflight.pid) {
		log_debug("reap", "unknown child %d, status %#x", (int)pid, (unsigned)status);
		return;
	}
	preflight.pid = 0; /* nobody is there to be killed */
	fail(describe(status));
}
