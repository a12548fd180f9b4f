/* SPDX-License-Identifier: ISC */
/*
 * The clients of a reload: a closed loop, bursts, and a probe every millisecond; one thread, epoll.
 *
 * Each connection sends bytes that no other one sends, ends its half, and wants exactly these bytes
 * back.  Nothing that goes wrong ends the measurement: it is counted, by what it was.  As in load.c
 * a connection is closed by a reset once all has been read, for the sake of the ports.
 */
#include "config.h"

#include "crowd.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "percentile.h"

#define EVENTS	       256
#define NS_IN_MS       1000000LL
#define PATIENCE_S     10
#define BURST_EVERY_MS 100
#define LONG_BYTES     1024
#define SHORT_BYTES    64

enum kind { LOOP, BURST, PROBE };

struct guest {
	TAILQ_ENTRY(guest) entry;
	enum kind kind;
	int fd;
	int64_t start_ns;
	struct crowd_tally *tally;
	int error; /* of connect(2), which says it only once */
	bool has_spoken;
	size_t length, received;
	char bytes[LONG_BYTES];
};

TAILQ_HEAD(guest_list, guest);

static struct {
	struct crowd_load load;
	struct sockaddr_in server;
	int epoll_fd, timer_fd;
	int64_t patience_ns;
	int64_t ticks; /* milliseconds since the crowd came */
	uint64_t number;
	struct crowd_tally *tally;
	struct guest_list guests; /* the oldest first */
} crowd = { .guests = TAILQ_HEAD_INITIALIZER(crowd.guests) };

static void begin(enum kind kind);

int64_t crowd_now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return now.tv_sec * 1000 * NS_IN_MS + now.tv_nsec;
}

/* A linear congruential generator (Knuth's), started from the connection's number. */
static void fill(struct guest *guest)
{
	uint64_t state = ++crowd.number;

	guest->length = guest->kind == LOOP ? LONG_BYTES : SHORT_BYTES;
	for (size_t i = 0; i < guest->length; i++) {
		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		guest->bytes[i] = (char)(state >> 56);
	}
}

static void add_answer(struct guest *guest)
{
	struct crowd_tally *tally = guest->tally;
	int64_t now_ns = crowd_now_ns();

	if (tally->answers == tally->room) {
		tally->room = tally->room ? 2 * tally->room : 65536;
		tally->latencies_us =
			realloc(tally->latencies_us, tally->room * sizeof(*tally->latencies_us));
		if (tally->latencies_us == NULL)
			err(1, "memory");
	}
	tally->latencies_us[tally->answers++] = (float)(now_ns - guest->start_ns) / 1000;
	if (guest->kind != PROBE)
		return;
	if (tally->last_ns && now_ns - tally->last_ns > tally->gap_ns)
		tally->gap_ns = now_ns - tally->last_ns;
	tally->last_ns = now_ns;
}

static void end(struct guest *guest)
{
	enum kind kind = guest->kind;

	load_close(guest->fd);
	TAILQ_REMOVE(&crowd.guests, guest, entry);
	free(guest);
	if (kind == LOOP && crowd.tally)
		begin(LOOP);
}

static void end_badly(struct guest *guest, int error)
{
	if (error == ECONNREFUSED)
		guest->tally->refused++;
	else
		guest->tally->reset++;
	end(guest);
}

static void watch(struct guest *guest, int operation, unsigned what)
{
	struct epoll_event event = { .events = what, .data.ptr = guest };

	if (epoll_ctl(crowd.epoll_fd, operation, guest->fd, &event) < 0)
		err(1, "epoll");
}

static void begin(enum kind kind)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (guest == NULL)
		err(1, "memory");
	guest->kind = kind;
	guest->tally = crowd.tally;
	fill(guest);
	guest->start_ns = crowd_now_ns();
	guest->fd = load_socket(NULL, SOCK_NONBLOCK);
	TAILQ_INSERT_TAIL(&crowd.guests, guest, entry);
	if (connect(guest->fd, (struct sockaddr *)&crowd.server, sizeof(crowd.server)) < 0 &&
	    errno != EINPROGRESS)
		guest->error = errno;
	watch(guest, EPOLL_CTL_ADD, EPOLLOUT);
}

/* An error number, or 0. */
static int find_error(const struct guest *guest)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (guest->error)
		return guest->error;
	if (getsockopt(guest->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		err(1, "SO_ERROR");
	return error;
}

/* So few bytes go in one piece.  False when the guest has ended. */
static bool talk(struct guest *guest)
{
	int error = find_error(guest);

	if (error == 0 && (send(guest->fd, guest->bytes, guest->length, MSG_NOSIGNAL) < 0 ||
			   shutdown(guest->fd, SHUT_WR) < 0))
		error = errno;
	if (error) {
		end_badly(guest, error);
		return false;
	}
	guest->has_spoken = true;
	watch(guest, EPOLL_CTL_MOD, EPOLLIN);
	return true;
}

/* True when these bytes are the next of those that were sent. */
static bool is_echo(struct guest *guest, const char *bytes, size_t length)
{
	if (length > guest->length - guest->received ||
	    memcmp(guest->bytes + guest->received, bytes, length) != 0)
		return false;
	guest->received += length;
	return true;
}

static void listen_to(struct guest *guest)
{
	char bytes[LONG_BYTES + 1];
	ssize_t length;

	while ((length = recv(guest->fd, bytes, sizeof(bytes), 0)) > 0) {
		if (!is_echo(guest, bytes, (size_t)length)) {
			guest->tally->changed++;
			end(guest);
			return;
		}
	}
	if (length < 0 && errno == EAGAIN)
		return;
	if (length < 0) {
		end_badly(guest, errno);
		return;
	}
	if (guest->received == guest->length)
		add_answer(guest);
	else
		guest->tally->unanswered++;
	end(guest);
}

static void begin_many(enum kind kind, int count)
{
	while (crowd.tally && count-- > 0)
		begin(kind);
}

static void tick(void)
{
	uint64_t passed;

	if (read(crowd.timer_fd, &passed, sizeof(passed)) != sizeof(passed))
		err(1, "timer");
	while (passed--) {
		begin_many(PROBE, crowd.load.probes);
		if (++crowd.ticks % BURST_EVERY_MS == 0)
			begin_many(BURST, crowd.load.burst);
	}
}

static void lose_patience(void)
{
	int64_t limit_ns = crowd_now_ns() - crowd.patience_ns;
	struct guest *oldest;

	while ((oldest = TAILQ_FIRST(&crowd.guests)) && oldest->start_ns < limit_ns) {
		oldest->tally->unanswered++;
		end(oldest);
	}
}

void crowd_turn(void)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(crowd.epoll_fd, events, EVENTS, -1);

	if (count < 0 && errno != EINTR)
		err(1, "epoll");
	/* No guest can have ended by another one's event. */
	for (int i = 0; i < count; i++) {
		struct guest *guest = events[i].data.ptr;

		if (guest == NULL)
			tick();
		else if (guest->has_spoken || talk(guest))
			listen_to(guest);
	}
	lose_patience();
}

void crowd_open(const struct crowd_load *load)
{
	const struct itimerspec every_ms = { { 0, NS_IN_MS }, { 0, NS_IN_MS } };
	struct epoll_event event = { .events = EPOLLIN };

	crowd.load = *load;
	crowd.patience_ns = (load->patience_s ? load->patience_s : PATIENCE_S) * 1000 * NS_IN_MS;
	crowd.server = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)load->port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	crowd.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	crowd.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (crowd.timer_fd < 0 || timerfd_settime(crowd.timer_fd, 0, &every_ms, NULL) < 0 ||
	    epoll_ctl(crowd.epoll_fd, EPOLL_CTL_ADD, crowd.timer_fd, &event) < 0)
		err(1, "timer");
}

void crowd_count_in(struct crowd_tally *tally)
{
	if (tally)
		tally->last_ns = 0;
	if (crowd.tally == NULL) {
		tick(); /* nobody is due for the time in which nobody was wanted */
		crowd.tally = tally;
		begin_many(LOOP, crowd.load.clients);
	}
	crowd.tally = tally;
}

void crowd_pause(void)
{
	crowd_count_in(NULL);
	while (!TAILQ_EMPTY(&crowd.guests))
		crowd_turn();
}

double crowd_latency_us(struct crowd_tally *tally, double percent)
{
	return percentile(tally->latencies_us, tally->answers, percent);
}
