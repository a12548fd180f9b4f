/* SPDX-License-Identifier: ISC */
/*
 * The clients of a time service over UDP.
 *
 * A closed loop: each client has a window of questions under way, and sends a new one for each
 * answer, in batches, so that it costs less than the server.  The windows of all together must fit
 * into the buffer of the server's socket, or the kernel loses what no server could have had.  Every
 * answer is looked at.  The flood is an open loop.
 */
#include "config.h"

#include "datagrams.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "percentile.h"

#define NS_IN_S		     1000000000LL
#define NS_IN_MS	     1000000LL
#define EVENTS		     64
#define WINDOW_MAX	     64
#define BATCH		     32 /* of the flood */
#define LOOK_MS		     100
#define PATIENCE_MS	     1000 /* until a question counts as lost */
#define SECONDS_1900_TO_1970 2208988800U
#define CLOCK_SLACK_S	     5 /* between the server's look at the clock and ours */

struct client {
	int fd;
	unsigned first, asked;	     /* the questions under way: in sent_ns, a ring */
	int64_t sent_ns[WINDOW_MAX]; /* answers come in the order of the questions */
};

static struct {
	unsigned window;
	int64_t end_ns;
	unsigned long answers, lost;
	float *latencies_us;
	size_t room;
} load;

static int64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return now.tv_sec * NS_IN_S + now.tv_nsec;
}

int datagrams_socket(int port, const char *source)
{
	struct sockaddr_in server = { .sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in own = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	if (source && inet_pton(AF_INET, source, &own.sin_addr) != 1)
		errx(1, "%s: not an address", source);
	if ((source && bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0) ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0)
		err(1, "datagrams to port %d", port);
	return fd;
}

static void check(uint32_t answer, ssize_t length)
{
	const uint32_t now = (uint32_t)time(NULL) + SECONDS_1900_TO_1970;
	const uint32_t then = ntohl(answer);

	if (length != sizeof(answer) || then < now - CLOCK_SLACK_S || then > now + CLOCK_SLACK_S)
		errx(1, "wrong answer: %zd bytes, %u", length, then);
}

void datagrams_ask(int fd)
{
	if (send(fd, "", 0, 0) < 0) /* RFC 868: an empty one */
		err(1, "question");
}

void datagrams_hear(int fd)
{
	uint32_t answer = 0;
	ssize_t length = recv(fd, &answer, sizeof(answer), MSG_TRUNC);

	check(answer, length);
}

/* -- the closed loop -- */

static void add_latency(int64_t ns)
{
	if (load.answers == load.room) {
		load.room = load.room ? 2 * load.room : 65536;
		load.latencies_us =
			realloc(load.latencies_us, load.room * sizeof(*load.latencies_us));
		if (load.latencies_us == NULL)
			err(1, "memory");
	}
	load.latencies_us[load.answers++] = (float)ns / 1000;
}

static void send_questions(int fd, unsigned count)
{
	static struct mmsghdr heads[WINDOW_MAX]; /* RFC 868: empty datagrams */

	for (unsigned done = 0; done < count;) {
		int sent = sendmmsg(fd, heads, count - done, 0);

		if (sent <= 0)
			err(1, "questions");
		done += (unsigned)sent;
	}
}

/* As many as the window has room for. */
static void ask(struct client *client)
{
	const unsigned count = load.window - client->asked;
	const int64_t sent_ns = now_ns();

	for (; client->asked < load.window; client->asked++)
		client->sent_ns[(client->first + client->asked) % WINDOW_MAX] = sent_ns;
	send_questions(client->fd, count);
}

static void answered(struct client *client)
{
	if (client->asked == 0)
		errx(1, "an answer that nobody has asked for");
	add_latency(now_ns() - client->sent_ns[client->first]);
	client->first = (client->first + 1) % WINDOW_MAX;
	client->asked--;
}

static void receive(struct client *client)
{
	static uint32_t answers[WINDOW_MAX];
	static struct iovec pieces[WINDOW_MAX];
	static struct mmsghdr heads[WINDOW_MAX];
	int count;

	for (unsigned i = 0; i < load.window; i++) {
		pieces[i] = (struct iovec){ &answers[i], sizeof(answers[i]) };
		heads[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i], .msg_iovlen = 1 };
	}
	count = recvmmsg(client->fd, heads, load.window, MSG_DONTWAIT | MSG_TRUNC, NULL);
	if (count < 0)
		err(1, "answers");
	for (int i = 0; i < count; i++) {
		check(answers[i], heads[i].msg_len);
		answered(client);
	}
}

static void begin(struct client *client, int epoll_fd, int port)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	client->fd = datagrams_socket(port, NULL);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
		err(1, "epoll");
	ask(client);
}

/* Begins anew with another socket, since an answer may still come. */
static void give_up(struct client *client, int epoll_fd, int port)
{
	load.lost += client->asked;
	client->asked = 0;
	close(client->fd);
	begin(client, epoll_fd, port);
}

static void look_around(struct client *clients, const struct datagrams_task *task, int epoll_fd)
{
	const int64_t lost_ns = now_ns() - PATIENCE_MS * NS_IN_MS;

	for (int i = 0; i < task->clients; i++)
		if (clients[i].asked && clients[i].sent_ns[clients[i].first] < lost_ns)
			give_up(&clients[i], epoll_fd, task->port);
}

static void turn(int epoll_fd, int timeout_ms, bool asks)
{
	struct epoll_event events[EVENTS];
	int ready = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);

	for (int i = 0; i < ready; i++) {
		receive(events[i].data.ptr);
		if (asks)
			ask(events[i].data.ptr);
	}
}

static unsigned count_asked(const struct client *clients, int count)
{
	unsigned asked = 0;

	for (int i = 0; i < count; i++)
		asked += clients[i].asked;
	return asked;
}

static void run(struct client *clients, const struct datagrams_task *task, int epoll_fd)
{
	int64_t look_ns = now_ns() + LOOK_MS * NS_IN_MS, over_ns;

	for (int i = 0; i < task->clients; i++)
		begin(&clients[i], epoll_fd, task->port);
	while (now_ns() < load.end_ns) {
		turn(epoll_fd, LOOK_MS, true);
		if (now_ns() < look_ns)
			continue;
		look_around(clients, task, epoll_fd);
		look_ns = now_ns() + LOOK_MS * NS_IN_MS;
	}
	over_ns = now_ns() + PATIENCE_MS * NS_IN_MS;
	while (count_asked(clients, task->clients) && now_ns() < over_ns)
		turn(epoll_fd, LOOK_MS, false);
	load.lost += count_asked(clients, task->clients);
}

void datagrams_run(const struct datagrams_task *task, struct datagrams_result *result)
{
	struct client *clients = calloc((size_t)task->clients, sizeof(*clients));
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	int64_t start_ns = now_ns();

	if (clients == NULL)
		err(1, "memory");
	if (task->window < 1 || task->window > WINDOW_MAX)
		errx(1, "no window of %d questions", task->window);
	load.window = (unsigned)task->window;
	load.answers = load.lost = 0;
	load.end_ns = start_ns + (int64_t)(task->seconds * 1e9);
	run(clients, task, epoll_fd);
	result->seconds = (double)(now_ns() - start_ns) / 1e9;
	result->answers = load.answers;
	result->lost = load.lost;
	result->p50_us = percentile(load.latencies_us, load.answers, 50);
	result->p99_us = percentile(load.latencies_us, load.answers, 99);
	for (int i = 0; i < task->clients; i++)
		close(clients[i].fd);
	free(clients);
	close(epoll_fd);
}

/* -- the flood -- */

static void sleep_until(int64_t due_ns)
{
	const struct timespec due = { due_ns / NS_IN_S, due_ns % NS_IN_S };

	while ((errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL)))
		if (errno != EINTR)
			err(1, "sleep");
}

unsigned long datagrams_flood(int port, const char *source, int rate, double seconds)
{
	const int64_t start_ns = now_ns(), end_ns = start_ns + (int64_t)(seconds * 1e9);
	int fd = datagrams_socket(port, source);
	unsigned long sent = 0;

	while (now_ns() < end_ns) {
		if (rate)
			sleep_until(start_ns + (int64_t)sent * NS_IN_S / rate);
		send_questions(fd, BATCH);
		sent += BATCH;
	}
	close(fd);
	return sent;
}
