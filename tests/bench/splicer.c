/* SPDX-License-Identifier: ISC */
/*
 * The bare loop of a redirect: splice(2) both ways, one process for all, edge-triggered epoll.
 *
 * What cannot be written stays in the pipe of its way, and nothing more is read for it until it is
 * gone.  A way that has moved a lot lets others have their turn; its pair is looked at again
 * because it is asked for anew.  An error ends both ways.  Called by bare.c.
 */
#include "config.h"

#include "splicer.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 64
#define CHUNK  65536 /* bytes: a pipe holds as much */
#define ROUNDS 16    /* before others have their turn */

struct way {
	int from, to, ends[2];
	size_t held; /* bytes in the pipe */
	bool over;   /* the end was passed on */
};

struct pair {
	int fds[2];
	struct way ways[2];
	struct pair *next; /* of those that have ended */
};

static int epoll_fd;
static struct pair *ended;

/* -1: not now; 0: an end. */
static ssize_t move(int from, int to, size_t most)
{
	ssize_t count = splice(from, NULL, to, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	return count < 0 && errno != EAGAIN ? 0 : count;
}

static void way_pass(struct way *way, bool *again)
{
	ssize_t count;

	for (int i = 0; i < ROUNDS; i++) {
		count = way->held ? (ssize_t)way->held : move(way->from, way->ends[1], CHUNK);
		if (count <= 0) {
			way->over = count == 0;
			if (way->over)
				(void)shutdown(way->to, SHUT_WR); /* fails when it is gone */
			return;
		}
		way->held = (size_t)count;
		count = move(way->ends[0], way->to, way->held);
		if (count < 0)
			return;
		if (count == 0) {
			way->over = true;
			return;
		}
		way->held -= (size_t)count;
	}
	*again = true;
}

static void watch(struct pair *pair, int side, int operation)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = pair };

	if (epoll_ctl(epoll_fd, operation, pair->fds[side], &event) < 0)
		err(1, "epoll");
}

static void pair_close(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		(void)close(pair->fds[i]); /* all was passed on, or cannot be */
		(void)close(pair->ways[i].ends[0]);
		(void)close(pair->ways[i].ends[1]);
		pair->fds[i] = -1;
	}
	pair->next = ended; /* there may be another event of it */
	ended = pair;
}

static void pair_pass(struct pair *pair)
{
	bool again = false;

	if (pair->fds[0] < 0)
		return;
	for (int i = 0; i < 2; i++)
		if (!pair->ways[i].over)
			way_pass(&pair->ways[i], &again);
	if (pair->ways[0].over && pair->ways[1].over)
		pair_close(pair);
	else if (again)
		watch(pair, 0, EPOLL_CTL_MOD);
}

static int connect_to(int port)
{
	const struct sockaddr_in target = { .sin_family = AF_INET,
					    .sin_port = htons((uint16_t)port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || (connect(fd, (const struct sockaddr *)&target, sizeof(target)) < 0 &&
		       errno != EINPROGRESS))
		err(1, "target");
	return fd;
}

static void pair_open(int client, int target_port)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	if (pair == NULL)
		err(1, "memory");
	pair->fds[0] = client;
	pair->fds[1] = connect_to(target_port);
	for (int i = 0; i < 2; i++) {
		pair->ways[i].from = pair->fds[i];
		pair->ways[i].to = pair->fds[!i];
		if (pipe2(pair->ways[i].ends, O_CLOEXEC | O_NONBLOCK) < 0)
			err(1, "pipe");
		watch(pair, i, EPOLL_CTL_ADD);
	}
}

static void take_clients(int listener, int target_port)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		pair_open(fd, target_port);
	if (errno != EAGAIN && errno != ECONNABORTED)
		err(1, "accept");
}

static void free_ended(void)
{
	struct pair *next;

	for (; ended; ended = next) {
		next = ended->next;
		free(ended);
	}
}

void splicer_run(int listener, int target_port)
{
	struct epoll_event events[EVENTS], event = { .events = EPOLLIN };
	int count;

	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail: a valid number */
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
		err(1, "epoll");
	for (;;) {
		count = epoll_wait(epoll_fd, events, EVENTS, -1);
		if (count < 0)
			err(1, "epoll");
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				pair_pass(events[i].data.ptr);
			else
				take_clients(listener, target_port);
		}
		free_ended();
	}
}
