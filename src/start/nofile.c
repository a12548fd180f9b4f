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
#include "cage/cages.h"
#include "report/log.h"
#include "start/capacity.h"

/* Beside the listeners: connections on their way and on their way out, logs, a reload, ourselves.
 */
#define HEADERS_LEAST                                                                              \
	16 /* PROXY headers that may be missing, whatever the limit: part of the spare */

#define SPARE 256

/* A standing worker's listener has a table of sources and a socket to the worker. */
size_t nofile_count(const struct config *config)
{
	return FD_PARKED + 3 * config_count_listeners(config) + 2 * config->nservices +
	       2 * cages_count_fds(config) + SPARE;
}

static rlim_t least(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

/* Not all of them where that is too many: then clients wait. */
static rlim_t count_wanted(const struct config *config, rlim_t most)
{
	return least(nofile_count(config) + capacity_headers(config), most);
}

static struct rlimit read_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		fatal(EXIT_GENERIC, "RLIMIT_NOFILE: %m");
	return limit;
}

/* The hard limit stays as it is. */
static void raise_soft(rlim_t needed, rlim_t wanted, rlim_t most, struct plan_global *global)
{
	struct rlimit limit = { wanted, most };

	if (wanted < global->nofile_soft)
		limit.rlim_cur = global->nofile_soft;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		fatal(EXIT_GENERIC, "RLIMIT_NOFILE: %m");
	global->nofile_wanted = limit.rlim_cur;
	global->headers = limit.rlim_cur > needed + HEADERS_LEAST
				  ? (uint32_t)least(limit.rlim_cur - needed, UINT32_MAX)
				  : HEADERS_LEAST;
	global->restore_nofile = global->nofile_soft < global->nofile_hard; /* reloads raise it */
}

void nofile_start(const struct config *config, struct plan_global *global)
{
	const struct rlimit found = read_limit();
	const rlim_t needed = nofile_count(config);

	if (found.rlim_max < needed)
		fatal(EXIT_GENERIC,
		      "%zu listeners need %llu descriptors, and the hard limit is %llu; raise it "
		      "(ulimit -Hn, LimitNOFILE=)",
		      config_count_listeners(config), (unsigned long long)needed,
		      (unsigned long long)found.rlim_max);
	global->nofile_soft = found.rlim_cur;
	global->nofile_hard = found.rlim_max;
	raise_soft(needed, count_wanted(config, found.rlim_max), found.rlim_max, global);
}

void nofile_reload(const struct config *config, const struct handover *old,
		   struct plan_global *global)
{
	const rlim_t most = read_limit().rlim_max;

	global->nofile_hard = least(old->nofile_hard, most);
	global->nofile_soft = least(old->nofile_soft, most);
	raise_soft(nofile_count(config), count_wanted(config, most), most, global);
}
