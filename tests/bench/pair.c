/* SPDX-License-Identifier: ISC */
/*
 * pair: two servers by turns, for run.sh.
 *
 *     pair rate [OPTION]... PORT PORT SERVER [ARGUMENT...] -- SERVER [ARGUMENT...]
 *     pair flood [OPTION]... PORT PORT SERVER [ARGUMENT...] -- SERVER [ARGUMENT...]
 *
 *     -c CLIENTS   connections at a time, 16     -n ROUNDS  how many turns each of them has, 1
 *     -s SECONDS   of a turn; flood: of the quiet and of the paced flood before it
 *     -r RATE      of the paced flood, a second  -w REFUSALS  of a turn
 *     -e ANSWER    that is expected: load.h
 *     -h           the first one has an instance of the flood's source all the time ...
 *     -o           ... or once at the beginning
 *
 * Both run all the time, but only one of them has clients, so that what disturbs the machine for
 * longer than a turn disturbs both.  flood: PORT is a daytime service, for a client who comes every
 * 5 ms, and PORT + 1 refuses all from 127.0.0.2.  Prints "ROUND first|second NAME VALUE" lines.
 */
#include "config.h"

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "probe.h"
#include "server.h"

#define NS_IN_S	    1000000000LL
#define FLOOD_FROM  "127.0.0.2"
#define CROWD	    256
#define WARM_UP	    2000 /* connections */
#define PATIENCE_MS 10000

enum tally { QUIET, PACED, BUSY, TALLIES }; /* of each turn */

static struct {
	int rounds, rate;
	bool holds, holds_once;
	struct load_task task;
} options = { .rounds = 1, .rate = 10000, .task = { .clients = 16, .seconds = 1, .expected = "" } };

static struct side {
	const char *name;
	char **argv;
	int port;
	struct server server;
	int held; /* a connection, or -1 */
} sides[] = { { .name = "first", .held = -1 }, { .name = "second", .held = -1 } };

static int64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return now.tv_sec * NS_IN_S + now.tv_nsec;
}

static void sleep_ns(int64_t ns)
{
	const struct timespec time = { ns / NS_IN_S, ns % NS_IN_S };

	(void)nanosleep(&time, NULL); /* an early end only means less of it */
}

static void parse_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+c:n:s:r:w:e:ho")) != -1) {
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
		case 'r':
			options.rate = atoi(optarg);
			break;
		case 'w':
			options.task.wanted = strtoul(optarg, NULL, 10);
			break;
		case 'e':
			options.task.expected = optarg;
			break;
		case 'h':
			options.holds = true;
			break;
		case 'o':
			options.holds_once = true;
			break;
		default:
			exit(2);
		}
	}
}

static bool parse_sides(char **argv)
{
	if (!argv[0] || !argv[1] || !argv[2])
		return false;
	for (int i = 0; i < 2; i++)
		sides[i].port = atoi(argv[i]);
	sides[0].argv = argv += 2;
	while (*argv && strcmp(*argv, "--") != 0)
		argv++;
	if (!argv[0] || !argv[1])
		return false;
	*argv = NULL;
	sides[1].argv = argv + 1;
	return true;
}

static void print(int round, const struct side *side, const char *name, double value)
{
	printf("%d %s %s %.3f\n", round, side->name, name, value);
}

/* So many answers of the side, or seconds of them. */
static void turn(int round, struct side *side, struct load_task *task)
{
	struct load_result result;
	double before_us = server_cpu_us(&side->server);

	load_run(task, &result);
	print(round, side, "rate", (double)result.answers / result.seconds);
	print(round, side, "cpu",
	      (server_cpu_us(&side->server) - before_us) / (double)result.answers);
	print(round, side, "p99", result.p99_us);
}

static void turn_rate(int round, struct side *side)
{
	struct load_task task = options.task;

	task.port = side->port;
	turn(round, side, &task);
}

/* All clients at once, then nobody until as many are due again. */
static void pace(const struct load_task *flood)
{
	const int64_t step_ns = options.task.clients * NS_IN_S / options.rate;
	int64_t due_ns = now_ns(), end_ns = due_ns + (int64_t)(flood->seconds * 1e9);
	struct load_task one_each = *flood;
	struct load_result result;

	one_each.wanted = 1;
	for (; due_ns < end_ns; due_ns += step_ns) {
		if (due_ns > now_ns())
			sleep_ns(due_ns - now_ns());
		load_run(&one_each, &result);
	}
}

static void turn_flood(int round, struct side *side)
{
	static const char *const names[TALLIES] = { "quiet-p99", "paced-p99", "busy-p99" };
	static int first; /* tally of this turn */
	struct load_task task = options.task;

	task.port = side->port + 1;
	task.source = FLOOD_FROM;
	probe_ask(side->port, first + QUIET);
	sleep_ns((int64_t)(task.seconds * 1e9));
	probe_ask(side->port, first + PACED);
	pace(&task);
	probe_ask(side->port, first + BUSY);
	turn(round, side, &task);
	probe_ask(side->port, -1);
	for (int i = 0; i < TALLIES; i++)
		print(round, side, names[i], probe_latency_us(first + i, 99));
	first += TALLIES;
}

/* Who goes first changes with the round. */
static void take_turns(void (*one)(int round, struct side *side))
{
	for (int round = 1; round <= options.rounds; round++) {
		one(round, &sides[round % 2 == 0]);
		one(round, &sides[round % 2 != 0]);
	}
}

static void hold(struct side *side)
{
	load_hold(side->port + 1, FLOOD_FROM, 1, &side->held);
}

/* Returns when there is no worker. */
static void rest(struct side *side)
{
	if (side->held >= 0)
		close(side->held);
	side->held = -1;
	for (int i = 0; server_workers(&side->server); i++) {
		if (i == PATIENCE_MS)
			errx(1, "%s: workers do not end", side->argv[0]);
		sleep_ns(NS_IN_S / 1000);
	}
}

static void measure(struct side *side, const char *private, const char *descriptors)
{
	rest(side);
	print(1, side, private, (double)server_private_kib(&side->server));
	print(1, side, descriptors, server_descriptors(&side->server));
}

/* More workers at one time than the probe will ever have, and refusals, so that no page is touched
 * for the first time after that. */
static void warm_up(struct side *side)
{
	struct load_task crowd = {
		.port = side->port, .clients = CROWD, .wanted = WARM_UP, .expected = "daytime"
	};
	struct load_task flood = { .port = side->port + 1,
				   .clients = options.task.clients,
				   .wanted = WARM_UP,
				   .expected = "",
				   .source = FLOOD_FROM };
	struct load_result result;

	if (side == sides && (options.holds || options.holds_once))
		hold(side);
	load_run(&crowd, &result);
	load_run(&flood, &result);
	measure(side, "early-private", "early-descriptors");
	if (side == sides && options.holds)
		hold(side);
}

static void flood(void)
{
	probe_start(); /* before there is a connection that it would inherit */
	for (int i = 0; i < 2; i++)
		warm_up(&sides[i]);
	take_turns(turn_flood);
	for (int i = 0; i < 2; i++)
		measure(&sides[i], "late-private", "late-descriptors");
}

static void rate(void)
{
	take_turns(turn_rate);
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
	bool floods = argc > 1 && strcmp(argv[1], "flood") == 0;

	if (argc < 2 || (!floods && strcmp(argv[1], "rate") != 0))
		errx(2, "usage: pair rate|flood ...");
	parse_options(argc - 1, argv + 1);
	if (!parse_sides(argv + 1 + optind))
		errx(2, "usage: pair rate|flood [OPTION]... PORT PORT SERVER... -- SERVER...");
	fix_layout();
	for (int i = 0; i < 2; i++)
		server_start(sides[i].argv, &sides[i].server);
	if (floods)
		flood();
	else
		rate();
	for (int i = 0; i < 2; i++)
		(void)server_stop(&sides[i].server); /* its turns have been measured */
	return 0;
}
