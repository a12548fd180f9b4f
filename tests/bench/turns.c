/* SPDX-License-Identifier: ISC */
/*
 * turns: many services by turns, for run.sh.
 *
 *     turns MODE [OPTION]... SERVICES SERVER [ARGUMENT...] [-- SERVER [ARGUMENT...]]...
 *
 *     -c CLIENTS  connections at a time, 16     -n ROUNDS  how many turns each service has, 1
 *     -s SECONDS  of a turn, 1                  -h COUNT   connections that are held, 200
 *     -w WINDOW   datagrams of each client, 8   -t PORT    the target of redirects, for flow
 *     -r RATE     of a paced flood, a second    -k COUNT   workers that a server may keep, 0
 *
 * SERVICES is a file: a line for each, with its name, the number of its server, its port and its
 * answer, which is "daytime" or a line.  All servers run all the time, and one service at a time
 * has clients: what disturbs the machine for longer than a turn disturbs all of them, and of one
 * server's services nothing differs but themselves.  rate: a closed loop.  hold: they are echo
 * services, and it is their memory that is wanted, and what the kernel has for them besides.
 * datagrams: a closed loop with a time service over UDP.  flood: a client of that who waits while
 * another one sends as much as it likes.  flow: bytes through redirects.  Prints "ROUND SERVICE
 * NAME VALUE" lines.
 */
#include "config.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

#include "datagrams.h"
#include "flow.h"
#include "load.h"
#include "probe.h"
#include "server.h"

#define SERVERS	    8
#define SERVICES    64
#define WARM_UP	    64 /* connections */
#define PATIENCE_MS 10000
#define LULL_NS	    300000000
#define GIB	    (1024.0 * 1024 * 1024)
#define FLOOD_FROM  "127.0.0.2"
#define LAST_S	    0.2 /* until the last question is answered or lost */

enum tally { QUIET, PACED, BUSY, TALLIES }; /* of each turn of a flood */

static struct {
	int rounds, held, window, target, rate, kept;
	struct load_task task;
} options = { .rounds = 1,
	      .held = 200,
	      .window = 8,
	      .rate = 20000,
	      .task = { .clients = 16, .seconds = 1 } };

static struct server servers[SERVERS];
static int nservers;

static struct service {
	char name[32], answer[64];
	int server, port;
} services[SERVICES];
static int nservices;

static void parse_options(int argc, char **argv)
{
	static const struct {
		char letter;
		int *number;
	} numbers[] = { { 'c', &options.task.clients }, { 'n', &options.rounds },
			{ 'h', &options.held },		{ 'w', &options.window },
			{ 't', &options.target },	{ 'r', &options.rate },
			{ 'k', &options.kept } };
	int option;

	while ((option = getopt(argc, argv, "+c:n:s:h:w:t:r:k:")) != -1) {
		if (option == '?')
			exit(2);
		if (option == 's')
			options.task.seconds = atof(optarg);
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
			if (option == numbers[i].letter)
				*numbers[i].number = atoi(optarg);
	}
}

static void read_services(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[160];

	if (file == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file)) {
		struct service *service = &services[nservices++];

		if (nservices > SERVICES ||
		    sscanf(line, "%31s %d %d %62s", service->name, &service->server, &service->port,
			   service->answer) != 4)
			errx(1, "%s: too much, or not a service: %s", path, line);
		if (strcmp(service->answer, "daytime") != 0)
			strcat(service->answer, "\n");
	}
	(void)fclose(file); /* was only read */
}

/* Pages that cross an edge by chance would count as memory. */
static void fix_layout(void)
{
	int now = personality(0xffffffff);

	if (now < 0 || personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0)
		err(1, "personality");
}

static void start_servers(char **argv)
{
	while (*argv) {
		char **next = argv;

		while (*next && strcmp(*next, "--") != 0)
			next++;
		if (nservers == SERVERS)
			errx(1, "no more than %d servers", SERVERS);
		if (*next)
			*next++ = NULL;
		server_start(argv, &servers[nservers++]);
		argv = next;
	}
}

/* Returns when the server has no worker but those that it keeps: then the CPU time of all is known,
 * and the next turn is left alone. */
static void rest(const struct server *server)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; server_workers(server) > options.kept; i++) {
		if (i == PATIENCE_MS)
			errx(1, "workers do not end");
		(void)nanosleep(&moment, NULL); /* an early end only means an early look */
	}
}

static void print(int round, const struct service *service, const char *name, double value)
{
	printf("%d %s %s %.3f\n", round, service->name, name, value);
}

static void turn_rate(int round, const struct service *service)
{
	const struct server *server = &servers[service->server];
	struct load_task task = options.task;
	struct load_result result;
	double before_us = server_all_cpu_us(server);

	task.port = service->port;
	task.expected = service->answer;
	load_run(&task, &result);
	rest(server);
	print(round, service, "rate", (double)result.answers / result.seconds);
	print(round, service, "cpu",
	      (server_all_cpu_us(server) - before_us) / (double)result.answers);
}

static void turn_datagrams(int round, const struct service *service)
{
	const struct server *server = &servers[service->server];
	const struct datagrams_task task = { .port = service->port,
					     .clients = options.task.clients,
					     .window = options.window,
					     .seconds = options.task.seconds };
	struct datagrams_result result;
	double before_us = server_all_cpu_us(server);

	datagrams_run(&task, &result);
	print(round, service, "rate", (double)result.answers / result.seconds);
	print(round, service, "cpu",
	      (server_all_cpu_us(server) - before_us) / (double)result.answers);
	print(round, service, "lost", (double)result.lost);
}

static void turn_flow(int round, const struct service *service)
{
	const struct server *server = &servers[service->server];
	const struct flow_task task = { .port = service->port,
					.streams = options.task.clients,
					.seconds = options.task.seconds };
	struct flow_result result;
	double before_us = server_all_cpu_us(server);

	flow_run(&task, &result);
	rest(server);
	print(round, service, "rate", result.bytes / GIB / result.seconds);
	print(round, service, "cpu",
	      (server_all_cpu_us(server) - before_us) / 1000 / (result.bytes / GIB));
}

static void sleep_s(double seconds)
{
	const struct timespec time = { (time_t)seconds,
				       (long)((seconds - (double)(time_t)seconds) * 1e9) };

	(void)nanosleep(&time, NULL); /* an early end only means less of it */
}

static void print_tally(int round, const struct service *service, const char *when, int tally)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-p50", when);
	print(round, service, name, probe_latency_us(tally, 50));
	snprintf(name, sizeof(name), "%s-p99", when);
	print(round, service, name, probe_latency_us(tally, 99));
	snprintf(name, sizeof(name), "%s-lost", when);
	print(round, service, name, probe_lost_percent(tally));
}

static void turn_flood(int round, const struct service *service)
{
	static const char *const names[TALLIES] = { "quiet", "paced", "busy" };
	static int first; /* tally of this turn */
	const double seconds = options.task.seconds;
	unsigned long sent;

	probe_ask_datagrams(service->port, first + QUIET);
	sleep_s(seconds);
	probe_ask_datagrams(service->port, first + PACED);
	(void)datagrams_flood(service->port, FLOOD_FROM, options.rate, seconds);
	probe_ask_datagrams(service->port, first + BUSY);
	sent = datagrams_flood(service->port, FLOOD_FROM, 0, seconds);
	probe_ask_datagrams(service->port, -1);
	sleep_s(LAST_S);
	for (int i = 0; i < TALLIES; i++)
		print_tally(round, service, names[i], first + i);
	print(round, service, "sent", (double)sent / seconds);
	first += TALLIES;
}

/* What the kernel has mapped for itself, KiB: stacks, and programs of the filter.  Its other memory
 * is not given back at once. */
static long kernel_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kib = -1;

	if (file == NULL)
		err(1, "meminfo");
	while (kib < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmallocUsed: %ld", &kib) != 1)
			kib = -1;
	(void)fclose(file); /* was only read */
	return kib;
}

static void turn_hold(int round, const struct service *service)
{
	const struct server *server = &servers[service->server];
	const struct timespec lull = { .tv_nsec = LULL_NS };
	int *fds = calloc((size_t)options.held, sizeof(*fds));
	long before_kib;

	if (fds == NULL)
		err(1, "memory");
	(void)nanosleep(&lull,
			NULL); /* what the last turn had is freed later than its processes end */
	before_kib = kernel_kib();
	load_hold(service->port, NULL, options.held, fds);
	print(round, service, "kernel", (double)(kernel_kib() - before_kib) / options.held);
	print(round, service, "held", (double)server_workers_private_kib(server) / options.held);
	for (int i = 0; i < options.held; i++)
		load_close(fds[i]);
	free(fds);
	rest(server);
}

/* What is touched once only is touched here, and the worker begins that is kept. */
static void warm_up(const struct service *service)
{
	struct load_task task = options.task;
	struct load_result result;

	task.port = service->port;
	task.expected = service->answer;
	task.wanted = WARM_UP;
	load_run(&task, &result);
	rest(&servers[service->server]);
}

static void warm_up_datagrams(const struct service *service)
{
	int fd = datagrams_socket(service->port, NULL);

	datagrams_ask(fd);
	datagrams_hear(fd);
	close(fd);
}

static void begin_flow(const struct service *service)
{
	static bool listens;

	(void)service;
	if (!listens)
		flow_listen(options.target);
	listens = true;
}

static void begin_flood(const struct service *service)
{
	static bool is_started;

	if (!is_started)
		probe_start();
	is_started = true;
	warm_up_datagrams(service);
}

struct mode {
	const char *name;
	void (*begin)(const struct service *service); /* NULL: nothing is to be done */
	void (*turn)(int round, const struct service *service);
};

static const struct mode *find_mode(const char *name)
{
	static const struct mode modes[] = {
		{ "rate", warm_up, turn_rate },
		{ "hold", NULL, turn_hold },
		{ "datagrams", warm_up_datagrams, turn_datagrams },
		{ "flood", begin_flood, turn_flood },
		{ "flow", begin_flow, turn_flow },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (name && strcmp(name, modes[i].name) == 0)
			return &modes[i];
	return NULL;
}

/* Forward in one round and backward in the next. */
static void take_turns(const struct mode *mode)
{
	for (int i = 0; i < nservices && mode->begin; i++)
		mode->begin(&services[i]);
	for (int round = 1; round <= options.rounds; round++)
		for (int i = 0; i < nservices; i++)
			mode->turn(round, &services[round % 2 ? i : nservices - 1 - i]);
}

int main(int argc, char **argv)
{
	const struct mode *mode = find_mode(argv[1]);

	if (mode)
		parse_options(argc - 1, argv + 1);
	if (mode == NULL || optind + 3 > argc)
		errx(2, "usage: turns MODE [OPTION]... SERVICES SERVER... [-- SERVER...]...");
	read_services(argv[optind + 1]);
	fix_layout();
	start_servers(argv + optind + 2);
	for (int i = 0; i < nservices; i++)
		if (services[i].server >= nservers)
			errx(1, "%s: there is no server %d", services[i].name, services[i].server);
	take_turns(mode);
	for (int i = 0; i < nservers; i++)
		(void)server_stop(&servers[i]); /* its turns have been measured */
	return 0;
}
