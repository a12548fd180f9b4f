/* SPDX-License-Identifier: ISC */
/*
 * How many descriptors the master may have.
 *
 * Every listener is one, every service that logs its workers' stderr has two, and the soft limit is
 * often 1,024.  Workers get back what begatd was started with: programs that use select(2) rely on
 * it.
 */
#include "config.h"

#include "start/nofile.h"

#include <sys/resource.h>

#include "base/fd.h"
#include "report/log.h"

#define SPARE 256 /* beside the listeners: connections on their way, logs, a reload, ourselves */

static rlim_t count_wanted(const struct config *config)
{
	return FD_PARKED + config_count_listeners(config) + 2 * config->nservices + SPARE;
}

static struct rlimit read_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		fatal(EXIT_GENERIC, "RLIMIT_NOFILE: %m");
	return limit;
}

/* The hard limit stays as it is. */
static void raise_soft(rlim_t wanted, rlim_t most, struct plan_global *global)
{
	struct rlimit limit = { wanted, most };

	if (wanted < global->nofile_soft)
		limit.rlim_cur = global->nofile_soft;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		fatal(EXIT_GENERIC, "RLIMIT_NOFILE: %m");
	global->nofile_wanted = limit.rlim_cur;
	global->restore_nofile = global->nofile_soft < global->nofile_hard; /* reloads raise it */
}

void nofile_start(const struct config *config, struct plan_global *global)
{
	const struct rlimit found = read_limit();
	const rlim_t wanted = count_wanted(config);

	if (found.rlim_max < wanted)
		fatal(EXIT_GENERIC,
		      "%zu listeners need %llu descriptors, and the hard limit is %llu; raise it "
		      "(ulimit -Hn, LimitNOFILE=)",
		      config_count_listeners(config), (unsigned long long)wanted,
		      (unsigned long long)found.rlim_max);
	global->nofile_soft = found.rlim_cur;
	global->nofile_hard = found.rlim_max;
	raise_soft(wanted, found.rlim_max, global);
}

static rlim_t least(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

void nofile_reload(const struct config *config, const struct handover *old,
		   struct plan_global *global)
{
	const rlim_t most = read_limit().rlim_max;

	global->nofile_hard = least(old->nofile_hard, most);
	global->nofile_soft = least(old->nofile_soft, most);
	raise_soft(least(count_wanted(config), most), most, global);
}
