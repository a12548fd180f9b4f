/* SPDX-License-Identifier: ISC */
/* What a redirect promises: every byte, each end on its own, and no target that holds it up. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "handlers/handler.h"
#include "handlers/send-proxy.h"
#include "random.h"
#include "suite.h"
#include "talk.h"
#include "worker/worker.h"

#define MUCH (4 << 20)

/* -- a resolver of our own: "there" is the first address, "moved" the second when asked anew -- */

static struct sockaddr_storage known[2];
static unsigned *asked; /* shared: how often, and how often anew */

size_t begat_resolve(struct begat_session *session, const struct begat_lookup *lookup,
		     struct sockaddr_storage *addresses, size_t size, const char **why)
{
	(void)session;
	(void)size;
	asked[lookup->fresh]++;
	*why = "no such host";
	if (strcmp(lookup->host, "nowhere") == 0)
		return 0;
	addresses[0] = known[strcmp(lookup->host, "moved") == 0 && lookup->fresh];
	return 1;
}

/* -- the target: a listening socket of this process -- */

struct listening {
	int fd;
	struct sockaddr_storage address;
	char text[120];
};

static struct listening listen_inet(void)
{
	struct listening here = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_in *in = (struct sockaddr_in *)&here.address;
	socklen_t length = sizeof(*in);

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(here.fd, (struct sockaddr *)in, length), 0);
	ck_assert_int_eq(listen(here.fd, 8), 0);
	ck_assert_int_eq(getsockname(here.fd, (struct sockaddr *)in, &length), 0);
	snprintf(here.text, sizeof(here.text), "tcp:127.0.0.1:%u", ntohs(in->sin_port));
	return here;
}

static struct listening listen_unix(int backlog)
{
	struct listening here = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_un *un = (struct sockaddr_un *)&here.address;
	const int length = snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "begat-test-%d-%d",
				    (int)getpid(), here.fd);

	un->sun_family = AF_UNIX;
	ck_assert_int_eq(bind(here.fd, (struct sockaddr *)un, 2 + 1 + (socklen_t)length), 0);
	ck_assert_int_eq(listen(here.fd, backlog), 0);
	snprintf(here.text, sizeof(here.text), "unix:@%.107s", un->sun_path + 1);
	return here;
}

/* Nobody listens at its address any more. */
static struct listening listen_nowhere(void)
{
	struct listening here = listen_inet();

	close(here.fd);
	return here;
}

static int take(const struct listening *here)
{
	struct pollfd pollfd = { .fd = here->fd, .events = POLLIN };
	int fd;

	ck_assert_int_eq(poll(&pollfd, 1, 10000), 1);
	fd = accept4(here->fd, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

/* -- a worker, and this process as its client -- */

struct redirect {
	struct talk talk;
	struct worker_report *report; /* shared */
	int messages;		      /* its standard error */
};

#define TIMED_OUT 99 /* its exit status, as worker.c would note it otherwise */

static struct {
	char *targets[4]; /* what it is started with */
	const char *send_proxy;
	long long connect_ms, idle_ms;
	bool tcp;
} with;

static void pair(bool tcp, int ends[2])
{
	struct listening here;

	if (!tcp) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		return;
	}
	here = listen_inet();
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
		connect(ends[0], (struct sockaddr *)&here.address, sizeof(struct sockaddr_in)), 0);
	ends[1] = take(&here);
	close(here.fd);
}

static void serve(int fd, struct worker_report *report) __attribute__((noreturn));
static void serve(int fd, struct worker_report *report)
{
	static struct begat_session session;
	static struct worker_task task;
	socklen_t length = sizeof(task.connection.peer);
	const struct begat_value values[] = {
		{ .name = "connect-timeout", .number = with.connect_ms ? with.connect_ms : 5000 },
		{ .name = "send-proxy", .string = with.send_proxy ? with.send_proxy : "none" },
		{ .name = "target", .argv = with.targets },
	};
	const struct session_settings settings = {
		.fd = fd, .idle_ms = with.idle_ms, .values = values, .nvalues = 3, .task = &task
	};
	int status;

	task.report = report;
	(void)getpeername(fd, (struct sockaddr *)&task.connection.peer, &length);
	session_init(&session, &settings);
	status = redirect_handler.serve(&session);
	exit(session.timed_out == SESSION_IDLE ? TIMED_OUT : status);
}

static struct redirect begin(void)
{
	struct redirect redirect;
	int ends[2], messages[2];

	redirect.report =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(redirect.report, MAP_FAILED);
	asked = (unsigned *)(redirect.report + 1);
	pair(with.tcp, ends);
	ck_assert_int_eq(pipe2(messages, O_CLOEXEC), 0);
	redirect.talk.worker = fork();
	ck_assert_int_ge(redirect.talk.worker, 0);
	if (redirect.talk.worker == 0) {
		close(ends[0]);
		dup2(messages[1], STDERR_FILENO);
		serve(ends[1], redirect.report);
	}
	close(ends[1]);
	close(messages[1]);
	redirect.talk.fd = ends[0];
	redirect.messages = messages[0];
	return redirect;
}

static int exit_status(struct redirect *redirect)
{
	const int status = talk_end(&redirect->talk);

	ck_assert_msg(WIFEXITED(status), "died of signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static struct talk as_talk(int fd)
{
	return (struct talk){ .fd = fd };
}

static void check_heard(const struct talk *talk, const char *expected)
{
	char heard[256];

	talk_hear(talk, heard, sizeof(heard));
	ck_assert_str_eq(heard, expected);
}

static void check_message(const struct redirect *redirect, const char *expected)
{
	char text[512] = "";

	ck_assert_int_ge(read(redirect->messages, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, expected);
}

static void reset(int fd)
{
	const struct linger linger = { .l_onoff = 1 };

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	close(fd);
}

/* -- bytes -- */

static char told[2][MUCH], got[2][MUCH + 2];

/* Both ends send and hear at once, as a client and a server would. */
static void exchange(int a, int b)
{
	struct pollfd fds[] = { { .fd = a }, { .fd = b } };
	size_t sent[2] = { 0 }, heard[2] = { 0 };
	bool ended[2] = { false };

	while (!ended[0] || !ended[1]) {
		for (int i = 0; i < 2; i++)
			fds[i].events =
				(short)((ended[i] ? 0 : POLLIN) | (sent[i] < MUCH ? POLLOUT : 0));
		ck_assert_int_gt(poll(fds, 2, 10000), 0);
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (fds[i].revents & POLLOUT) {
				n = send(fds[i].fd, told[i] + sent[i], MUCH - sent[i],
					 MSG_DONTWAIT | MSG_NOSIGNAL);
				sent[i] += n > 0 ? (size_t)n : 0;
				if (sent[i] == MUCH)
					shutdown(fds[i].fd, SHUT_WR);
			}
			if (fds[i].revents & POLLIN) {
				n = recv(fds[i].fd, got[i] + heard[i], sizeof(got[i]) - heard[i],
					 0);
				ck_assert_int_ge(n, 0);
				heard[i] += (size_t)n;
				ended[i] = n == 0;
			}
		}
	}
	ck_assert_uint_eq(heard[0], MUCH);
	ck_assert_uint_eq(heard[1], MUCH);
	ck_assert_mem_eq(got[0], told[1], MUCH);
	ck_assert_mem_eq(got[1], told[0], MUCH);
}

START_TEST(both_ways)
{
	struct listening here = _i & 1 ? listen_inet() : listen_unix(1);
	struct redirect redirect;
	int server;

	for (size_t i = 0; i < MUCH; i++) {
		told[0][i] = (char)next_random();
		told[1][i] = (char)next_random();
	}
	with.tcp = _i & 2;
	with.targets[0] = here.text;
	redirect = begin();
	server = take(&here);
	exchange(redirect.talk.fd, server);
	close(server);
	ck_assert_int_eq(exit_status(&redirect), 0);
	ck_assert_uint_eq(redirect.report->from_client, MUCH);
	ck_assert_uint_eq(redirect.report->to_client, MUCH);
}
END_TEST

/* The client has asked all and waits for the answer: nc -N, HTTP/1.0. */
START_TEST(client_half_closes)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	struct talk server;

	with.tcp = _i;
	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	talk_say(&redirect.talk, "question");
	talk_half_close(&redirect.talk);
	check_heard(&server, "question");
	talk_say(&server, "answer");
	close(server.fd);
	check_heard(&redirect.talk, "answer");
	ck_assert_int_eq(exit_status(&redirect), 0);
}
END_TEST

START_TEST(target_half_closes)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	struct talk server;

	with.tcp = _i;
	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	talk_say(&server, "greeting");
	talk_half_close(&server);
	check_heard(&redirect.talk, "greeting");
	talk_say(&redirect.talk, "still here");
	talk_half_close(&redirect.talk);
	check_heard(&server, "still here");
	ck_assert_int_eq(exit_status(&redirect), 0);
}
END_TEST

/* What was counted is there while it goes on, and so when the worker is killed. */
START_TEST(counts_grow)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	struct talk server;

	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	talk_say(&redirect.talk, "12345");
	talk_expect(&server, "12345");
	talk_say(&server, "123");
	talk_expect(&redirect.talk, "123");
	talk_say(&redirect.talk, "x");
	talk_expect(&server, "x");
	for (int i = 0; i < 500 && redirect.report->from_client != 6; i++)
		usleep(10000);
	ck_assert_uint_eq(redirect.report->from_client, 6);
	ck_assert_uint_eq(redirect.report->to_client, 3);
	ck_assert_int_eq(kill(redirect.talk.worker, SIGKILL), 0);
	ck_assert_int_eq(WTERMSIG(talk_end(&redirect.talk)), SIGKILL);
}
END_TEST

/* -- who goes away -- */

/* SIGPIPE, which splice(2) raises, must not end the worker in the log as a crash. */
START_TEST(client_goes)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	struct talk server;

	with.tcp = _i;
	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	reset(redirect.talk.fd);
	redirect.talk.fd = -1;
	while (send(server.fd, told[0], 65536, MSG_NOSIGNAL) > 0)
		;
	close(server.fd);
	ck_assert_int_eq(exit_status(&redirect), 0);
}
END_TEST

/* Nothing would ever be sent that finds it out. */
START_TEST(client_goes_in_silence)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	struct talk server;
	char heard[8];

	with.tcp = _i;
	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	talk_half_close(&redirect.talk);
	ck_assert_uint_eq(talk_hear(&server, heard, sizeof(heard)), 0);
	reset(redirect.talk.fd);
	redirect.talk.fd = -1;
	ck_assert_int_eq(exit_status(&redirect), 0);
	close(server.fd);
}
END_TEST

/* Says all and goes, and the target answers to nobody before it reads: each byte is for the target.
 */
START_TEST(client_says_and_goes)
{
	struct listening here = listen_inet();
	static char heard[MUCH + 2];
	struct redirect redirect;
	struct talk server;

	with.tcp = _i;
	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	talk_send(&redirect.talk, told[0], 200000);
	close(redirect.talk.fd);
	redirect.talk.fd = -1;
	for (int i = 0; i < 5; i++) {
		talk_say(&server, "who are you?");
		usleep(50000);
	}
	ck_assert_uint_eq(talk_hear(&server, heard, sizeof(heard)), 200000);
	close(server.fd);
	ck_assert_int_eq(exit_status(&redirect), 0);
}
END_TEST

/* What it has sent before is delivered, and then the client sees the end. */
START_TEST(target_resets)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	struct talk server;

	with.tcp = _i;
	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	talk_say(&server, "last words");
	talk_expect(&redirect.talk, "last ");
	reset(server.fd);
	check_heard(&redirect.talk, "words");
	ck_assert_int_eq(exit_status(&redirect), 0);
}
END_TEST

/* It answers before it has read all, and closes: the answer is not lost to the reset that the rest
 * of the question would bring about. */
START_TEST(target_answers_early)
{
	struct listening here = listen_inet();
	static char heard[MUCH + 2];
	const int small = 4096;
	struct redirect redirect;
	struct talk server;
	ssize_t sent;

	with.tcp = _i;
	with.targets[0] = here.text;
	redirect = begin();
	ck_assert_int_eq(setsockopt(redirect.talk.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)),
			 0);
	server = as_talk(take(&here));
	talk_say(&redirect.talk, "POST");
	talk_expect(&server, "POST");
	do
		sent = send(redirect.talk.fd, told[0], MUCH, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent > 0);
	talk_send(&server, told[1], 100000);
	usleep(100000);
	close(server.fd);
	usleep(100000);
	ck_assert_uint_eq(talk_hear(&redirect.talk, heard, sizeof(heard)), 100000);
	ck_assert_int_eq(exit_status(&redirect), 0);
}
END_TEST

static long long cpu_ms(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000LL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

/* A way that is stuck holds up no other. */
START_TEST(stuck_way)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	struct talk server;

	with.tcp = _i;
	with.idle_ms = 300;
	with.targets[0] = here.text;
	redirect = begin();
	server = as_talk(take(&here));
	for (int i = 0; i < 5; i++) {
		while (send(server.fd, told[0], 65536, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
		usleep(20000);
	}
	talk_say(&redirect.talk, "I do not listen");
	talk_expect(&server, "I do not listen");
	while (recv(server.fd, got[0], sizeof(got[0]), 0) > 0)
		; /* until its time is over */
	ck_assert_int_eq(exit_status(&redirect), TIMED_OUT);
	close(server.fd);
}
END_TEST

/* F25: who does not read slows the other side down, and nobody spins meanwhile; nor when that side
 * has gone long since. */
START_TEST(slow_client)
{
	struct listening here = _i & 2 ? listen_unix(1) : listen_inet();
	struct redirect redirect;
	size_t sent = 0;
	ssize_t now;
	int server;

	with.tcp = _i & 1;
	with.targets[0] = here.text;
	redirect = begin();
	server = take(&here);
	talk_half_close(&redirect.talk);
	for (int idle = 0; idle < 10; usleep(20000)) {
		while ((now = send(server, told[0], 65536, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
			sent += (size_t)now;
			idle = 0;
		}
		idle++;
	}
	ck_assert_uint_lt(sent, 32 << 20);
	close(server);
	usleep(500000);
	for (char bytes[65536]; sent > 0; sent -= (size_t)now) {
		now = recv(redirect.talk.fd, bytes, sizeof(bytes), 0);
		ck_assert_int_gt(now, 0);
	}
	check_heard(&redirect.talk, "");
	ck_assert_int_eq(exit_status(&redirect), 0);
	ck_assert_int_lt(cpu_ms(), 300);
}
END_TEST

START_TEST(idle)
{
	struct listening here = listen_inet();
	struct redirect redirect;
	int server;

	with.idle_ms = 150;
	with.targets[0] = here.text;
	redirect = begin();
	server = take(&here);
	for (int i = 0; i < 4; i++) { /* either direction counts */
		usleep(75000);
		talk_say(&redirect.talk, "x");
		usleep(75000);
		ck_assert_int_eq(send(server, "y", 1, MSG_NOSIGNAL), 1);
	}
	check_heard(&redirect.talk, "yyyy");
	ck_assert_int_eq(exit_status(&redirect), TIMED_OUT);
	close(server);
}
END_TEST

/* -- targets -- */

static void check_served_by(const struct listening *here, struct redirect *redirect)
{
	struct talk server = as_talk(take(here));

	talk_say(&server, "it is me");
	close(server.fd);
	check_heard(&redirect->talk, "it is me");
	ck_assert_int_eq(exit_status(redirect), 0);
	check_message(redirect, "");
}

START_TEST(first_that_answers)
{
	struct listening dead = listen_nowhere(), here = listen_inet(), next = listen_inet();
	struct redirect redirect;

	with.targets[0] = dead.text;
	with.targets[1] = (char *)(uintptr_t) "unix:/nonexistent/socket";
	with.targets[2] = here.text;
	with.targets[3] = NULL;
	redirect = begin();
	check_served_by(&here, &redirect);
	with.targets[1] = next.text;
	redirect = begin();
	check_served_by(&next, &redirect);
}
END_TEST

/* Its queue is full, and nobody takes anything out of it. */
START_TEST(hanging_target)
{
	struct listening hangs = listen_unix(0), here = listen_inet();
	struct redirect redirect;
	const int other = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(other, (struct sockaddr *)&hangs.address,
				 2 + 1 + (socklen_t)strlen(hangs.text + 6)),
			 0);
	with.connect_ms = 200;
	with.targets[0] = hangs.text;
	with.targets[1] = here.text;
	redirect = begin();
	check_served_by(&here, &redirect);
}
END_TEST

/* It has room after a while. */
START_TEST(late_target)
{
	struct listening late = listen_unix(0);
	struct redirect redirect;
	const int other = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(other, (struct sockaddr *)&late.address,
				 2 + 1 + (socklen_t)strlen(late.text + 6)),
			 0);
	with.targets[0] = late.text;
	redirect = begin();
	usleep(100000);
	close(take(&late));
	check_served_by(&late, &redirect);
}
END_TEST

/* Who has said all and gone is no reason not to pass it on, nor to spin. */
START_TEST(client_goes_before_target_answers)
{
	struct listening late = listen_unix(0);
	struct redirect redirect;
	struct talk server;
	const int other = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(other, (struct sockaddr *)&late.address,
				 2 + 1 + (socklen_t)strlen(late.text + 6)),
			 0);
	with.tcp = _i;
	with.targets[0] = late.text;
	redirect = begin();
	talk_say(&redirect.talk, "a line for the log");
	close(redirect.talk.fd);
	redirect.talk.fd = -1;
	usleep(1000000);
	close(take(&late));
	server = as_talk(take(&late));
	check_heard(&server, "a line for the log");
	close(server.fd);
	ck_assert_int_eq(exit_status(&redirect), 0);
	ck_assert_int_lt(cpu_ms(), 200);
}
END_TEST

START_TEST(no_target)
{
	struct listening dead = listen_nowhere();
	char expected[256];
	struct redirect redirect;

	with.tcp = _i;
	with.targets[0] = dead.text;
	with.targets[1] = (char *)(uintptr_t) "tcp:nowhere:80";
	redirect = begin();
	talk_say(&redirect.talk, "anybody?");
	check_heard(&redirect.talk, "");
	ck_assert_int_eq(exit_status(&redirect), 1);
	snprintf(expected, sizeof(expected),
		 "redirect: %s: Connection refused; tcp:nowhere:80: no such host\n", dead.text);
	check_message(&redirect, expected);
}
END_TEST

/* A worker for nobody would only make a dead target's queue longer. */
START_TEST(client_resets_while_target_hangs)
{
	struct listening hangs = listen_unix(0);
	struct redirect redirect;
	const int other = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(other, (struct sockaddr *)&hangs.address,
				 2 + 1 + (socklen_t)strlen(hangs.text + 6)),
			 0);
	with.tcp = true;
	with.connect_ms = 3600000;
	with.targets[0] = hangs.text;
	redirect = begin();
	usleep(50000);
	reset(redirect.talk.fd);
	redirect.talk.fd = -1;
	ck_assert_int_eq(exit_status(&redirect), 0);
	check_message(&redirect, "");
}
END_TEST

START_TEST(name)
{
	struct listening here = listen_inet();
	struct redirect redirect;

	known[0] = here.address;
	with.targets[0] = (char *)(uintptr_t) "tcp:there:80";
	redirect = begin();
	check_served_by(&here, &redirect);
	ck_assert_uint_eq(asked[false], 1);
	ck_assert_uint_eq(asked[true], 0);
}
END_TEST

START_TEST(name_that_has_moved)
{
	struct listening here = listen_inet(), before = listen_nowhere();
	struct redirect redirect;

	known[0] = before.address;
	known[1] = here.address;
	with.targets[0] = (char *)(uintptr_t) "tcp:moved:80";
	redirect = begin();
	check_served_by(&here, &redirect);
	ck_assert_uint_eq(asked[false], 1);
	ck_assert_uint_eq(asked[true], 1);
}
END_TEST

/* -- the PROXY header -- */

static void check_header(const char *version, const char *expected, size_t length)
{
	struct listening here = listen_unix(1);
	struct redirect redirect;
	char heard[256];
	int server;

	with.send_proxy = version;
	with.targets[0] = here.text;
	redirect = begin();
	talk_say(&redirect.talk, "client");
	server = take(&here);
	ck_assert_int_eq(recv(server, heard, length + 6, MSG_WAITALL), (ssize_t)length + 6);
	ck_assert_mem_eq(heard, expected, length);
	ck_assert_mem_eq(heard + length, "client", 6);
	close(server);
	ck_assert_int_eq(exit_status(&redirect), 0);
	ck_assert_uint_eq(redirect.report->from_client, 6);
}

START_TEST(header_of_unix_client)
{
	check_header("none", "", 0);
	check_header("v1", "PROXY UNKNOWN\r\n", 15);
	check_header("v2", "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);
}
END_TEST

START_TEST(header_of_tcp_client)
{
	struct listening here = listen_unix(1);
	struct sockaddr_in in = { 0 };
	socklen_t length = sizeof(in);
	struct redirect redirect;
	char expected[80], heard[80];
	unsigned port;
	int server;

	with.tcp = true;
	with.send_proxy = "v1";
	with.targets[0] = here.text;
	redirect = begin();
	server = take(&here);
	ck_assert_int_eq(getsockname(redirect.talk.fd, (struct sockaddr *)&in, &length), 0);
	port = ntohs(in.sin_port);
	ck_assert_int_eq(getpeername(redirect.talk.fd, (struct sockaddr *)&in, &length), 0);
	snprintf(expected, sizeof(expected), "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\r\n", port,
		 ntohs(in.sin_port));
	ck_assert_int_gt(recv(server, heard, sizeof(heard), 0), 0);
	ck_assert_mem_eq(heard, expected, strlen(expected));
	close(server);
	ck_assert_int_eq(exit_status(&redirect), 0);
}
END_TEST

static struct sockaddr_storage address4(const char *host, in_port_t port)
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&address;

	*in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	ck_assert_int_eq(inet_pton(AF_INET, host, &in->sin_addr), 1);
	return address;
}

static struct sockaddr_storage address6(const char *host, in_port_t port)
{
	struct sockaddr_storage address = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;

	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
	ck_assert_int_eq(inet_pton(AF_INET6, host, &in6->sin6_addr), 1);
	return address;
}

static void check_format(enum send_proxy version, const struct sockaddr_storage *client,
			 const struct sockaddr_storage *local, const char *expected, size_t length)
{
	char header[SEND_PROXY_MAX];

	ck_assert_uint_eq(send_proxy_format(version, client, local, header), length);
	ck_assert_mem_eq(header, expected, length);
}

#define CHECK_FORMAT(version, client, local, expected)                                             \
	check_format(version, &client, &local, expected, sizeof(expected) - 1)
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

START_TEST(header_formats)
{
	const struct sockaddr_storage a4 = address4("192.0.2.7", 4711),
				      b4 = address4("198.51.100.1", 80),
				      a6 = address6("2001:db8::7", 4711),
				      b6 = address6("2001:db8::1", 80),
				      un = { .ss_family = AF_UNIX };

	CHECK_FORMAT(SEND_PROXY_NONE, a4, b4, "");
	CHECK_FORMAT(SEND_PROXY_V1, a4, b4, "PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n");
	CHECK_FORMAT(SEND_PROXY_V1, a6, b6, "PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n");
	CHECK_FORMAT(SEND_PROXY_V1, a4, b6, "PROXY UNKNOWN\r\n");
	CHECK_FORMAT(SEND_PROXY_V1, un, b4, "PROXY UNKNOWN\r\n");
	CHECK_FORMAT(SEND_PROXY_V2, a4, b4,
		     SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x12\x67\0\x50");
	CHECK_FORMAT(SEND_PROXY_V2, a6, b6,
		     SIGNATURE "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
			       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x67\0\x50");
	CHECK_FORMAT(SEND_PROXY_V2, un, un, SIGNATURE "\x20\0\0\0");
}
END_TEST

/* The longest line there is: 107 bytes, and room for the NUL. */
START_TEST(header_longest)
{
	const char *longest = "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255";
	const struct sockaddr_storage a = address6(longest, 65535);
	char header[SEND_PROXY_MAX];

	ck_assert_uint_eq(send_proxy_format(SEND_PROXY_V1, &a, &a, header), 104);
	ck_assert_str_eq(header + 100, "35\r\n");
}
END_TEST

START_TEST(header_words)
{
	const struct begat_option *option = redirect_handler.options;

	while (strcmp(option->name, "send-proxy") != 0)
		option++;
	ck_assert_ptr_null(option->check("none"));
	ck_assert_ptr_null(option->check("v1"));
	ck_assert_ptr_null(option->check("v2"));
	ck_assert_str_eq(option->check("v3"), "is none of: none, v1, v2");
	ck_assert_ptr_nonnull(option->check(""));
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("all");

	tcase_set_timeout(tests, 30);
	tcase_add_loop_test(tests, both_ways, 0, 4);
	tcase_add_loop_test(tests, client_half_closes, 0, 2);
	tcase_add_loop_test(tests, target_half_closes, 0, 2);
	tcase_add_test(tests, counts_grow);
	tcase_add_loop_test(tests, client_goes, 0, 2);
	tcase_add_loop_test(tests, client_goes_in_silence, 0, 2);
	tcase_add_loop_test(tests, client_says_and_goes, 0, 2);
	tcase_add_loop_test(tests, target_resets, 0, 2);
	tcase_add_loop_test(tests, target_answers_early, 0, 2);
	tcase_add_loop_test(tests, stuck_way, 0, 2);
	tcase_add_loop_test(tests, slow_client, 0, 4);
	tcase_add_test(tests, idle);
	tcase_add_test(tests, first_that_answers);
	tcase_add_test(tests, hanging_target);
	tcase_add_test(tests, late_target);
	tcase_add_loop_test(tests, client_goes_before_target_answers, 0, 2);
	tcase_add_loop_test(tests, no_target, 0, 2);
	tcase_add_test(tests, client_resets_while_target_hangs);
	tcase_add_test(tests, name);
	tcase_add_test(tests, name_that_has_moved);
	tcase_add_test(tests, header_of_unix_client);
	tcase_add_test(tests, header_of_tcp_client);
	tcase_add_test(tests, header_formats);
	tcase_add_test(tests, header_longest);
	tcase_add_test(tests, header_words);
	return suite_finish("redirect", tests);
}
