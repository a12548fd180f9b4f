/* SPDX-License-Identifier: ISC */
/*
 * A program that a client may start by name: fork, exec with the administrator's argument list,
 * relay what it writes, reap.
 *
 * No shell is involved, and nothing that the client sent reaches the program: not its arguments,
 * not its environment, not its standard input.  It gets descriptors 0 to 2 and no other, default
 * signals, a process group of its own so that it can be killed with its children, and dies with
 * this worker.  The output comes through a pipe rather than straight to the client, for the line
 * ends and so that there is a limit.
 */
#include "config.h"

#include "handlers/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/close_range.h>

#define COMMAND_PATH "/usr/local/bin:/usr/bin:/bin"
#define CHUNK	     4096

struct command {
	struct begat_session *session;
	pid_t pid;
	int pidfd;	     /* readable once it has exited */
	int output;	     /* our end of its pipe; -1 after the end of file */
	int64_t deadline_ms; /* CLOCK_MONOTONIC; 0: none */
	size_t relayed;	     /* bytes */
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: valid clock, valid pointer */
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* -- the child's side -- */

/* Ignored signals would survive the exec.  EINVAL for those that cannot be changed. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail: valid arguments */
}

static int arrange(pid_t worker, int input, int output)
{
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (getppid() != worker) /* died before it could be watched */
		_exit(1);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		return -1;
	/* Close-on-exec rather than closed: a failure is still to be reported. */
	return syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -1 : 0;
}

/* Only these, and only values that the administrator gave the daemon. */
static void execute(char *const argv[])
{
	static const char *const passed[] = { "TZ", "LANG" };
	char path[] = "PATH=" COMMAND_PATH, *environment[4] = { path };
	size_t count = 1;

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		const char *value = getenv(passed[i]);

		if (value && asprintf(&environment[count], "%s=%s", passed[i], value) >= 0)
			count++;
	}
	environment[count] = NULL;
	execve(argv[0], argv, environment);
}

static _Noreturn void child(pid_t worker, int input, int output, char *const argv[])
{
	const int log = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	reset_signals();
	if (arrange(worker, input, output) == 0)
		execute(argv);
	if (log >= 0)
		dprintf(log, "command: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* -- the worker's side -- */

/* Its status as waitpid(2) has it; -1 when somebody else has taken it. */
static int reap(const struct command *command, bool killing)
{
	const int saved = errno;
	int status;
	pid_t pid;

	if (killing && kill(-command->pid, SIGKILL) < 0) /* not a group leader yet */
		(void)kill(command->pid, SIGKILL);	 /* ours and not reaped: it is there */
	do
		pid = waitpid(command->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	errno = saved;
	return pid < 0 ? -1 : status;
}

/* The child's ends are always above 2: the worker has those open. */
static int spawn(struct command *command, char *const argv[], int input, int output)
{
	const pid_t worker = getpid();

	command->pid = fork();
	if (command->pid == 0)
		child(worker, input, output, argv);
	if (command->pid < 0)
		return -1;
	(void)setpgid(command->pid, command->pid); /* the child does too: whoever comes first */
	command->pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0);
	if (command->pidfd >= 0)
		return 0;
	reap(command, true);
	return -1;
}

static int start(struct command *command, char *const argv[])
{
	int ends[2], input, result, error;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	command->output = ends[0];
	input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	result = input < 0 ? -1 : spawn(command, argv, input, ends[1]);
	error = errno;
	close(ends[1]);
	if (input >= 0)
		close(input);
	if (result < 0)
		close(command->output);
	errno = error;
	return result;
}

/* One piece of output.  COMMAND_EXITED to go on. */
static enum command_end relay(struct command *command)
{
	char bytes[CHUNK];
	const ssize_t got = read(command->output, bytes, sizeof(bytes));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return COMMAND_EXITED;
	if (got <= 0) {
		close(command->output);
		command->output = -1;
		return COMMAND_EXITED;
	}
	command->relayed += got;
	if (command->relayed > COMMAND_OUTPUT_MAX)
		return COMMAND_OVERFLOW;
	if (begat_write_text(command->session, bytes, got) < 0 || begat_flush(command->session) < 0)
		return COMMAND_ABANDONED;
	return COMMAND_EXITED;
}

/* poll(2)'s time limit. */
static int left_ms(const struct command *command)
{
	int64_t left;

	if (command->deadline_ms == 0)
		return -1;
	left = command->deadline_ms - now_ms();
	if (left <= 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

/* Until the program has exited and its output is relayed; EXITED then, else why to kill it.  Events
 * of the client that are not asked for tell that it is gone for good: one that has half-closed
 * still waits for the answer. */
static enum command_end watch(struct command *command)
{
	enum command_end end = COMMAND_EXITED;

	while (end == COMMAND_EXITED) {
		struct pollfd fds[] = {
			{ .fd = command->output, .events = POLLIN },
			{ .fd = command->pidfd, .events = POLLIN },
			{ .fd = begat_descriptor(command->session) },
		};
		const int left = left_ms(command);

		if (left == 0)
			return COMMAND_TIMEOUT;
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), left) < 0)
			continue; /* EINTR, or ENOMEM until the deadline */
		if (fds[2].revents)
			return COMMAND_ABANDONED;
		if (fds[0].revents)
			end = relay(command);
		else if (fds[1].revents)
			return COMMAND_EXITED;
	}
	return end;
}

enum command_end command_run(struct begat_session *session, char *const argv[],
			     long long timeout_ms, int *code)
{
	struct command command = { .session = session };
	enum command_end end;
	int status;

	*code = 0;
	command.deadline_ms = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	if (start(&command, argv) < 0)
		return COMMAND_NOT_STARTED;
	end = watch(&command);
	status = reap(&command, end != COMMAND_EXITED);
	close(command.pidfd);
	if (command.output >= 0)
		close(command.output);
	if (end != COMMAND_EXITED || status < 0)
		return end;
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	return WIFEXITED(status) ? COMMAND_EXITED : COMMAND_SIGNALLED;
}
