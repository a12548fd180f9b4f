/* SPDX-License-Identifier: ISC */
/*
 * The clients of a measurement: a closed loop, one thread, epoll.
 *
 * A connection is closed by a reset once the server's end of it has been read: nothing can be lost
 * by then, and no TIME_WAIT is left that would use up the ports.  Every answer is looked at, so
 * that no server can be fast by being wrong; nothing is an answer too, where that is what is
 * wanted.
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

#include "percentile.h"

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
	struct load_task task;
	int64_t end_ns;
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

bool load_is_time(const char *answer, size_t length)
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
	const char *expected = load.task.expected;

	if (strcmp(expected, "daytime") == 0)
		return load_is_time(client->answer, client->length);
	return client->length == strlen(expected) &&
	       memcmp(client->answer, expected, client->length) == 0;
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

int load_socket(const char *source, int flags)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		err(1, "socket");
	if (source == NULL)
		return fd;
	if (inet_pton(AF_INET, source, &address.sin_addr) != 1)
		errx(1, "%s: not an address", source);
	/* Else the kernel would look for a port that is free for every server. */
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", source);
	return fd;
}

void load_close(int fd)
{
	struct linger reset = { 1, 0 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		err(1, "linger");
	(void)close(fd); /* all that matters has been read */
}

static void begin(struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	client->start_ns = now_ns();
	client->length = 0;
	client->fd = load_socket(load.task.source, SOCK_NONBLOCK);
	if (connect(client->fd, (struct sockaddr *)&load.server, sizeof(load.server)) < 0 &&
	    errno != EINPROGRESS)
		err(1, "connect");
	if (epoll_ctl(load.epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
		err(1, "epoll");
}

static void finish(struct client *client)
{
	add_latency(now_ns() - client->start_ns);
	if (!is_right(client))
		errx(1, "wrong answer: \"%.*s\"", (int)client->length, client->answer);
	load_close(client->fd);
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
	if (length < 0 && (errno != ECONNRESET || *load.task.expected))
		err(1, "answer");
	finish(client);
	return true;
}

static bool is_over(void)
{
	return load.task.wanted ? load.count >= load.task.wanted : now_ns() >= load.end_ns;
}

static void run(struct client *clients, int count)
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
			if (is_over())
				live--;
			else
				begin(events[i].data.ptr);
		}
	}
}

void load_run(const struct load_task *task, struct load_result *result)
{
	struct client *all = calloc((size_t)task->clients, sizeof(*all));
	int64_t start_ns;

	if (all == NULL)
		err(1, "memory");
	set_server(task->port);
	load.task = *task;
	load.count = 0;
	load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	start_ns = now_ns();
	load.end_ns = start_ns + (int64_t)(task->seconds * 1e9);
	run(all, task->clients);
	result->seconds = (double)(now_ns() - start_ns) / 1e9;
	result->answers = load.count;
	result->p50_us = percentile(load.latencies_us, load.count, 50);
	result->p99_us = percentile(load.latencies_us, load.count, 99);
	free(all);
	close(load.epoll_fd);
}

/* The descriptor. */
static int hold_one(const char *source)
{
	static const char question[] = "are you there?\r\n";
	int fd = load_socket(source, 0);
	char answer[sizeof(question) - 1];

	if (connect(fd, (struct sockaddr *)&load.server, sizeof(load.server)) < 0)
		err(1, "connect");
	if (send(fd, question, sizeof(answer), MSG_NOSIGNAL) < 0 ||
	    recv(fd, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer))
		err(1, "echo");
	if (memcmp(answer, question, sizeof(answer)) != 0)
		errx(1, "echo: not what was sent");
	return fd;
}

void load_hold(int port, const char *source, int count, int *fds)
{
	set_server(port);
	for (int i = 0; i < count; i++)
		fds[i] = hold_one(source);
}
