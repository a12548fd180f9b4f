/* SPDX-License-Identifier: ISC */
/*
 * Clients that hold their connections: processes, each with an address of its own.
 *
 * They take their turns, so that a server meets no burst, and end with us.
 */
#include "config.h"

#include "holder.h"

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define EACH	   1000 /* connections of one process */
#define PROCESSES  100
#define FIRST_HOST 10 /* 127.0.0.10 */

static struct {
	pid_t all[PROCESSES];
	int count;
} holders;

static void hold(int port, int connections, int done_fd) __attribute__((noreturn));
static void hold(int port, int connections, int done_fd)
{
	char source[32];
	int fds[EACH];

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		err(1, "holder: prctl");
	snprintf(source, sizeof(source), "127.0.0.%d", FIRST_HOST + holders.count);
	load_hold(port, source, connections, fds);
	if (write(done_fd, "\n", 1) != 1)
		err(1, "holder: done");
	for (;;)
		(void)pause(); /* until holders_close() */
}

static void open_one(int port, int connections)
{
	int ends[2];
	pid_t pid;
	char byte;

	if (pipe(ends) < 0)
		err(1, "pipe");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid == 0)
		hold(port, connections, ends[1]);
	close(ends[1]);
	if (read(ends[0], &byte, 1) != 1)
		errx(1, "a holder has failed");
	close(ends[0]);
	holders.all[holders.count++] = pid;
}

void holders_open(int port, int count)
{
	if (count > EACH * PROCESSES)
		errx(1, "cannot hold more than %d connections", EACH * PROCESSES);
	for (; count > 0; count -= EACH)
		open_one(port, count < EACH ? count : EACH);
}

void holders_close(void)
{
	for (int i = 0; i < holders.count; i++)
		if (kill(holders.all[i], SIGKILL) < 0 || waitpid(holders.all[i], NULL, 0) < 0)
			err(1, "holder");
	holders.count = 0;
}
