/* SPDX-License-Identifier: ISC */
/*
 * shortage: what begat does while it can do nothing, for run.sh.
 *
 *     shortage [OPTION]... KIND PORT SERVER [ARGUMENT...]
 *
 *     -c CLIENTS  who wait meanwhile, 50        -s SECONDS  it lasts, 10
 *     -g CGROUP   the folder of one that counts processes (RLIMIT_NPROC without it)
 *     -p PERIOD   in which there is one token, in seconds
 *     -x PROGRAM  that becomes ...              -y NAME     ... this one, at the end
 *
 * An echo service is on PORT.  The kinds: "nothing", where nobody waits; "descriptors",
 * "processes", of which the master has none left; "full", whose one instance is held; "rate", whose
 * token is used up; "throttled", whose program fails at once.  Clients who are turned away come
 * again.  None is answered until the shortage ends, or there was none.  Prints "NAME VALUE" lines.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crowd.h"
#include "load.h"
#include "server.h"

#define NS_IN_S	   1000000000LL
#define SETTLE_S   1
#define PATIENCE_S 30
#define FEW	   3 /* descriptors */

static struct {
	int clients, port;
	double seconds, period_s;
	const char *cgroup, *program, *name;
} options = { .clients = 50, .seconds = 10 };

static struct server server;
static struct rlimit usual; /* what was before */
static int held = -1;	    /* a connection */
static int64_t due_ns;	    /* when the next token is there */
static struct crowd_tally tally;

static void limit(int resource, rlim_t count)
{
	struct rlimit less;

	if (prlimit(server.pid, resource, NULL, &usual) < 0)
		err(1, "prlimit");
	less = usual;
	less.rlim_cur = count;
	if (prlimit(server.pid, resource, &less, NULL) < 0)
		err(1, "prlimit");
}

static void unlimit(int resource)
{
	if (prlimit(server.pid, resource, &usual, NULL) < 0)
		err(1, "prlimit");
}

static void write_cgroup(const char *name, const char *text)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", options.cgroup, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0)
		err(1, "%s", path);
}

static void begin_descriptors(void)
{
	limit(RLIMIT_NOFILE, FEW);
}

static void end_descriptors(void)
{
	unlimit(RLIMIT_NOFILE);
}

static void begin_processes(void)
{
	char pid[16];

	if (options.cgroup == NULL) {
		limit(RLIMIT_NPROC, 0);
		return;
	}
	snprintf(pid, sizeof(pid), "%d", (int)server.pid);
	write_cgroup("cgroup.procs", pid);
	write_cgroup("pids.max", "0");
}

static void end_processes(void)
{
	if (options.cgroup)
		write_cgroup("pids.max", "max");
	else
		unlimit(RLIMIT_NPROC);
}

static void begin_full(void)
{
	load_hold(options.port, NULL, 1, &held);
}

static void end_full(void)
{
	(void)close(held); /* nobody reads it any more */
}

static void begin_rate(void)
{
	due_ns = crowd_now_ns() + (int64_t)(options.period_s * NS_IN_S);
	begin_full();
	end_full();
}

static void end_throttled(void)
{
	if (rename(options.program, options.name) < 0)
		err(1, "%s", options.name);
}

static void nothing(void)
{
}

struct kind {
	const char *name;
	void (*begin)(void), (*end)(void);
	bool is_deserted;
	bool is_for_one; /* one is served when it is over */
};

static const struct kind *find_kind(const char *name)
{
	static const struct kind kinds[] = {
		{ .name = "nothing", .begin = nothing, .end = nothing, .is_deserted = true },
		{ .name = "descriptors", .begin = begin_descriptors, .end = end_descriptors },
		{ .name = "processes", .begin = begin_processes, .end = end_processes },
		{ .name = "full", .begin = begin_full, .end = end_full },
		{ .name = "rate", .begin = begin_rate, .end = nothing, .is_for_one = true },
		{ .name = "throttled", .begin = nothing, .end = end_throttled },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	errx(2, "%s: no such shortage", name);
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+c:s:g:p:x:y:")) != -1) {
		switch (option) {
		case 'c':
			options.clients = atoi(optarg);
			break;
		case 's':
			options.seconds = atof(optarg);
			break;
		case 'g':
			options.cgroup = optarg;
			break;
		case 'p':
			options.period_s = atof(optarg);
			break;
		case 'x':
			options.program = optarg;
			break;
		case 'y':
			options.name = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (argc - optind < 3)
		errx(2, "usage: shortage [OPTION]... KIND PORT SERVER [ARGUMENT...]");
}

static void wait_for(double seconds)
{
	int64_t end_ns = crowd_now_ns() + (int64_t)(seconds * NS_IN_S);

	while (crowd_now_ns() < end_ns)
		crowd_turn();
}

static unsigned long turned_away(void)
{
	return tally.refused + tally.reset + tally.unanswered + tally.changed;
}

static void last(void)
{
	long sleeps = server_sleeps(&server);
	double cpu_us = server_cpu_us(&server);
	unsigned long away = turned_away();

	wait_for(options.seconds);
	printf("sleeps %.2f\n", (double)(server_sleeps(&server) - sleeps) / options.seconds);
	printf("cpu %.3f\n", (server_cpu_us(&server) - cpu_us) / 1000 / options.seconds);
	printf("away %lu\n", turned_away() - away);
	if (tally.answers)
		errx(1, "%lu clients were served: that was no shortage", tally.answers);
}

/* All who wait now are served, and nobody else comes. */
static void recover(const struct kind *kind)
{
	unsigned long wanted = kind->is_for_one ? 1 : (unsigned long)options.clients;
	int64_t start_ns = crowd_now_ns();
	unsigned long away = turned_away();

	if (kind->is_for_one)
		start_ns = due_ns;
	kind->end();
	crowd_count_in(NULL);
	while (tally.answers + turned_away() - away < wanted) {
		crowd_turn();
		if (crowd_now_ns() - start_ns > PATIENCE_S * NS_IN_S)
			errx(1, "%lu of %lu served after %d s", tally.answers, wanted, PATIENCE_S);
	}
	printf("recovery %.3f\n", (double)(crowd_now_ns() - start_ns) / NS_IN_S);
	printf("lost %lu\n", turned_away() - away);
}

int main(int argc, char **argv)
{
	struct crowd_load load = { .patience_s = 2 * PATIENCE_S };
	const struct kind *kind;

	parse_options(argc, argv);
	kind = find_kind(argv[optind]);
	options.port = load.port = atoi(argv[optind + 1]);
	load.clients = kind->is_deserted ? 0 : options.clients;
	server_start(argv + optind + 2, &server);
	kind->begin();
	crowd_open(&load);
	crowd_count_in(&tally);
	wait_for(SETTLE_S);
	last();
	if (!kind->is_deserted)
		recover(kind);
	(void)server_stop(&server); /* its CPU time has been measured */
	return 0;
}
