/* SPDX-License-Identifier: ISC */
/*
 * The well-behaved client: one connection after another, each of them due at a time of its own.
 *
 * It is a process beside the one that floods, and what it has seen is in memory that both share. An
 * answer that takes longer than until the next one is due makes that one late, and its lateness
 * counts: a server cannot hide a pause by being asked less often.  Datagrams do not wait for each
 * other.
 */
#include "config.h"

#include "probe.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "drip.h"
#include "load.h"
#include "percentile.h"

#define NS_IN_MS   1000000LL
#define PATIENCE_S 10
#define ROOM	   16384 /* answers of one tally: more than a minute */

struct tally {
	size_t count, lost;
	float latencies_us[ROOM];
};

static struct {
	pid_t pid;
	struct shared {
		atomic_bool has_datagrams;
		atomic_int port, tally; /* -1: rest */
		struct tally tallies[PROBE_TALLIES];
	} * shared;
} probe;

static int64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return now.tv_sec * 1000 * NS_IN_MS + now.tv_nsec;
}

static void ask(int port)
{
	const struct sockaddr_in server = { .sin_family = AF_INET,
					    .sin_port = htons((uint16_t)port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = load_socket(NULL, 0);
	char answer[256];
	size_t length = 0;
	ssize_t got;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&server, sizeof(server)) < 0)
		err(1, "probe: connect");
	while ((got = recv(fd, answer + length, sizeof(answer) - length, 0)) > 0)
		length += (size_t)got;
	if (got < 0)
		err(1, "probe: answer");
	if (!load_is_time(answer, length))
		errx(1, "probe: wrong answer: \"%.*s\"", (int)length, answer);
	load_close(fd);
}

static void count(struct tally *tally, int64_t ns)
{
	if (tally->count < ROOM)
		tally->latencies_us[tally->count++] = (float)ns / 1000;
}

static void sleep_until(int64_t due_ns)
{
	const struct timespec due = { due_ns / (1000 * NS_IN_MS), due_ns % (1000 * NS_IN_MS) };

	while ((errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL)))
		if (errno != EINTR)
			err(1, "probe: sleep");
}

/* Hears what comes until it is due, and sends one more, or none. */
static void turn_datagrams(int64_t due_ns, int tally)
{
	struct drip_answer answer;

	while (drip_wait(due_ns, &answer)) {
		struct tally *of = &probe.shared->tallies[answer.mark];

		if (answer.latency_ns >= 0)
			count(of, answer.latency_ns);
		else
			of->lost++;
	}
	if (tally >= 0)
		drip_send(atomic_load(&probe.shared->port), tally);
}

/* Sleeps until it is due, and makes one connection, or none.  When the next one is due. */
static int64_t turn(int64_t due_ns)
{
	bool is_late = now_ns() > due_ns;
	int64_t start_ns;
	int tally;

	if (!is_late)
		sleep_until(due_ns);
	start_ns = is_late ? due_ns : now_ns();
	tally = atomic_load(&probe.shared->tally);
	if (tally >= 0 && !atomic_load(&probe.shared->has_datagrams)) {
		ask(atomic_load(&probe.shared->port));
		count(&probe.shared->tallies[tally], now_ns() - start_ns);
	}
	return start_ns + PROBE_EVERY_MS * NS_IN_MS;
}

static void be_client(void) __attribute__((noreturn));
static void be_client(void)
{
	int64_t due_ns = now_ns();

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		err(1, "probe: prctl");
	for (;;) {
		if (atomic_load(&probe.shared->has_datagrams)) {
			turn_datagrams(due_ns, atomic_load(&probe.shared->tally));
			due_ns += PROBE_DATAGRAM_MS * NS_IN_MS;
		} else {
			due_ns = turn(due_ns);
		}
	}
}

void probe_start(void)
{
	probe.shared = mmap(NULL, sizeof(*probe.shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (probe.shared == MAP_FAILED)
		err(1, "memory");
	atomic_store(&probe.shared->tally, -1);
	probe.pid = fork();
	if (probe.pid < 0)
		err(1, "fork");
	if (probe.pid == 0)
		be_client();
}

void probe_ask(int port, int tally)
{
	if (tally >= PROBE_TALLIES)
		errx(1, "the probe can count no more than %d times", PROBE_TALLIES);
	atomic_store(&probe.shared->port, port);
	atomic_store(&probe.shared->tally, tally);
	if (waitpid(probe.pid, NULL, WNOHANG) != 0)
		errx(1, "the probe has failed");
}

void probe_ask_datagrams(int port, int tally)
{
	atomic_store(&probe.shared->has_datagrams, true);
	probe_ask(port, tally);
}

double probe_latency_us(int tally, double percent)
{
	struct tally *of = &probe.shared->tallies[tally];

	return percentile(of->latencies_us, of->count, percent);
}

double probe_lost_percent(int tally)
{
	const struct tally *of = &probe.shared->tallies[tally];

	return 100.0 * (double)of->lost / (double)(of->lost + of->count);
}
