/* SPDX-License-Identifier: ISC */
/*
 * reload: what clients see of reloads, for run.sh.
 *
 *     reload [OPTION]... PORT LOG SERVER [ARGUMENT...]
 *
 *     -c CLIENTS  of a closed loop, 0          -n RELOADS  how many, 1
 *     -b BURST    connections at once, 0       -i MS       from one reload to the next, 0
 *     -p PROBES   each millisecond, 0          -s SECONDS  of the same load without reloads, 0
 *     -h HELD     connections all the time, 0  -f          the reloads will be refused
 *     -m          the master's memory and descriptors after reload 10 and after the last
 *     -a CONFIG   the configuration file: before a reload it becomes ...
 *     -x CONFIG   ... a copy of this one or ...
 *     -y CONFIG   ... of this one, by turns; without -a it stays what it is
 *
 * Starts begatd, whose echo service is on PORT and which logs into LOG, measures, ends it, and
 * prints "NAME VALUE" lines.  A reload has ended when the log says so.  Those that are held go to
 * PORT + 1, where a program should echo: forked workers share pages with the master, and where the
 * kernel looks for idle ones (DAMON) it holds up every fork.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "crowd.h"
#include "load.h"
#include "server.h"

#define DONE	   "reload: kept "
#define FAILED	   "reload failed: "
#define REASON	   " reload: "
#define NS_IN_MS   1000000LL
#define PATIENCE_S 30
#define EARLY	   10

static struct {
	struct crowd_load load;
	int held, reloads, interval_ms;
	double quiet_s;
	bool fails, measures;
	const char *config, *copies[2];
} options = { .reloads = 1 };

static struct {
	struct server server;
	int log_fd;
	char tail[4096]; /* of the log: what has no newline yet */
	size_t tail_length;
	int done, failed; /* lines that have been seen */
	int64_t total_ns, longest_ns;
} reload;

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+c:b:p:h:n:i:s:fma:x:y:")) != -1) {
		switch (option) {
		case 'c':
			options.load.clients = atoi(optarg);
			break;
		case 'b':
			options.load.burst = atoi(optarg);
			break;
		case 'p':
			options.load.probes = atoi(optarg);
			break;
		case 'h':
			options.held = atoi(optarg);
			break;
		case 'n':
			options.reloads = atoi(optarg);
			break;
		case 'i':
			options.interval_ms = atoi(optarg);
			break;
		case 's':
			options.quiet_s = atof(optarg);
			break;
		case 'f':
			options.fails = true;
			break;
		case 'm':
			options.measures = true;
			break;
		case 'a':
			options.config = optarg;
			break;
		case 'x':
		case 'y':
			options.copies[option - 'x'] = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (argc - optind < 3)
		errx(2, "usage: reload [OPTION]... PORT LOG SERVER [ARGUMENT...]");
}

static void open_log(const char *path)
{
	reload.log_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (reload.log_fd < 0 || lseek(reload.log_fd, 0, SEEK_END) < 0)
		err(1, "%s", path);
}

static void take_line(char *line)
{
	if (strstr(line, DONE))
		reload.done++;
	else if (strstr(line, REASON) && !options.fails)
		warnx("%s", line);
	if (strstr(line, FAILED)) {
		reload.failed++;
		if (!options.fails)
			errx(1, "%s", line);
	}
}

static void take_lines(void)
{
	char *line = reload.tail, *end;

	reload.tail[reload.tail_length] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		take_line(line);
		line = end + 1;
	}
	reload.tail_length = strlen(line);
	if (reload.tail_length == sizeof(reload.tail) - 1)
		errx(1, "a line of the log is too long");
	memmove(reload.tail, line, reload.tail_length);
}

/* How many reloads have ended, in the way that they should. */
static int count_ended(void)
{
	ssize_t length;

	while ((length = read(reload.log_fd, reload.tail + reload.tail_length,
			      sizeof(reload.tail) - 1 - reload.tail_length)) > 0) {
		reload.tail_length += (size_t)length;
		take_lines();
	}
	if (length < 0)
		err(1, "log");
	return options.fails ? reload.failed : reload.done;
}

/* By a rename, so that there always is a whole one. */
static void change_config(const char *from)
{
	char fresh[4096];

	snprintf(fresh, sizeof(fresh), "%s.new", options.config);
	if ((unlink(fresh) < 0 && errno != ENOENT) || link(from, fresh) < 0 ||
	    rename(fresh, options.config) < 0)
		err(1, "%s", options.config);
}

static void serve_until(int64_t end_ns)
{
	while (crowd_now_ns() < end_ns)
		crowd_turn();
}

static void reload_once(int number)
{
	int64_t start_ns = crowd_now_ns(), taken_ns;
	int wanted = count_ended() + 1;

	if (options.config)
		change_config(options.copies[number % 2]);
	if (kill(reload.server.pid, SIGHUP) < 0)
		err(1, "the server");
	while (count_ended() < wanted) {
		crowd_turn();
		if (crowd_now_ns() - start_ns > PATIENCE_S * 1000 * NS_IN_MS)
			errx(1, "reload %d has not ended after %d s", number, PATIENCE_S);
	}
	taken_ns = crowd_now_ns() - start_ns;
	reload.total_ns += taken_ns;
	if (taken_ns > reload.longest_ns)
		reload.longest_ns = taken_ns;
	serve_until(start_ns + options.interval_ms * NS_IN_MS);
}

/* Returns when nobody is left but those that are held. */
static void rest(void)
{
	int64_t start_ns = crowd_now_ns();

	crowd_pause();
	while (server_workers(&reload.server) > options.held)
		if (crowd_now_ns() - start_ns > PATIENCE_S * 1000 * NS_IN_MS)
			errx(1, "%d workers do not end", server_workers(&reload.server));
}

/* This one without clients, and then the master as it is before it has served one. */
static void reload_and_measure(int number, const char *when)
{
	rest();
	reload_once(number);
	rest();
	printf("%s-descriptors %d\n", when, server_descriptors(&reload.server));
	printf("%s-private %ld\n", when, server_private_kib(&reload.server));
}

static void reload_all(struct crowd_tally *tally)
{
	for (int i = 1; i <= options.reloads; i++) {
		if (options.measures && i == EARLY)
			reload_and_measure(i, "early");
		else if (options.measures && i == options.reloads)
			reload_and_measure(i, "late");
		else
			reload_once(i);
		crowd_count_in(tally);
	}
	rest();
}

static void print_tally(const char *when, struct crowd_tally *tally)
{
	printf("%s-answers %lu\n", when, tally->answers);
	printf("%s-refused %lu\n", when, tally->refused);
	printf("%s-reset %lu\n", when, tally->reset);
	printf("%s-unanswered %lu\n", when, tally->unanswered);
	printf("%s-changed %lu\n", when, tally->changed);
	printf("%s-p50 %.0f\n", when, crowd_latency_us(tally, 50));
	printf("%s-p99 %.0f\n", when, crowd_latency_us(tally, 99));
	printf("%s-longest %.2f\n", when, crowd_latency_us(tally, 100) / 1000);
	printf("%s-gap %.2f\n", when, (double)tally->gap_ns / NS_IN_MS);
}

static void run(void)
{
	struct crowd_tally quiet = { 0 }, busy = { 0 };

	if (options.quiet_s > 0) {
		crowd_count_in(&quiet);
		serve_until(crowd_now_ns() + (int64_t)(options.quiet_s * 1000) * NS_IN_MS);
		crowd_pause();
		print_tally("quiet", &quiet);
	}
	crowd_count_in(&busy);
	reload_all(&busy);
	print_tally("busy", &busy);
	printf("reload-mean %.1f\n", (double)reload.total_ns / NS_IN_MS / options.reloads);
	printf("reload-longest %.1f\n", (double)reload.longest_ns / NS_IN_MS);
	free(quiet.latencies_us);
	free(busy.latencies_us);
}

/* Pages that cross an edge by chance would count as memory. */
static void fix_layout(void)
{
	int now = personality(0xffffffff);

	if (now < 0 || personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0)
		err(1, "personality");
}

int main(int argc, char **argv)
{
	int *held;

	parse_options(argc, argv);
	argv += optind;
	held = calloc((size_t)options.held + 1, sizeof(*held));
	if (held == NULL)
		err(1, "memory");
	options.load.port = atoi(argv[0]);
	if (options.measures)
		fix_layout();
	server_start(argv + 2, &reload.server);
	open_log(argv[1]);
	load_hold(options.load.port + 1, NULL, options.held, held);
	crowd_open(&options.load);
	run();
	for (int i = 0; i < options.held; i++)
		close(held[i]);
	free(held);
	(void)server_stop(&reload.server); /* its CPU time does not matter here */
	return 0;
}
