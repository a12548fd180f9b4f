/* SPDX-License-Identifier: ISC */
/* The server that is being measured: a child process. */
#ifndef SERVER_H
#define SERVER_H

#include <sys/types.h>

#define SERVER_READY_FD 3 /* gets a newline from the server when it is ready */

struct server {
	pid_t pid;
	double ready_ms; /* from before the fork until it was ready */
};

/* Starts it and waits until it is ready.  Exits 1 with a message when it is not. */
void server_start(char *const *argv, struct server *server);

/* Ends it, and returns the CPU time of it and of all its children, in microseconds. */
double server_stop(const struct server *server);

/* CPU time in microseconds, and how often it went to sleep, of the server itself until now. */
double server_cpu_us(const struct server *server);
long server_sleeps(const struct server *server);

/* CPU time of it and of its children; of those that it has waited for to a tick of the clock: 10
 * ms. */
double server_all_cpu_us(const struct server *server);

/* KiB, from smaps_rollup (proc_pid_smaps(5)). */
long server_dirty_kib(const struct server *server);   /* Private_Dirty of the server itself */
long server_private_kib(const struct server *server); /* Private_* of the server itself */
long server_workers_private_kib(const struct server *server); /* Private_* of its children */

int server_descriptors(const struct server *server); /* how many are open */
int server_workers(const struct server *server);     /* how many there are, zombies too */

#endif
