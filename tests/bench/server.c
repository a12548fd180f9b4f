/* SPDX-License-Identifier: ISC */
/*
 * The server that is being measured.
 *
 * It is a child of ours, so that its CPU time, with that of all its dead children, comes with its
 * end: wait4(2).  That time is what a noisy machine leaves comparable.
 */
#include "config.h"

#include "server.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READY_TIMEOUT_MS 10000
#define SIGNALLED	 (128 + SIGTERM) /* socat(1) says so */

static double now_ms(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void become(char *const *argv, int ready_fd) __attribute__((noreturn));
static void become(char *const *argv, int ready_fd)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || setpgid(0, 0) < 0)
		err(1, "the server's process");
	if (ready_fd == SERVER_READY_FD ? fcntl(ready_fd, F_SETFD, 0) < 0
					: dup2(ready_fd, SERVER_READY_FD) < 0)
		err(1, "descriptor %d", SERVER_READY_FD);
	execv(argv[0], argv);
	err(1, "%s", argv[0]);
}

void server_start(char *const *argv, struct server *server)
{
	double start_ms = now_ms();
	struct pollfd ready;
	char byte = 0;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe");
	server->pid = fork();
	if (server->pid < 0)
		err(1, "fork");
	if (server->pid == 0)
		become(argv, ends[1]);
	close(ends[1]);
	ready = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	if (poll(&ready, 1, READY_TIMEOUT_MS) <= 0 || read(ends[0], &byte, 1) != 1 || byte != '\n')
		errx(1, "%s did not get ready", argv[0]);
	server->ready_ms = now_ms() - start_ms;
	close(ends[0]);
}

static double to_us(const struct timeval *time)
{
	return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

/* Children of a bare loop hold its listener, which the next server wants. */
static void end_group(pid_t group)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	while (kill(-group, SIGKILL) == 0)
		(void)nanosleep(&moment, NULL); /* an early end only means an early try */
}

double server_stop(const struct server *server)
{
	struct rusage usage;
	int status;

	if (kill(server->pid, SIGTERM) < 0 || wait4(server->pid, &status, 0, &usage) < 0)
		err(1, "the server");
	if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGTERM
				: WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != SIGNALLED)
		errx(1, "the server ended with status %#x", (unsigned)status);
	end_group(server->pid);
	return to_us(&usage.ru_utime) + to_us(&usage.ru_stime);
}

static double process_cpu_us(pid_t pid)
{
	struct timespec used;
	clockid_t id;

	errno = clock_getcpuclockid(pid, &id);
	if (errno || clock_gettime(id, &used) < 0)
		return -1;
	return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

double server_cpu_us(const struct server *server)
{
	const double used_us = process_cpu_us(server->pid);

	if (used_us < 0)
		err(1, "the server's CPU time");
	return used_us;
}

/* Of those that it has waited for. */
static double dead_cpu_us(const struct server *server)
{
	long ticks[2]; /* cutime, cstime: proc_pid_stat(5) */
	char path[64], line[512], *name_end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)server->pid);
	file = fopen(path, "re");
	if (file == NULL || fgets(line, sizeof(line), file) == NULL)
		err(1, "%s", path);
	(void)fclose(file); /* was only read */
	name_end = strrchr(line, ')');
	if (name_end == NULL ||
	    sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*d %*d %ld %ld",
		   &ticks[0], &ticks[1]) != 2)
		errx(1, "%s: %s", path, line);
	return (double)(ticks[0] + ticks[1]) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

/* The sum of the fields with this prefix. */
static long read_fields(int pid, const char *name, const char *prefix)
{
	char path[64], line[128];
	long sum = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "re");
	if (file == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			sum += strtol(strchr(line, ':') + 1, NULL, 10);
	(void)fclose(file); /* was only read */
	return sum;
}

long server_sleeps(const struct server *server)
{
	return read_fields(server->pid, "status", "voluntary_ctxt_switches:");
}

long server_dirty_kib(const struct server *server)
{
	return read_fields(server->pid, "smaps_rollup", "Private_Dirty:");
}

long server_private_kib(const struct server *server)
{
	return read_fields(server->pid, "smaps_rollup", "Private_");
}

static FILE *open_children(const struct server *server)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)server->pid,
		 (int)server->pid);
	file = fopen(path, "re");
	if (file == NULL)
		err(1, "%s", path);
	return file;
}

/* One that has just ended is the server's, when it has waited for it. */
static double living_cpu_us(const struct server *server)
{
	FILE *file = open_children(server);
	double sum_us = 0, used_us;
	int pid;

	while (fscanf(file, "%d", &pid) == 1) {
		used_us = process_cpu_us(pid);
		sum_us += used_us > 0 ? used_us : 0;
	}
	(void)fclose(file); /* was only read */
	return sum_us;
}

double server_all_cpu_us(const struct server *server)
{
	return server_cpu_us(server) + dead_cpu_us(server) + living_cpu_us(server);
}

long server_workers_private_kib(const struct server *server)
{
	FILE *file = open_children(server);
	long sum = 0;
	int pid;

	while (fscanf(file, "%d", &pid) == 1)
		sum += read_fields(pid, "smaps_rollup", "Private_");
	(void)fclose(file); /* was only read */
	return sum;
}

int server_workers(const struct server *server)
{
	FILE *file = open_children(server);
	int pid, count = 0;

	while (fscanf(file, "%d", &pid) == 1)
		count++;
	(void)fclose(file); /* was only read */
	return count;
}

int server_descriptors(const struct server *server)
{
	char path[64];
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)server->pid);
	folder = opendir(path);
	if (folder == NULL)
		err(1, "%s", path);
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	(void)closedir(folder); /* was only read */
	return count;
}
