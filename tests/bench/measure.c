/* SPDX-License-Identifier: ISC */
/*
 * measure: one measurement of one server, for run.sh.
 *
 *     measure rate PORT CLIENTS SECONDS EXPECTED SERVER [ARGUMENT...]
 *     measure crowd PORT CONNECTIONS SECONDS SERVER [ARGUMENT...]
 *     measure hold PORT CONNECTIONS SERVER [ARGUMENT...]
 *     measure idle SERVER [ARGUMENT...]
 *
 * Starts the server, which writes a newline to descriptor 3 when it is ready, measures, ends it,
 * and prints "NAME VALUE" lines.  crowd: a daytime service is on PORT, and the connections that are
 * held are to the echo service on PORT + 1.
 */
#include "config.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holder.h"
#include "load.h"
#include "server.h"

static void measure_rate(char **argv)
{
	const struct load_task task = { .port = atoi(argv[0]),
					.clients = atoi(argv[1]),
					.seconds = atof(argv[2]),
					.expected = argv[3] };
	struct load_result result;
	struct server server;
	double cpu_us;

	server_start(argv + 4, &server);
	load_run(&task, &result);
	cpu_us = server_stop(&server);
	printf("rate %.0f\n", (double)result.answers / result.seconds);
	printf("p50 %.0f\n", result.p50_us);
	printf("p99 %.0f\n", result.p99_us);
	printf("cpu %.1f\n", cpu_us / (double)result.answers);
}

static void ask(const char *when, const struct load_task *task)
{
	struct load_result result;

	load_run(task, &result);
	printf("%s-p50 %.0f\n", when, result.p50_us);
	printf("%s-p99 %.0f\n", when, result.p99_us);
}

static void measure_crowd(char **argv)
{
	const struct load_task task = {
		.port = atoi(argv[0]), .clients = 1, .seconds = atof(argv[2]), .expected = "daytime"
	};
	struct server server;

	server_start(argv + 3, &server);
	ask("empty", &task);
	holders_open(task.port + 1, atoi(argv[1]));
	ask("held", &task);
	holders_close();
	(void)server_stop(&server); /* its CPU time does not matter here */
}

static void measure_hold(char **argv)
{
	int count = atoi(argv[1]);
	int *fds = calloc((size_t)count, sizeof(*fds));
	struct server server;

	if (fds == NULL)
		err(1, "memory");
	server_start(argv + 2, &server);
	load_hold(atoi(argv[0]), NULL, count, fds);
	printf("held %.1f\n", (double)server_workers_private_kib(&server) / count);
	for (int i = 0; i < count; i++)
		close(fds[i]);
	free(fds);
	(void)server_stop(&server); /* its CPU time does not matter here */
}

static void measure_idle(char **argv)
{
	struct server server;

	server_start(argv, &server);
	printf("start %.2f\n", server.ready_ms);
	printf("dirty %ld\n", server_dirty_kib(&server));
	(void)server_stop(&server); /* its CPU time does not matter here */
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int argc;
		void (*measure)(char **argv);
	} modes[] = { { "rate", 7, measure_rate },
		      { "crowd", 6, measure_crowd },
		      { "hold", 5, measure_hold },
		      { "idle", 3, measure_idle } };

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (argc >= modes[i].argc && strcmp(argv[1], modes[i].name) == 0) {
			modes[i].measure(argv + 2);
			return 0;
		}
	}
	errx(2, "usage: measure rate|crowd|hold|idle ...");
}
