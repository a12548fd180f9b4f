/* SPDX-License-Identifier: ISC */
/* RFC 1078, from the worker's side: the name, not a byte more, and what the master says of it. */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "report/refusal.h"
#include "talk.h"
#include "worker/offer.h"
#include "worker/worker.h"
#include "suite.h"

#define OUT_OF_THE_WAY 40 /* descriptors of the test, while 3 is the worker's */
#define UNAVAILABLE    "-Service not available\r\n"

/* A plan with no more than names: two of four services are marked. */
static struct {
	struct plan plan;
	struct plan_service services[4];
	char names[4][16];
} plan;

static const char *const names[] = { "secret", "daytime", "Day.Time_2-x", "hidden" };

/* A worker with a client, and the master's ends of both. */
struct stage {
	struct talk talk;
	int copy;   /* of the connection */
	int master; /* of the pair of sockets */
};

static int move(int fd)
{
	const int moved = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);

	ck_assert_int_ge(moved, OUT_OF_THE_WAY);
	close(fd);
	return moved;
}

static void make_pair(int type, int ends[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	ends[0] = move(ends[0]);
	ends[1] = move(ends[1]);
}

static void make_plan(void)
{
	plan.plan.services = offsetof(typeof(plan), services);
	plan.plan.nservices = 4;
	for (size_t i = 0; i < 4; i++) {
		strcpy(plan.names[i], names[i]);
		plan.services[i].name = (uint32_t)(plan.names[i] - (char *)&plan);
		plan.services[i].id = 0x123456789abcdef0 + i;
		plan.services[i].multiplexed = i == 1 || i == 2;
	}
}

static void run(int fd, int talk_fd, int64_t first_byte_ms, long long name_ms)
	__attribute__((noreturn));
static void run(int fd, int talk_fd, int64_t first_byte_ms, long long name_ms)
{
	static struct begat_session session;
	static struct worker_task task = { .plan = &plan.plan, .fds = { 3, -1, -1, -1 } };
	const struct begat_value value = { .name = "name-timeout", .number = name_ms };
	const struct session_settings settings = { .fd = 0,
						   .crlf = true,
						   .values = &value,
						   .nvalues = 1,
						   .first_byte_ms = first_byte_ms,
						   .idle_ms = 60000,
						   .task = &task };

	if (dup2(fd, 0) != 0 || dup2(talk_fd, 3) != 3)
		_exit(99);
	close_range(OUT_OF_THE_WAY, ~0U, 0);
	session_init(&session, &settings);
	exit(tcpmux_handler.serve(&session));
}

static struct stage start_with(int64_t first_byte_ms, long long name_ms)
{
	struct stage stage;
	int connection[2], talk[2];

	make_plan();
	make_pair(SOCK_STREAM, connection);
	make_pair(SOCK_SEQPACKET, talk);
	stage.talk.worker = fork();
	ck_assert_int_ge(stage.talk.worker, 0);
	if (stage.talk.worker == 0)
		run(connection[1], talk[1], first_byte_ms, name_ms);
	close(talk[1]);
	stage.talk.fd = connection[0];
	stage.copy = connection[1];
	stage.master = talk[0];
	return stage;
}

static struct stage start(void)
{
	return start_with(0, 30000);
}

/* What the worker asks for, or says; the kind, or -1: it has nothing more to say. */
static int hear_offer(const struct stage *stage, uint64_t *service)
{
	struct offer offer;
	const ssize_t length = recv(stage->master, &offer, sizeof(offer), MSG_TRUNC);

	if (length == 0)
		return -1;
	ck_assert_int_eq(length, sizeof(offer));
	ck_assert_uint_eq(offer.padding, 0);
	*service = offer.service;
	return (int)offer.kind;
}

static void expect_offer(const struct stage *stage, int kind, size_t service)
{
	uint64_t id = 0;

	ck_assert_int_eq(hear_offer(stage, &id), kind);
	ck_assert_uint_eq(id, plan.services[service].id);
}

static void answer(const struct stage *stage, uint32_t refusal)
{
	const struct offer_answer given = { .refusal = refusal };

	ck_assert_int_eq(send(stage->master, &given, sizeof(given), 0), sizeof(given));
}

static void expect_silence(const struct stage *stage)
{
	uint64_t id;

	ck_assert_int_eq(hear_offer(stage, &id), -1);
}

/* A line that begins with "-" is the last: the client hangs up. */
static void expect_refused(struct stage *stage, const char *text)
{
	talk_expect(&stage->talk, text);
	close(stage->talk.fd);
	stage->talk.fd = -1;
	expect_silence(stage);
}

/* The master's copy is what keeps the connection open. */
static int stop(struct stage *stage)
{
	close(stage->copy);
	close(stage->master);
	return talk_end(&stage->talk);
}

/* What the client hears of a worker that asks nobody. */
static void expect_alone(const void *sent, size_t length, const char *expected)
{
	struct stage stage = start();
	char heard[4096];

	talk_send(&stage.talk, sent, length);
	talk_half_close(&stage.talk);
	close(stage.copy);
	stage.copy = -1;
	talk_hear(&stage.talk, heard, sizeof(heard));
	ck_assert_str_eq(heard, expected);
	expect_silence(&stage);
	close(stage.master);
	ck_assert_int_eq(talk_end(&stage.talk), 0);
}
#define EXPECT_ALONE(text, expected) expect_alone(text, sizeof(text) - 1, expected)

static void expect_admitted(struct stage *stage, size_t service)
{
	expect_offer(stage, OFFER_ASK, service);
	answer(stage, REFUSAL_NONE);
	talk_expect(&stage->talk, "+Go\r\n");
	expect_offer(stage, OFFER_HAND, service);
	expect_silence(stage);
}

/* The name is never case sensitive; a lone LF will do. */
START_TEST(tcpmux_named)
{
	static const struct {
		const char *line;
		size_t service;
	} lines[] = { { "daytime\r\n", 1 },
		      { "DAYTIME\r\n", 1 },
		      { "dAyTiMe\n", 1 },
		      { "day.time_2-X\r\n", 2 },
		      { "Day.Time_2-x\r\n", 2 } };

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct stage stage = start();

		talk_say(&stage.talk, lines[i].line);
		expect_admitted(&stage, lines[i].service);
		ck_assert_int_eq(stop(&stage), 0);
	}
}
END_TEST

static int count_there(int fd)
{
	int count = -1;

	ck_assert_int_eq(ioctl(fd, FIONREAD, &count), 0);
	return count;
}

static void wait_for_count(int fd, int count)
{
	for (int i = 0; count_there(fd) != count; i++) {
		ck_assert_int_lt(i, 5000);
		usleep(1000);
	}
}

/* However the network has cut it (xinetd's PR 9: it read on, and the service never got it). */
START_TEST(tcpmux_not_a_byte_more)
{
	static const char sent[] = "daytime\r\n\0second\nline\r\nHELP\r\n\xff";
	const size_t line = strlen("daytime\r\n"), length = sizeof(sent) - 1;

	for (size_t cut = 1; cut <= length; cut++) {
		struct stage stage = start();
		char rest[64];

		talk_send(&stage.talk, sent, cut);
		if (cut < line)
			wait_for_count(stage.copy, 0);
		talk_send(&stage.talk, sent + cut, length - cut);
		expect_admitted(&stage, 1);
		ck_assert_int_eq(recv(stage.copy, rest, sizeof(rest), MSG_DONTWAIT),
				 (ssize_t)(length - line));
		ck_assert_mem_eq(rest, sent + line, length - line);
		ck_assert_int_eq(stop(&stage), 0);
	}
}
END_TEST

/* Nor does the connection end when the worker does: it is the service's. */
START_TEST(tcpmux_goes_on)
{
	struct stage stage = start();
	struct pollfd pollfd = { .events = POLLIN };
	int status;

	talk_say(&stage.talk, "daytime\r\n");
	expect_admitted(&stage, 1);
	ck_assert_int_eq(waitpid(stage.talk.worker, &status, 0), stage.talk.worker);
	ck_assert_int_eq(status, 0);
	pollfd.fd = stage.talk.fd;
	ck_assert_int_eq(poll(&pollfd, 1, 0), 0);
	ck_assert_int_eq(send(stage.copy, "x", 1, MSG_NOSIGNAL), 1);
	talk_expect(&stage.talk, "x");
	close(stage.copy);
	close(stage.master);
	close(stage.talk.fd);
}
END_TEST

/* CVE-2012-0862: only services that are marked, here as below. */
START_TEST(tcpmux_help)
{
	EXPECT_ALONE("HELP\r\n", "daytime\r\nDay.Time_2-x\r\n");
	EXPECT_ALONE("help\n", "daytime\r\nDay.Time_2-x\r\n");
	EXPECT_ALONE("Help\r\ndaytime\r\n", "daytime\r\nDay.Time_2-x\r\n");
}
END_TEST

START_TEST(tcpmux_not_there)
{
	EXPECT_ALONE("secret\r\n", UNAVAILABLE);
	EXPECT_ALONE("HIDDEN\r\n", UNAVAILABLE);
	EXPECT_ALONE("daytim\r\n", UNAVAILABLE);
	EXPECT_ALONE("daytimes\r\n", UNAVAILABLE);
	EXPECT_ALONE("+daytime\r\n", UNAVAILABLE);
	EXPECT_ALONE("../daytime\r\n", UNAVAILABLE);
	EXPECT_ALONE("%s%n\r\n", UNAVAILABLE);
}
END_TEST

/* F121, F122 */
START_TEST(tcpmux_no_name)
{
	static const char no_name[] = "-Not a service name\r\n";

	EXPECT_ALONE("\r\n", no_name);
	EXPECT_ALONE("\n", no_name);
	EXPECT_ALONE("daytime\0\r\n", no_name);
	EXPECT_ALONE("\0daytime\r\n", no_name);
	EXPECT_ALONE("daytime\0hidden\r\n", no_name);
	EXPECT_ALONE("daytime \r\n", no_name);
	EXPECT_ALONE(" daytime\r\n", no_name);
	EXPECT_ALONE("day\rtime\r\n", no_name);
	EXPECT_ALONE("daytime\r\r\n", no_name);
	EXPECT_ALONE("daytime\t\r\n", no_name);
	EXPECT_ALONE("\x1b[2Jdaytime\r\n", no_name);
	EXPECT_ALONE("daytim\xe9\r\n", no_name);
	EXPECT_ALONE("daytime\x7f\r\n", no_name);
	EXPECT_ALONE("\xff\xf4\xff\xfd\x06"
		     "daytime\r\n",
		     no_name);
}
END_TEST

/* It may be the beginning of another one. */
START_TEST(tcpmux_no_end)
{
	EXPECT_ALONE("", "-Service name without an end\r\n");
	EXPECT_ALONE("daytime", "-Service name without an end\r\n");
	EXPECT_ALONE("daytime\r", "-Service name without an end\r\n");
	EXPECT_ALONE("HELP", "-Service name without an end\r\n");
}
END_TEST

/* F120 */
START_TEST(tcpmux_too_long)
{
	static char line[1 << 20];

	memset(line, 'a', sizeof(line));
	expect_alone(line, 300, "-Service name too long\r\n");
	line[255] = '\r', line[256] = '\n';
	expect_alone(line, 257, UNAVAILABLE);
	line[255] = 'a', line[256] = 'a', line[257] = '\n';
	expect_alone(line, 258, "-Service name too long\r\n");
}
END_TEST

/* The worker is soon gone, whatever else comes; and it has not taken it all. */
START_TEST(tcpmux_too_long_for_ever)
{
	struct stage stage = start();
	char block[4096];
	size_t sent = 0;
	ssize_t got;

	memset(block, 'a', sizeof(block));
	close(stage.copy);
	while ((got = send(stage.talk.fd, block, sizeof(block), MSG_NOSIGNAL)) > 0)
		sent += (size_t)got;
	ck_assert_uint_lt(sent, 1 << 20);
	expect_refused(&stage, "-Service name too long\r\n");
	close(stage.master);
	ck_assert_int_eq(talk_end(&stage.talk), 0);
}
END_TEST

static int64_t now(void)
{
	struct timespec at;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &at), 0);
	return at.tv_sec * 1000LL + at.tv_nsec / 1000000;
}

/* All of it together has one time limit. */
START_TEST(tcpmux_dripping)
{
	struct stage stage = start_with(0, 300);
	struct pollfd pollfd = { .fd = stage.talk.fd, .events = POLLIN };
	const int64_t since = now();

	do
		talk_say(&stage.talk, "a");
	while (poll(&pollfd, 1, 20) == 0);
	ck_assert_int_ge(now() - since, 250);
	ck_assert_int_lt(now() - since, 3000);
	expect_refused(&stage, "-Too slow\r\n");
	close(stage.copy);
	close(stage.master);
	ck_assert_int_eq(talk_end(&stage.talk), 0);
}
END_TEST

START_TEST(tcpmux_silent)
{
	struct stage stage = start_with(100, 30000);

	expect_refused(&stage, "-Too slow\r\n");
	ck_assert_int_eq(stop(&stage), 0);
	stage = start_with(0, 1000);
	talk_say(&stage.talk, "daytime");
	expect_refused(&stage, "-Too slow\r\n");
	ck_assert_int_eq(stop(&stage), 0);
}
END_TEST

/* Who is denied cannot tell that from a service that is not there. */
START_TEST(tcpmux_refused)
{
	for (uint32_t refusal = REFUSAL_NONE + 1; refusal < REFUSALS + 2; refusal++) {
		struct stage stage = start();
		const bool denied = refusal <= REFUSAL_BANNED;

		talk_say(&stage.talk, "daytime\r\n");
		expect_offer(&stage, OFFER_ASK, 1);
		answer(&stage, refusal);
		expect_refused(&stage, denied ? UNAVAILABLE : "-Try again later\r\n");
		ck_assert_int_eq(stop(&stage), 0);
	}
}
END_TEST

/* A master that is gone, or speaks another language, has not said yes. */
START_TEST(tcpmux_no_answer)
{
	struct stage stage = start();
	const char nonsense[sizeof(struct offer_answer) + 1] = { 0 };

	talk_say(&stage.talk, "daytime\r\n");
	close(stage.master);
	talk_expect(&stage.talk, "-Try again later\r\n");
	close(stage.copy);
	ck_assert_int_eq(talk_end(&stage.talk), 0);
	for (size_t length = 1; length <= sizeof(nonsense); length++) {
		if (length == sizeof(struct offer_answer))
			continue;
		stage = start();
		talk_say(&stage.talk, "daytime\r\n");
		expect_offer(&stage, OFFER_ASK, 1);
		ck_assert_int_eq(send(stage.master, nonsense, length, 0), (ssize_t)length);
		expect_refused(&stage, "-Try again later\r\n");
		ck_assert_int_eq(stop(&stage), 0);
	}
}
END_TEST

/* Nobody is left to be handed over. */
START_TEST(tcpmux_client_gone)
{
	struct stage stage = start();

	talk_say(&stage.talk, "daytime\r\n");
	expect_offer(&stage, OFFER_ASK, 1);
	close(stage.talk.fd);
	stage.talk.fd = -1;
	answer(&stage, REFUSAL_NONE);
	expect_silence(&stage);
	ck_assert_int_eq(stop(&stage), 0);
}
END_TEST

SUITE("tcpmux", tcpmux_named, tcpmux_not_a_byte_more, tcpmux_goes_on, tcpmux_help, tcpmux_not_there,
      tcpmux_no_name, tcpmux_no_end, tcpmux_too_long, tcpmux_too_long_for_ever, tcpmux_dripping,
      tcpmux_silent, tcpmux_refused, tcpmux_no_answer, tcpmux_client_gone)
