/* SPDX-License-Identifier: ISC */
/*
 * Running a program on the connection.
 *
 * The argument list is the administrator's, word for word: there is no shell, and nothing that a
 * client sent is ever among it.  exec_program() may run in memory that is still the master's, so it
 * keeps to its stack.
 */
#include "config.h"

#include "worker/exec.h"

#include "worker/banner.h"
#include "worker/environ.h"
#include "worker/sandbox.h"
#include "base/raw.h"
#include "worker/session.h"

long exec_program(const struct worker_task *task)
{
	char *arguments[PLAN_VECTOR_MAX + 1];
	struct environ_block block;
	long result;

	plan_vector(task->plan, task->service->argv, arguments);
	environ_build(task, &block);
	result = sandbox_filter(task);
	if (result < 0)
		worker_fail(task, WORKER_STEP_FILTER, result);
	return RAW(SYS_execve, plan_text(task->plan, task->service->path), arguments, block.vector);
}

void exec_banner(const struct worker_task *task)
{
	static struct begat_session session; /* not on the stack, which would be cleared whole */
	const struct session_settings settings = {
		.fd = worker_client_fd(task),
		.is_pipe = task->listener->kind == PLAN_FIFO,
	};

	session_init(&session, &settings);
	banner_greet(&session, task);
}
