/* SPDX-License-Identifier: ISC */
/*
 * The clients of a measurement: a closed loop, one thread, epoll.
 *
 * A connection is closed by a reset once the server's end of it has been read: nothing can be lost
 * by then, and no TIME_WAIT is left that would use up the ports.  Every answer is looked at, so
 * that no server can be fast by being wrong.
 */
#include "config.h"

#include "load.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS	       256
#define PATIENCE_MS    10000
#define CLOCK_SLACK_S  5 /* between the server's look at the clock and ours */
#define DAYTIME_LENGTH 26

struct client {
	int fd;
	int64_t start_ns;
	size_t length;
	char answer[256];
};

static struct {
	struct sockaddr_in server;
	int epoll_fd;
	const char *expected;
	char known[DAYTIME_LENGTH]; /* an answer that was right ... */
	time_t known_at;	    /* ... then */
	float *latencies_us;
	size_t count, room;
} load;

static int64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void set_server(int port)
{
	struct rlimit limit;

	load.server = (struct sockaddr_in){ .sin_family = AF_INET,
					    .sin_port = htons((uint16_t)port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "setrlimit");
}

static bool is_time(const char *answer, size_t length)
{
	struct tm tm = { .tm_isdst = -1 };
	time_t now = time(NULL), then;
	char text[DAYTIME_LENGTH + 1];
	const char *end;

	if (length != DAYTIME_LENGTH)
		return false;
	if (now == load.known_at && memcmp(answer, load.known, length) == 0)
		return true;
	memcpy(text, answer, length);
	text[length] = '\0';
	end = strptime(text, "%a %b %e %H:%M:%S %Y", &tm);
	if (end == NULL || strcmp(end, "\r\n") != 0)
		return false;
	then = mktime(&tm);
	memcpy(load.known, answer, length);
	load.known_at = now;
	return then > now - CLOCK_SLACK_S && then < now + CLOCK_SLACK_S;
}

static bool is_right(const struct client *client)
{
	if (strcmp(load.expected, "daytime") == 0)
		return is_time(client->answer, client->length);
	return client->length == strlen(load.expected) &&
	       memcmp(client->answer, load.expected, client->length) == 0;
}

static void add_latency(int64_t ns)
{
	if (load.count == load.room) {
		load.room = load.room ? 2 * load.room : 65536;
		load.latencies_us =
			realloc(load.latencies_us, load.room * sizeof(*load.latencies_us));
		if (load.latencies_us == NULL)
			err(1, "memory");
	}
	load.latencies_us[load.count++] = (float)ns / 1000;
}

static void begin(struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	client->start_ns = now_ns();
	client->length = 0;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		err(1, "socket");
	if (connect(client->fd, (struct sockaddr *)&load.server, sizeof(load.server)) < 0 &&
	    errno != EINPROGRESS)
		err(1, "connect");
	if (epoll_ctl(load.epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
		err(1, "epoll");
}

static void finish(struct client *client)
{
	struct linger reset = { 1, 0 };

	add_latency(now_ns() - client->start_ns);
	if (!is_right(client))
		errx(1, "wrong answer: \"%.*s\"", (int)client->length, client->answer);
	if (setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		err(1, "linger");
	close(client->fd);
	client->fd = -1;
}

/* True when the connection has ended. */
static bool receive(struct client *client)
{
	ssize_t length;

	while ((length = recv(client->fd, client->answer + client->length,
			      sizeof(client->answer) - client->length, 0)) > 0)
		client->length += (size_t)length;
	if (length < 0 && errno == EAGAIN)
		return false;
	if (length < 0)
		err(1, "answer");
	finish(client);
	return true;
}

static void run_until(struct client *clients, int count, int64_t end_ns)
{
	struct epoll_event events[EVENTS];
	int ready, live = count;

	for (int i = 0; i < count; i++)
		begin(&clients[i]);
	while (live) {
		ready = epoll_wait(load.epoll_fd, events, EVENTS, PATIENCE_MS);
		if (ready <= 0)
			errx(1, "no answer for %d s", PATIENCE_MS / 1000);
		for (int i = 0; i < ready; i++) {
			if (!receive(events[i].data.ptr))
				continue;
			if (now_ns() < end_ns)
				begin(events[i].data.ptr);
			else
				live--;
		}
	}
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

void load_run(int port, int clients, double seconds, const char *expected,
	      struct load_result *result)
{
	struct client *all = calloc((size_t)clients, sizeof(*all));
	int64_t start_ns;

	if (all == NULL)
		err(1, "memory");
	set_server(port);
	load.expected = expected;
	load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	start_ns = now_ns();
	run_until(all, clients, start_ns + (int64_t)(seconds * 1e9));
	result->seconds = (double)(now_ns() - start_ns) / 1e9;
	result->answers = load.count;
	qsort(load.latencies_us, load.count, sizeof(*load.latencies_us), compare);
	result->p50_us = load.latencies_us[load.count / 2];
	result->p99_us = load.latencies_us[load.count * 99 / 100];
	free(all);
	close(load.epoll_fd);
}

/* The descriptor. */
static int hold_one(void)
{
	static const char question[] = "are you there?\r\n";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[sizeof(question) - 1];

	if (fd < 0 || connect(fd, (struct sockaddr *)&load.server, sizeof(load.server)) < 0)
		err(1, "connect");
	if (send(fd, question, sizeof(answer), MSG_NOSIGNAL) < 0 ||
	    recv(fd, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		err(1, "echo");
	if (memcmp(answer, question, sizeof(answer)) != 0)
		errx(1, "echo: not what was sent");
	return fd;
}

void load_hold(int port, int count, int *fds)
{
	set_server(port);
	for (int i = 0; i < count; i++)
		fds[i] = hold_one();
}
