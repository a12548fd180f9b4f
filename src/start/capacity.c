/* SPDX-License-Identifier: ISC */
/*
 * Whether the machine lets us have what the configuration allows.
 *
 * A limit that is too small is no error: most daemons never see all of their instances.  But who
 * sees them should have been told before, and not by clients who wait.
 */
#include "config.h"

#include "start/capacity.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include "handlers/handler.h"
#include "start/nofile.h"

#define NO_LIMIT	SIZE_MAX
#define OTHER_PROCESSES 256 /* of a machine that does nothing else */

static size_t sum_instances(const struct config *config, bool headers_only)
{
	size_t sum = 0;

	for (size_t i = 0; i < config->nservices; i++) {
		const struct service *service = config->services[i];

		if (service->disable)
			continue;
		if (!headers_only || service->admission.proxies)
			sum += service->instances;
		else if (service->handler == &tcpmux_handler)
			sum += 2 * service->instances; /* a copy of the connection, besides */
	}
	return sum < config->instances ? sum : config->instances;
}

size_t capacity_workers(const struct config *config)
{
	return sum_instances(config, false);
}

size_t capacity_headers(const struct config *config)
{
	return sum_instances(config, true);
}

static size_t read_limit(__rlimit_resource_t resource, bool hard)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return NO_LIMIT;
	limit.rlim_cur = hard ? limit.rlim_max : limit.rlim_cur;
	return limit.rlim_cur == RLIM_INFINITY ? NO_LIMIT : limit.rlim_cur;
}

static size_t read_pid_max(void)
{
	FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
	size_t most = NO_LIMIT;

	if (file && fscanf(file, "%zu", &most) != 1)
		most = NO_LIMIT;
	if (file)
		(void)fclose(file); /* only read from */
	return most;
}

void capacity_check(const struct config *config)
{
	const size_t workers = capacity_workers(config), headers = capacity_headers(config);
	const size_t descriptors = nofile_count(config) + headers;
	const size_t nproc = read_limit(RLIMIT_NPROC, false), pids = read_pid_max();
	const size_t nofile = read_limit(RLIMIT_NOFILE, true);

	if (workers > nproc)
		fprintf(stderr,
			"%s: warning: instances: up to %zu workers at a time, but a user may have "
			"%zu processes (RLIMIT_NPROC); raise that (ulimit -u, LimitNPROC=) or "
			"lower "
			"instances\n",
			config->file, workers, nproc);
	if (pids != NO_LIMIT && workers + OTHER_PROCESSES > pids)
		fprintf(stderr,
			"%s: warning: instances: up to %zu workers at a time, but the machine has "
			"room for %zu processes (kernel.pid_max)\n",
			config->file, workers, pids);
	if (headers && descriptors > nofile)
		fprintf(stderr,
			"%s: warning: proxy-protocol: up to %zu connections whose header is "
			"missing "
			"need %zu descriptors, but the hard limit is %zu (RLIMIT_NOFILE); raise it "
			"(ulimit -Hn, LimitNOFILE=) or lower instances\n",
			config->file, headers, descriptors, nofile);
}
