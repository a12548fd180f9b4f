/* SPDX-License-Identifier: ISC */
/*
 * begat-master: the master program.
 *
 * Static and small, because it is forked for every connection.  begatd becomes it by exec, with the
 * number of the plan's descriptor as its argument; nobody starts it by hand.
 */
#include "config.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/title.h"
#include "master/master.h"
#include "plan/plan.h"
#include "report/log.h"

static const struct plan *map_plan(int argc, char **argv)
{
	const char *error = NULL;
	const struct plan *plan;
	int fd = argc > 1 ? (int)strtonum(argv[1], 3, INT_MAX, &error) : -1;

	if (fd < 0 || error)
		fatal(EXIT_USAGE, "this is started by begatd(8), not by hand");
	plan = plan_map(fd);
	if (plan == NULL && errno == ESTALE)
		fatal(EXIT_GENERIC,
		      "begatd is of another build than this begat-master; install both "
		      "from one build");
	if (plan == NULL)
		fatal(EXIT_GENERIC, "descriptor %d is not a plan: %m", fd);
	(void)close(fd); /* the mapping stays */
	return plan;
}

int main(int argc, char **argv)
{
	const struct plan *plan;

	log_init("begat-master");
	plan = map_plan(argc, argv);
	title_init(argc, argv);
	return master_run(plan);
}
