/* SPDX-License-Identifier: ISC */
/*
 * turns: many services by turns, for run.sh.
 *
 *     turns rate|hold [OPTION]... SERVICES SERVER [ARGUMENT...] [-- SERVER [ARGUMENT...]]...
 *
 *     -c CLIENTS  connections at a time, 16     -n ROUNDS  how many turns each service has, 1
 *     -s SECONDS  of a turn, 1                  -h COUNT   connections that are held, 200
 *
 * SERVICES is a file: a line for each, with its name, the number of its server, its port and its
 * answer, which is "daytime" or a line.  All servers run all the time, and one service at a time
 * has clients: what disturbs the machine for longer than a turn disturbs all of them, and of one
 * server's services nothing differs but themselves.  rate: a closed loop.  hold: they are echo
 * services, and it is their memory that is wanted, and what the kernel has for them besides.
 * Prints "ROUND SERVICE NAME VALUE" lines.
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

#include "load.h"
#include "server.h"

#define SERVERS	    8
#define SERVICES    64
#define WARM_UP	    64 /* connections */
#define PATIENCE_MS 10000
#define LULL_NS	    300000000

static struct {
	int rounds, held;
	struct load_task task;
} options = { .rounds = 1, .held = 200, .task = { .clients = 16, .seconds = 1 } };

static struct server servers[SERVERS];
static int nservers;

static struct service {
	char name[32], answer[64];
	int server, port;
} services[SERVICES];
static int nservices;

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+c:n:s:h:")) != -1) {
		switch (option) {
		case 'c':
			options.task.clients = atoi(optarg);
			break;
		case 'n':
			options.rounds = atoi(optarg);
			break;
		case 's':
			options.task.seconds = atof(optarg);
			break;
		case 'h':
			options.held = atoi(optarg);
			break;
		default:
			exit(2);
		}
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

/* Returns when the server has no worker: then the CPU time of all is known, and the next turn is
 * left alone. */
static void rest(const struct server *server)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; server_workers(server); i++) {
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

/* What is touched once only is touched here. */
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

/* Forward in one round and backward in the next. */
static void take_turns(void (*turn)(int round, const struct service *service))
{
	for (int round = 1; round <= options.rounds; round++)
		for (int i = 0; i < nservices; i++)
			turn(round, &services[round % 2 ? i : nservices - 1 - i]);
}

int main(int argc, char **argv)
{
	bool holds = argc > 1 && strcmp(argv[1], "hold") == 0;

	if (argc > 1)
		parse_options(argc - 1, argv + 1);
	if (argc < 4 || optind + 3 > argc || (!holds && strcmp(argv[1], "rate") != 0))
		errx(2, "usage: turns rate|hold [OPTION]... SERVICES SERVER... [-- SERVER...]...");
	read_services(argv[optind + 1]);
	fix_layout();
	start_servers(argv + optind + 2);
	for (int i = 0; i < nservices; i++)
		if (services[i].server >= nservers)
			errx(1, "%s: there is no server %d", services[i].name, services[i].server);
	for (int i = 0; i < nservices && !holds; i++)
		warm_up(&services[i]);
	take_turns(holds ? turn_hold : turn_rate);
	for (int i = 0; i < nservers; i++)
		(void)server_stop(&servers[i]); /* its turns have been measured */
	return 0;
}
