/* SPDX-License-Identifier: ISC */
/*
 * Streams of bytes through a redirect: one thread is the clients and the target.
 *
 * Before the clock runs each stream carries a known text in both directions.  Then the target sends
 * as much as there can be, and what arrives is counted and dropped in the kernel (MSG_TRUNC), so
 * that this end costs as little as it can.  Called by turns.c.
 */
#include "config.h"

#include "flow.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define STREAMS_MAX 256
#define EVENTS	    64
#define PATIENCE_S  10
#define TEXT	    4096
#define SENT	    (256 * 1024)
#define RECEIVED    (1024 * 1024)

static int listener;
static int epoll_fd;
static struct end {
	int fd;
	bool sends;
} ends[2 * STREAMS_MAX]; /* client, target, client ... */

static double now_s(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void be_patient(int fd)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		err(1, "flow: options");
}

void flow_listen(int port)
{
	const struct sockaddr_in address = local(port);
	const int on = 1;

	listener = load_socket(NULL, 0);
	be_patient(listener);
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, STREAMS_MAX) < 0)
		err(1, "flow: port %d", port);
}

/* A text in one direction. */
static void check_way(int from, int to)
{
	char text[TEXT], got[TEXT];

	for (int i = 0; i < TEXT; i++)
		text[i] = (char)(i * 7 + from);
	if (send(from, text, TEXT, MSG_NOSIGNAL) != TEXT ||
	    recv(to, got, TEXT, MSG_WAITALL) != TEXT)
		err(1, "flow: stream");
	if (memcmp(text, got, TEXT) != 0)
		errx(1, "flow: not what was sent");
}

/* The target's end is of this client, since there is no other one under way. */
static void open_stream(struct end *pair, int port)
{
	const struct sockaddr_in address = local(port);

	pair[0] = (struct end){ .fd = load_socket(NULL, 0) };
	be_patient(pair[0].fd);
	if (connect(pair[0].fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "flow: connect");
	pair[1] = (struct end){ .fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), .sends = true };
	if (pair[1].fd < 0)
		err(1, "flow: accept");
	be_patient(pair[1].fd);
	check_way(pair[0].fd, pair[1].fd);
	check_way(pair[1].fd, pair[0].fd);
}

static void watch(struct end *end)
{
	struct epoll_event event = { .events = end->sends ? EPOLLOUT : EPOLLIN, .data.ptr = end };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, end->fd, &event) < 0)
		err(1, "epoll");
}

/* How many bytes have arrived. */
static size_t turn(const struct end *end)
{
	static char bytes[SENT];
	ssize_t count;

	if (end->sends)
		count = send(end->fd, bytes, SENT, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		count = recv(end->fd, NULL, RECEIVED, MSG_DONTWAIT | MSG_TRUNC);
	if (count == 0 || (count < 0 && errno != EAGAIN))
		err(1, "flow: %s", count ? "a stream" : "a stream has ended");
	return count > 0 && !end->sends ? (size_t)count : 0;
}

static size_t run(double end_s)
{
	struct epoll_event events[EVENTS];
	size_t bytes = 0;
	int ready;

	while (now_s() < end_s) {
		ready = epoll_wait(epoll_fd, events, EVENTS, PATIENCE_S * 1000);
		if (ready <= 0)
			errx(1, "flow: nothing moves");
		for (int i = 0; i < ready; i++)
			bytes += turn(events[i].data.ptr);
	}
	return bytes;
}

void flow_run(const struct flow_task *task, struct flow_result *result)
{
	const int count = 2 * task->streams;
	double start_s;

	if (task->streams < 1 || task->streams > STREAMS_MAX)
		errx(1, "flow: no %d streams", task->streams);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < count; i += 2)
		open_stream(&ends[i], task->port);
	for (int i = 0; i < count; i++)
		watch(&ends[i]);
	start_s = now_s();
	result->bytes = (double)run(start_s + task->seconds);
	result->seconds = now_s() - start_s;
	for (int i = 0; i < count; i++)
		load_close(ends[i].fd);
	close(epoll_fd);
}
