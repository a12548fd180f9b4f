/* SPDX-License-Identifier: ISC */
/* packet: whole or not at all, and no descriptor is ever left behind. */
#include "config.h"

#include "plan/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "suite.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif

#define RAW_FDS 253 /* SCM_MAX_FD of the kernel: more than we ever send */

static int ends[2]; /* the sender's, the receiver's */

static void open_pair(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void open_some(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fds[i] = open("/dev/null", O_RDONLY);
		ck_assert_int_ge(fds[i], 0);
	}
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ck_assert_int_eq(close(fds[i]), 0);
}

/* What packet_send() would not send. */
static void send_raw(const void *bytes, size_t length, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(RAW_FDS * sizeof(int))];
	} ancillary = { 0 };
	struct iovec part = { (void *)(uintptr_t)bytes, length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	if (nfds) {
		ancillary.header.cmsg_level = SOL_SOCKET;
		ancillary.header.cmsg_type = SCM_RIGHTS;
		ancillary.header.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&ancillary.header), fds, nfds * sizeof(int));
		message.msg_control = &ancillary;
		message.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(ends[0], &message, 0), (ssize_t)length);
}

static void expect_packet(char kind, const char *text, size_t nfds)
{
	struct packet packet;

	ck_assert_msg(packet_receive(ends[1], &packet, 0) == 1, "%s", strerror(errno));
	ck_assert_int_eq(packet.kind, kind);
	ck_assert_str_eq(packet.text, text);
	ck_assert_uint_eq(packet.nfds, nfds);
	close_all(packet.fds, packet.nfds);
}

static void expect_refusal(int error)
{
	size_t before = descriptors_count();
	struct packet packet;

	errno = 0;
	ck_assert_int_eq(packet_receive(ends[1], &packet, 0), -1);
	ck_assert_msg(errno == error, "%s", strerror(errno));
	ck_assert_uint_eq(packet.nfds, 0);
	ck_assert_uint_eq(descriptors_count(), before);
}

START_TEST(keeps_packets_apart)
{
	open_pair();
	ck_assert_int_eq(packet_send(ends[0], PACKET_DETAIL, "adds shell", NULL, 0), 0);
	ck_assert_int_eq(packet_send(ends[0], PACKET_DETAIL, "", NULL, 0), 0);
	ck_assert_int_eq(packet_send(ends[0], PACKET_READY, NULL, NULL, 0), 0);
	expect_packet(PACKET_DETAIL, "adds shell", 0);
	expect_packet(PACKET_DETAIL, "", 0);
	expect_packet(PACKET_READY, "", 0);
}
END_TEST

/* The master knows them by their order alone, and its workers must not get them. */
START_TEST(brings_descriptors_in_order_and_close_on_exec)
{
	struct stat sent, received;
	struct packet packet;
	int fds[4], pair[2];

	open_pair();
	open_some(fds, 1);
	ck_assert_int_eq(pipe(pair), 0);
	fds[1] = pair[0];
	fds[2] = open("/proc/self/status", O_RDONLY);
	fds[3] = ends[0];
	ck_assert_int_eq(packet_send(ends[0], PACKET_PARTS, "x", fds, 4), 0);
	ck_assert_int_eq(packet_receive(ends[1], &packet, 0), 1);
	ck_assert_uint_eq(packet.nfds, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_int_eq(fstat(fds[i], &sent), 0);
		ck_assert_int_eq(fstat(packet.fds[i], &received), 0);
		ck_assert_uint_eq(sent.st_ino, received.st_ino);
		ck_assert_uint_eq(sent.st_dev, received.st_dev);
		ck_assert_int_eq(fcntl(packet.fds[i], F_GETFD), FD_CLOEXEC);
	}
}
END_TEST

START_TEST(takes_as_many_descriptors_as_it_says)
{
	size_t before;
	int fds[PACKET_FDS + 1];

	open_pair();
	open_some(fds, PACKET_FDS + 1);
	before = descriptors_count();
	ck_assert_int_eq(packet_send(ends[0], PACKET_PARTS, "", fds, PACKET_FDS), 0);
	expect_packet(PACKET_PARTS, "", PACKET_FDS);
	ck_assert_int_eq(packet_send(ends[0], PACKET_PARTS, "", fds, PACKET_FDS + 1), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

START_TEST(cuts_a_longer_text)
{
	char text[2 * PACKET_TEXT] = "";

	open_pair();
	memset(text, 'x', sizeof(text) - 1);
	ck_assert_int_eq(packet_send(ends[0], PACKET_DETAIL, text, NULL, 0), 0);
	text[0] = PACKET_DETAIL; /* one that comes longer from another version */
	send_raw(text, sizeof(text), NULL, 0);
	text[0] = 'x';
	text[PACKET_TEXT] = '\0';
	expect_packet(PACKET_DETAIL, text, 0);
	expect_packet(PACKET_DETAIL, text, 0);
}
END_TEST

START_TEST(does_not_wait_when_it_must_not)
{
	struct packet packet;

	open_pair();
	ck_assert_int_eq(packet_receive(ends[1], &packet, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

/* A preflight that has died must not take the master with it by SIGPIPE. */
START_TEST(tells_when_the_other_side_has_closed)
{
	const struct sigaction fatal = { .sa_handler = SIG_DFL }; /* whatever was inherited */
	struct packet packet;

	open_pair();
	ck_assert_int_eq(sigaction(SIGPIPE, &fatal, NULL), 0);
	ck_assert_int_eq(packet_send(ends[0], PACKET_DETAIL, "last words", NULL, 0), 0);
	close(ends[0]);
	expect_packet(PACKET_DETAIL, "last words", 0);
	errno = EINTR; /* of something before */
	ck_assert_int_eq(packet_receive(ends[1], &packet, 0), 0);
	ck_assert_int_eq(packet_receive(ends[1], &packet, MSG_DONTWAIT), 0);
	ck_assert_int_eq(packet_send(ends[1], PACKET_STATE, "", NULL, 0), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

/* It closes without having read ours: unix(7) says ECONNRESET first, which is no reason to lose
 * what it had said before. */
START_TEST(hears_the_last_words_of_who_does_not_listen)
{
	struct packet packet;

	open_pair();
	ck_assert_int_eq(packet_send(ends[1], PACKET_STATE, "unread", NULL, 0), 0);
	ck_assert_int_eq(packet_send(ends[0], PACKET_DETAIL, "last words", NULL, 0), 0);
	close(ends[0]);
	expect_packet(PACKET_DETAIL, "last words", 0);
	ck_assert_int_eq(packet_receive(ends[1], &packet, 0), 0);
}
END_TEST

/* A reload at EMFILE (F87 of the faults) fails; it does not leak what did fit. */
START_TEST(closes_what_came_when_not_all_fit)
{
	struct rlimit limit;
	rlim_t enough;
	int fds[20];

	open_pair();
	open_some(fds, 20);
	ck_assert_int_eq(packet_send(ends[0], PACKET_PARTS, "", fds, 20), 0);
	ck_assert_int_eq(packet_send(ends[0], PACKET_PARTS, "", fds, 20), 0);
	close_all(fds, 20);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	enough = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)fds[0] + 5;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_refusal(EMFILE);
	limit.rlim_cur = enough;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect_packet(PACKET_PARTS, "", 20);
}
END_TEST

START_TEST(closes_what_its_table_cannot_hold)
{
	int fds[RAW_FDS];

	open_pair();
	open_some(fds, RAW_FDS);
	for (size_t count = PACKET_FDS + 1; count <= RAW_FDS; count++) {
		send_raw("f", 1, fds, count);
		expect_refusal(EMFILE);
	}
}
END_TEST

/* An empty packet looks like the end, but for the descriptors that it brings. */
START_TEST(closes_what_comes_with_nothing)
{
	struct packet packet;
	size_t before;
	int fds[3];

	open_pair();
	open_some(fds, 3);
	send_raw("", 0, fds, 3);
	before = descriptors_count();
	ck_assert_int_eq(packet_receive(ends[1], &packet, 0), 0);
	ck_assert_uint_eq(packet.nfds, 0);
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

/* False when this kernel does not know the option. */
static bool is_refused_with(int option)
{
	const int on = 1;
	int fds[3];

	if (setsockopt(ends[1], SOL_SOCKET, option, &on, sizeof(on)) < 0)
		return false;
	open_some(fds, 3);
	send_raw("f", 1, fds, 3);
	close_all(fds, 3);
	expect_refusal(EBADMSG);
	return true;
}

/* Control messages that nobody asked for; since Linux 6.5 there is one that is a descriptor. */
START_TEST(closes_what_it_does_not_know)
{
	open_pair();
	ck_assert(is_refused_with(SO_PASSCRED));
	close_all(ends, 2);
	open_pair();
	if (!is_refused_with(SO_PASSPIDFD))
		ck_assert_int_eq(errno, ENOPROTOOPT);
}
END_TEST

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

/* A child that interrupts us again and again, and only then does what we wait for. */
static pid_t start_nuisance(void (*act)(void))
{
	const struct sigaction counted = { .sa_handler = count_signal }; /* without SA_RESTART */
	pid_t pid;

	ck_assert_int_eq(sigaction(SIGUSR1, &counted, NULL), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	for (int i = 0; i < 50; i++) {
		kill(getppid(), SIGUSR1);
		usleep(1000);
	}
	act();
	_exit(0);
}

static void send_one(void)
{
	(void)packet_send(ends[0], PACKET_READY, "at last", NULL, 0); /* the test sees it */
}

/* Any signal at any system call (F51 of the faults). */
START_TEST(waits_on_after_a_signal)
{
	pid_t pid;

	open_pair();
	pid = start_nuisance(send_one);
	expect_packet(PACKET_READY, "at last", 0);
	ck_assert_int_gt(signals, 1);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

static void receive_all(void)
{
	struct packet packet;

	close(ends[0]);
	while (packet_receive(ends[1], &packet, 0) > 0)
		;
}

/* The other side is slow: sending blocks, and is interrupted. */
START_TEST(sends_on_after_a_signal)
{
	pid_t pid;

	open_pair();
	pid = start_nuisance(receive_all);
	for (int i = 0; i < 5000; i++)
		ck_assert_msg(packet_send(ends[0], PACKET_DETAIL, "x", NULL, 0) == 0, "%d: %s", i,
			      strerror(errno));
	ck_assert_int_gt(signals, 1);
	close_all(ends, 2);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

SUITE("packet", keeps_packets_apart, brings_descriptors_in_order_and_close_on_exec,
      takes_as_many_descriptors_as_it_says, cuts_a_longer_text, does_not_wait_when_it_must_not,
      tells_when_the_other_side_has_closed, hears_the_last_words_of_who_does_not_listen,
      closes_what_came_when_not_all_fit, closes_what_its_table_cannot_hold,
      closes_what_comes_with_nothing, closes_what_it_does_not_know, waits_on_after_a_signal,
      sends_on_after_a_signal)
