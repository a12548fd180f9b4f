/* SPDX-License-Identifier: ISC */
/*
 * Internet line ends for a program that writes bare newlines: crlf = true.
 *
 * The worker stays and the program becomes its child.  The program's standard input and error are
 * what they would have been; only its output takes the way through here.  When the client goes away
 * the pipe is closed, so that the program gets SIGPIPE as it would on a socket; when the program
 * ends the worker ends in the same way, so that the log says what happened.
 */
#include "config.h"

#include "worker/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/exec.h"
#include "worker/session.h"

static void become_program(const struct worker_task *task, int output) __attribute__((noreturn));
static void become_program(const struct worker_task *task, int output)
{
	if (dup2(output, STDOUT_FILENO) < 0)
		worker_fail(task, WORKER_STEP_RELAY, -errno);
	worker_fail(task, WORKER_STEP_EXEC, exec_program(task));
}

static ssize_t read_some(int fd, char *buffer, size_t size)
{
	ssize_t length;

	do
		length = read(fd, buffer, size);
	while (length < 0 && errno == EINTR);
	return length;
}

static void open_session(const struct worker_task *task, struct begat_session *session)
{
	const struct session_settings settings = {
		.fd = STDOUT_FILENO,
		.crlf = task->listener->internet,
		.service = plan_text(task->plan, task->service->name),
		.peer = task->connection.text,
	};

	session_init(session, &settings);
}

/* Our side is shut down after the last byte, but nothing is read: the input is the program's. */
static void pass_on(struct begat_session *session, int input)
{
	static char buffer[4096];
	ssize_t length;

	while ((length = read_some(input, buffer, sizeof(buffer))) > 0)
		if (begat_write_text(session, buffer, (size_t)length) < 0 ||
		    begat_flush(session) < 0)
			break;
	(void)close(input);			/* the program gets SIGPIPE if it goes on */
	(void)shutdown(STDOUT_FILENO, SHUT_WR); /* fails only when the client is gone */
}

void relay_run(const struct worker_task *task)
{
	static struct begat_session session; /* not on the stack, which would be cleared whole */
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		worker_fail(task, WORKER_STEP_RELAY, -errno);
	pid = fork();
	if (pid < 0)
		worker_fail(task, WORKER_STEP_RELAY, -errno);
	if (pid == 0)
		become_program(task, ends[1]);
	(void)close(ends[1]); /* so that the pipe ends with the program */
	open_session(task, &session);
	pass_on(&session, ends[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			worker_fail(task, WORKER_STEP_RELAY, -errno);
	(void)begat_finish(&session); /* always 0 */
	worker_end_like(status);
}
