/* SPDX-License-Identifier: ISC */
/*
 * begat-master: the master program.
 *
 * Static and small, because it is forked for every connection.  begatd becomes it by exec, with the
 * number of the plan's descriptor as its argument, and in a reload one master becomes the next;
 * nobody starts it by hand.
 */
#include "config.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/title.h"
#include "handlers/handler.h"
#include "master/master.h"
#include "plan/launch.h"
#include "plan/packet.h"
#include "plan/plan.h"
#include "report/log.h"

static const struct plan *map_plan(int fd)
{
	const struct plan *plan = plan_map(fd);

	if (plan == NULL && errno == ESTALE)
		fatal(EXIT_GENERIC,
		      "begatd is of another build than this begat-master; install both "
		      "from one build");
	if (plan == NULL)
		fatal(EXIT_GENERIC, "descriptor %d is not a plan: %m", fd);
	return plan;
}

static bool has_handlers(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nservices; i++)
		if (plan_service(plan, i)->handler >= 0 &&
		    handler_at((size_t)plan_service(plan, i)->handler) == NULL)
			return false;
	return true;
}

/* For the preflight of a reload: would we start with this plan? */
static void check(const char *number) __attribute__((noreturn));
static void check(const char *number)
{
	const struct plan *plan;
	const char *error;
	int fd = (int)strtonum(number, STDERR_FILENO + 1, INT_MAX, &error);

	if (error)
		fatal(EXIT_USAGE, "--check %s: %s", number, error);
	plan = map_plan(fd);
	if (!plan_is_sound(plan) || !has_handlers(plan))
		fatal(EXIT_GENERIC, "the plan is damaged");
	puts(plan->stamp); /* any program can exit with 0 */
	exit(fflush(stdout) == 0 ? EXIT_OK : EXIT_GENERIC);
}

/* The way back, for fatal(): the program that was here before us starts again, with its own plan
 * and its own state.  All that it needs is open, and takes no parsing. */
static struct launch launch = { .talk_fd = -1, .back = { -1, -1, -1 } };

static void go_back(void)
{
	const struct launch back = {
		.plan_fd = launch.back.plan_fd,
		.state_fd = launch.back.state_fd,
		.talk_fd = -1,
		.back = { -1, -1, -1 },
		.message = *fatal_message() ? fatal_message() : "it ended without a message",
	};

	if (launch.back.master_fd < 0 || master_is_ready())
		return;
	if (launch.talk_fd >= 0)
		packet_dismiss(launch.talk_fd);
	master_leave(launch.back.master_fd, &back);
}

int main(int argc, char **argv)
{
	const struct plan *plan;

	log_init("begat-master");
	(void)prctl(PR_SET_NAME, "begat-master"); /* we may be started by descriptor; cannot fail */
	if (argc == 3 && strcmp(argv[1], "--check") == 0)
		check(argv[2]);
	if (atexit(go_back) != 0)
		fatal(EXIT_GENERIC, "atexit: %m");
	if (launch_parse(argc, argv, &launch) < 0)
		fatal(EXIT_USAGE, "this is started by begatd(8), not by hand");
	plan = map_plan(launch.plan_fd);
	launch.message = launch.message ? xstrdup(launch.message) : NULL; /* before the title */
	title_init(argc, argv);
	return master_run(plan, &launch);
}
