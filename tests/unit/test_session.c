/* SPDX-License-Identifier: ISC */
/*
 * The session's promises: lines however they end and however the network cuts them, caps, time
 * limits, clients that go away or do not read, and an end that loses nothing.
 */
#include "config.h"

#include "worker/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "suite.h"

static struct begat_session session;
static struct session_settings settings;
static int client; /* the other end of the session's socket */

static void open_pair(int type)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, ends), 0);
	client = ends[0];
	settings.fd = ends[1];
	session_init(&session, &settings);
}

static void setup(void)
{
	settings = (struct session_settings){ .crlf = true, .service = "s", .peer = "p" };
	open_pair(SOCK_STREAM);
}

static void open_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length), 0);
	settings.fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(settings.fd, 0);
	close(listener);
	session_init(&session, &settings);
}

static void say(const char *bytes, size_t length)
{
	ck_assert_int_eq(send(client, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

#define SAY(literal) say(literal, sizeof(literal) - 1)

static void hush(void)
{
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
}

static void expect_line(const char *expected, size_t expected_length)
{
	char line[64];
	size_t length;

	ck_assert_int_eq(begat_read_line(&session, line, sizeof(line), &length), BEGAT_INPUT_OK);
	ck_assert_uint_eq(length, expected_length);
	ck_assert_mem_eq(line, expected, length + 1);
}

#define EXPECT_LINE(literal) expect_line(literal, sizeof(literal) - 1)

static void expect_input(enum begat_input expected)
{
	char line[64];
	size_t length;

	ck_assert_int_eq(begat_read_line(&session, line, sizeof(line), &length), expected);
}

static void expect_sent(const char *expected)
{
	char bytes[4096];
	ssize_t got = recv(client, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

	ck_assert_int_ge(got, 0);
	bytes[got] = '\0';
	ck_assert_str_eq(bytes, expected);
}

/* F123: CR LF, LF and CR NUL end one line each; a CR before anything else does not. */
START_TEST(line_ends)
{
	SAY("a\r\nb\nc\r\0d\re\r\n\r\n\n\r\r\nf\n");
	EXPECT_LINE("a");
	EXPECT_LINE("b");
	EXPECT_LINE("c");
	EXPECT_LINE("d\re");
	EXPECT_LINE("");
	EXPECT_LINE("");
	EXPECT_LINE("\r");
	EXPECT_LINE("f");
}
END_TEST

/* The same when each byte comes alone: seqpacket keeps them apart. */
START_TEST(line_ends_split)
{
	static const char bytes[] = "a\r\nb\nc\r\0d\re\r\n\r\n";

	open_pair(SOCK_SEQPACKET);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++)
		say(bytes + i, 1);
	EXPECT_LINE("a");
	EXPECT_LINE("b");
	EXPECT_LINE("c");
	EXPECT_LINE("d\re");
	EXPECT_LINE("");
}
END_TEST

START_TEST(line_last_without_end)
{
	SAY("one\ntwo");
	hush();
	EXPECT_LINE("one");
	EXPECT_LINE("two");
	expect_input(BEGAT_INPUT_END);
	expect_input(BEGAT_INPUT_END);
}
END_TEST

START_TEST(line_last_with_cr_only)
{
	SAY("x\r");
	hush();
	EXPECT_LINE("x");
	expect_input(BEGAT_INPUT_END);
}
END_TEST

/* F121: every byte is data. */
START_TEST(line_any_byte)
{
	SAY("\0a\0\xff\x1b[2J\xc3\x28\n\0\n");
	EXPECT_LINE("\0a\0\xff\x1b[2J\xc3\x28");
	EXPECT_LINE("\0");
}
END_TEST

START_TEST(line_cap)
{
	char line[5];
	size_t length;

	SAY("1234\r\n12345\r\n");
	ck_assert_int_eq(begat_read_line(&session, line, 5, &length), BEGAT_INPUT_OK);
	ck_assert_str_eq(line, "1234");
	ck_assert_int_eq(begat_read_line(&session, line, 5, &length), BEGAT_INPUT_TOO_LONG);
	ck_assert_uint_eq(length, 4);
	ck_assert_str_eq(line, "1234");
}
END_TEST

static void send_much(size_t length)
{
	static char bytes[65536];

	memset(bytes, 'x', sizeof(bytes));
	while (length > 0) {
		size_t part = length < sizeof(bytes) ? length : sizeof(bytes);
		ssize_t sent = send(client, bytes, part, MSG_NOSIGNAL);

		if (sent < 0)
			_exit(1);
		length -= sent;
	}
}

static pid_t peer_send(size_t length)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(settings.fd);
		send_much(length);
		_exit(0);
	}
	close(client);
	return pid;
}

static void peer_wait(pid_t pid)
{
	close(settings.fd);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* F120: a mebibyte without a newline stops at the cap. */
START_TEST(line_endless)
{
	pid_t pid = peer_send(1 << 20);

	expect_input(BEGAT_INPUT_TOO_LONG);
	ck_assert_uint_le(session.in_end, SESSION_BUFFER);
	peer_wait(pid);
}
END_TEST

/* The caller's cap counts, not the session's buffer. */
START_TEST(line_longer_than_buffer)
{
	static char line[20000];
	size_t length;
	pid_t pid = peer_send(10000);

	ck_assert_int_eq(begat_read_line(&session, line, sizeof(line), &length), BEGAT_INPUT_OK);
	ck_assert_uint_eq(length, 10000);
	peer_wait(pid);
}
END_TEST

START_TEST(read_takes_what_lines_left)
{
	char bytes[8];
	size_t length;

	SAY("line\r\nrest of it");
	EXPECT_LINE("line");
	ck_assert_int_eq(begat_read(&session, bytes, 4, &length), BEGAT_INPUT_OK);
	ck_assert_uint_eq(length, 4);
	ck_assert_mem_eq(bytes, "rest", 4);
	ck_assert_int_eq(begat_read(&session, bytes, 8, &length), BEGAT_INPUT_OK);
	ck_assert_mem_eq(bytes, " of it", 6);
	SAY("more");
	ck_assert_int_eq(begat_read(&session, bytes, 8, &length), BEGAT_INPUT_OK);
	ck_assert_mem_eq(bytes, "more", 4);
}
END_TEST

static int64_t ms_since(int64_t start_ns)
{
	return (clock_now_ns() - start_ns) / NS_IN_MS;
}

/* F23: who says nothing at all, and who falls silent. */
START_TEST(timeout_first_byte)
{
	const int64_t start = clock_now_ns();

	session.set.first_byte_ms = 60;
	session.set.idle_ms = 60000;
	expect_input(BEGAT_INPUT_TIMEOUT);
	ck_assert_int_ge(ms_since(start), 60);
}
END_TEST

START_TEST(timeout_idle)
{
	session.set.first_byte_ms = 60000;
	session.set.idle_ms = 60;
	SAY("x\ny");
	EXPECT_LINE("x");
	expect_input(BEGAT_INPUT_TIMEOUT);
}
END_TEST

START_TEST(timeout_idle_before_first_byte)
{
	session.set.idle_ms = 60;
	expect_input(BEGAT_INPUT_TIMEOUT);
}
END_TEST

static void on_alarm(int number)
{
	(void)number;
}

/* F09: signals neither end a wait nor make it longer. */
START_TEST(timeout_with_signals)
{
	const struct itimerval every = { { 0, 5000 }, { 0, 5000 } }, never = { 0 };
	const struct sigaction action = { .sa_handler = on_alarm };
	const int64_t start = clock_now_ns();

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	session.set.idle_ms = 100;
	expect_input(BEGAT_INPUT_TIMEOUT);
	ck_assert_int_ge(ms_since(start), 100);
	ck_assert_int_lt(ms_since(start), 3000);
	setitimer(ITIMER_REAL, &never, NULL);
}
END_TEST

static size_t eat(void *state, struct begat_session *s, unsigned char *bytes, size_t length)
{
	(void)s;
	(void)bytes;
	*(size_t *)state += length;
	return 0;
}

static pid_t peer_drip(int count)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	close(settings.fd);
	while (count-- > 0 && send(client, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(10000);
	_exit(0);
}

/* Bytes that a filter takes away, such as telnet's NOP, do not keep a worker. */
START_TEST(timeout_despite_filtered_bytes)
{
	pid_t pid = peer_drip(500);
	const int64_t start = clock_now_ns();
	size_t eaten = 0;

	begat_set_filter(&session, eat, &eaten);
	session.set.idle_ms = 100;
	expect_input(BEGAT_INPUT_TIMEOUT);
	ck_assert_uint_gt(eaten, 0);
	ck_assert_int_lt(ms_since(start), 3000);
	ck_assert(!session.heard);
	peer_wait(pid);
}
END_TEST

/* Each call has a limit of its own: a slow client that gets anywhere is served. */
START_TEST(timeout_starts_anew)
{
	pid_t pid = peer_drip(40);
	char bytes[8];
	size_t length, total = 0;

	close(client);
	session.set.idle_ms = 300;
	while (begat_read(&session, bytes, sizeof(bytes), &length) == BEGAT_INPUT_OK)
		total += length;
	ck_assert_uint_eq(total, 40);
	ck_assert(session.ended);
	peer_wait(pid);
}
END_TEST

static size_t drop_x(void *state, struct begat_session *s, unsigned char *bytes, size_t length)
{
	size_t kept = 0;

	(void)state;
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != 'x')
			bytes[kept++] = bytes[i];
	begat_write(s, "!", 1);
	return kept;
}

/* It sees buffered input too, and its answers leave before the next wait. */
START_TEST(filter_everything)
{
	SAY("1\nx2x\nxx");
	EXPECT_LINE("1");
	begat_set_filter(&session, drop_x, NULL);
	SAY("3x\n");
	EXPECT_LINE("2");
	EXPECT_LINE("3");
	session.set.idle_ms = 20;
	expect_input(BEGAT_INPUT_TIMEOUT);
	expect_sent("!!");
}
END_TEST

START_TEST(filter_removed)
{
	SAY("a\nb\n");
	begat_set_filter(&session, drop_x, NULL);
	EXPECT_LINE("a");
	begat_set_filter(&session, NULL, NULL);
	EXPECT_LINE("b");
}
END_TEST

/* A prompt is seen before the client answers; answers to pipelined lines leave together. */
START_TEST(flush_before_waiting)
{
	session.set.idle_ms = 20;
	begat_print(&session, "prompt%c ", '>');
	ck_assert_int_lt(recv(client, (char[1]){ 0 }, 1, MSG_DONTWAIT), 0);
	expect_input(BEGAT_INPUT_TIMEOUT);
	expect_sent("prompt> ");
}
END_TEST

START_TEST(text_line_ends)
{
	static const char text[] = "a\n\nb\r\nc";

	begat_write_text(&session, text, sizeof(text) - 1);
	begat_write_text(&session, "\n", 1);
	begat_flush(&session);
	expect_sent("a\r\n\r\nb\r\nc\r\n");
	session.set.crlf = false;
	begat_write_text(&session, text, sizeof(text) - 1);
	begat_write(&session, "\n", 1);
	begat_flush(&session);
	expect_sent("a\n\nb\r\nc\n");
}
END_TEST

START_TEST(print_is_bounded)
{
	char text[3000], sent[4096];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(begat_print(&session, "%s", text), 0);
	begat_flush(&session);
	ck_assert_int_eq(recv(client, sent, sizeof(sent), MSG_DONTWAIT), 1023);
}
END_TEST

/* F125: no SIGPIPE; and once it has failed, nothing is tried again. */
START_TEST(write_to_nobody)
{
	close(client);
	ck_assert_int_eq(begat_write(&session, "x", 1), 0);
	ck_assert_int_eq(begat_flush(&session), -1);
	ck_assert(session.broken);
	close(settings.fd); /* another call would be EBADF */
	ck_assert_int_eq(begat_write(&session, "x", 1), -1);
	ck_assert_int_eq(begat_write_text(&session, "x", 1), -1);
	ck_assert_int_eq(begat_print(&session, "x"), -1);
	ck_assert_int_eq(begat_flush(&session), -1);
	ck_assert_int_eq(begat_finish(&session), 0);
}
END_TEST

START_TEST(read_reset)
{
	const struct linger now = { .l_onoff = 1 };

	open_tcp();
	ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(client);
	expect_input(BEGAT_INPUT_ERROR);
}
END_TEST

/* F25: a client that never reads costs one idle limit and no more. */
START_TEST(write_stall)
{
	static char much[8 << 20];
	const int64_t start = clock_now_ns();

	session.set.idle_ms = 100;
	ck_assert_int_eq(begat_write(&session, much, sizeof(much)), -1);
	ck_assert_int_ge(ms_since(start), 100);
	ck_assert_int_lt(ms_since(start), 3000);
	ck_assert_int_eq(begat_write(&session, "x", 1), -1);
}
END_TEST

static pid_t peer_compare(const unsigned char *expected, size_t length)
{
	unsigned char *bytes = malloc(length + 1);
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(settings.fd);
		if (recv(client, bytes, length + 1, MSG_WAITALL) != (ssize_t)length)
			_exit(1);
		_exit(memcmp(bytes, expected, length) == 0 ? 0 : 2);
	}
	free(bytes);
	close(client);
	return pid;
}

/* Pieces of every size, through short writes and full buffers, arrive whole and in order. */
START_TEST(write_much)
{
	static unsigned char much[3 << 20];
	size_t done = 0, part = 1;
	pid_t pid;
	int status;

	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = i * 2654435761U >> 24;
	pid = peer_compare(much, sizeof(much));
	while (done < sizeof(much)) {
		if (part > sizeof(much) - done)
			part = sizeof(much) - done;
		ck_assert_int_eq(begat_write(&session, much + done, part), 0);
		done += part;
		part = part * 3 % 20011;
	}
	begat_finish(&session);
	close(settings.fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* A program that the handler starts may have the socket too. */
START_TEST(socket_stays_blocking)
{
	begat_write(&session, "x", 1);
	session.set.idle_ms = 10;
	expect_input(BEGAT_INPUT_TIMEOUT);
	ck_assert_int_eq(fcntl(settings.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(begat_descriptor(&session), settings.fd);
}
END_TEST

/* A peer closes in 50 ms: until then the answer must be safe from a reset. */
static pid_t peer_late_reader(const char *expected)
{
	const ssize_t length = strlen(expected);
	char bytes[64];
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return pid;
	close(settings.fd);
	usleep(50000);
	if (send(client, "still here\n", 11, MSG_NOSIGNAL) != 11)
		_exit(1);
	usleep(50000);
	if (recv(client, bytes, sizeof(bytes), MSG_WAITALL) != length)
		_exit(2);
	_exit(memcmp(bytes, expected, length) == 0 ? 0 : 3);
}

/* Closing rule of all one-shot services: unread input, before or after the answer, is no reset. */
START_TEST(finish_unread_input)
{
	static const char unread[10000];
	pid_t pid;
	int status;

	open_tcp();
	say(unread, sizeof(unread));
	pid = peer_late_reader("answer\r\n");
	close(client);
	begat_print(&session, "answer\n");
	ck_assert_int_eq(begat_finish(&session), 0);
	close(settings.fd);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* The answer and the FIN leave in one segment: SYN-ACK and this are all that the client gets. */
START_TEST(finish_one_segment)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	open_tcp();
	if (fork() == 0) {
		begat_print(&session, "answer\n");
		_exit(begat_finish(&session));
	}
	close(settings.fd);
	ck_assert_int_eq(recv(client, (char[16]){ 0 }, 16, MSG_WAITALL), 8);
	ck_assert_int_eq(getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
	ck_assert_uint_eq(info.tcpi_segs_in, 2);
	close(client);
	ck_assert_int_gt(wait(NULL), 0);
}
END_TEST

START_TEST(finish_client_that_stays)
{
	const int64_t start = clock_now_ns();

	open_tcp();
	begat_finish(&session);
	ck_assert_int_ge(ms_since(start), 2000);
	ck_assert_int_lt(ms_since(start), 6000);
}
END_TEST

START_TEST(finish_client_that_sends_on)
{
	pid_t pid;
	const int64_t start = clock_now_ns();

	open_tcp();
	pid = peer_send(SIZE_MAX);
	begat_finish(&session);
	ck_assert_int_lt(ms_since(start), 1900);
	peer_wait(pid);
}
END_TEST

/* A client that has closed its side already is not waited for. */
START_TEST(finish_after_end)
{
	const int64_t start = clock_now_ns();

	hush();
	expect_input(BEGAT_INPUT_END);
	begat_print(&session, "bye\n");
	begat_finish(&session);
	ck_assert_int_lt(ms_since(start), 1000);
	expect_sent("bye\r\n");
	ck_assert_int_eq(recv(client, (char[1]){ 0 }, 1, 0), 0);
	ck_assert_int_eq(begat_write(&session, "x", 1), -1);
}
END_TEST

/* -- a pipe, whose reader may be anybody with a cat(1) -- */

static void open_pipe(int flags)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, flags), 0);
	client = ends[0];
	settings.fd = ends[1];
	settings.is_pipe = true;
	settings.crlf = false;
	signal(SIGPIPE, SIG_IGN);
	session_init(&session, &settings);
}

START_TEST(pipe_writes_and_never_reads)
{
	char bytes[64];
	size_t length;

	open_pipe(0);
	ck_assert_int_eq(begat_read(&session, bytes, sizeof(bytes), &length), BEGAT_INPUT_END);
	expect_input(BEGAT_INPUT_END);
	ck_assert_int_eq(begat_print(&session, "one\ntwo\n"), 0);
	ck_assert_int_eq(begat_finish(&session), 0);
	ck_assert_int_eq(begat_print(&session, "three\n"), -1);
	ck_assert_int_eq(begat_finish(&session), 0);
	close(settings.fd);
	ck_assert_int_eq(read(client, bytes, sizeof(bytes)), 8);
	ck_assert_mem_eq(bytes, "one\ntwo\n", 8);
	ck_assert_int_eq(read(client, bytes, sizeof(bytes)), 0);
}
END_TEST

/* A reader that leaves ends its own worker, and that by no signal. */
START_TEST(pipe_without_reader)
{
	open_pipe(0);
	close(client);
	ck_assert_int_eq(begat_print(&session, "x"), 0);
	ck_assert_int_eq(begat_flush(&session), -1);
	ck_assert_int_eq(begat_print(&session, "x"), -1);
	ck_assert_int_eq(begat_finish(&session), 0);
	ck_assert_int_eq(session.timed_out, SESSION_NO_LIMIT);
}
END_TEST

/* A reader that does not read, whether or not the pipe would block. */
static void stall_pipe(int flags)
{
	static const char much[1 << 20];
	const int64_t start = clock_now_ns();

	settings.idle_ms = 100;
	open_pipe(flags);
	ck_assert_int_eq(begat_write(&session, much, sizeof(much)), -1);
	ck_assert_int_ge(ms_since(start), 100);
	ck_assert_int_lt(ms_since(start), 3000);
	ck_assert_int_eq(session.timed_out, SESSION_IDLE);
}

START_TEST(pipe_stall)
{
	stall_pipe(0);
	stall_pipe(O_NONBLOCK);
}
END_TEST

START_TEST(pipe_write_much)
{
	static char much[1 << 20];
	pid_t pid;
	int status;

	open_pipe(0);
	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = (char)(i * 2654435761U >> 24);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(client);
		begat_write(&session, "!", 1);
		begat_write(&session, much, sizeof(much));
		_exit(begat_finish(&session));
	}
	close(settings.fd);
	for (size_t done = 0; done <= sizeof(much);) {
		char bytes[1000];
		ssize_t got = read(client, bytes, done ? sizeof(bytes) : 1);

		if (got <= 0) {
			ck_assert_uint_eq(done, sizeof(much) + 1);
			break;
		}
		if (done)
			ck_assert_mem_eq(bytes, much + done - 1, got);
		done += got;
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

static char program[] = "/bin/true", *const words[] = { program, NULL };
static const struct begat_value values[] = {
	{ .name = "prompt", .string = "? " },
	{ .name = "command.a", .argv = words },
	{ .name = "limit", .number = 42 },
	{ .name = "command.b", .argv = words },
	{ .name = "unset" },
};

static void set_values(void)
{
	session.set.values = values;
	session.set.nvalues = sizeof(values) / sizeof(values[0]);
}

START_TEST(options)
{
	set_values();
	ck_assert_str_eq(begat_string(&session, "prompt"), "? ");
	ck_assert_ptr_null(begat_string(&session, "unset"));
	ck_assert_int_eq(begat_number(&session, "limit"), 42);
	ck_assert_str_eq(begat_command(&session, "command.", 0)->name, "command.a");
	ck_assert_str_eq(begat_command(&session, "command.", 1)->name, "command.b");
	ck_assert_ptr_null(begat_command(&session, "command.", 2));
	ck_assert_ptr_null(begat_command(&session, "other.", 0));
	ck_assert_str_eq(begat_peer(&session), "p");
	ck_assert_str_eq(begat_service(&session), "s");
}
END_TEST

START_TEST(option_unknown)
{
	set_values();
	begat_number(&session, "limitt");
}
END_TEST

static void add_lines(TCase *tcase)
{
	tcase_add_test(tcase, line_ends);
	tcase_add_test(tcase, line_ends_split);
	tcase_add_test(tcase, line_last_without_end);
	tcase_add_test(tcase, line_last_with_cr_only);
	tcase_add_test(tcase, line_any_byte);
	tcase_add_test(tcase, line_cap);
	tcase_add_test(tcase, line_endless);
	tcase_add_test(tcase, line_longer_than_buffer);
	tcase_add_test(tcase, read_takes_what_lines_left);
	tcase_add_test(tcase, read_reset);
	tcase_add_test(tcase, filter_everything);
	tcase_add_test(tcase, filter_removed);
}

static void add_limits(TCase *tcase)
{
	tcase_add_test(tcase, timeout_first_byte);
	tcase_add_test(tcase, timeout_idle);
	tcase_add_test(tcase, timeout_idle_before_first_byte);
	tcase_add_test(tcase, timeout_with_signals);
	tcase_add_test(tcase, timeout_despite_filtered_bytes);
	tcase_add_test(tcase, timeout_starts_anew);
}

static void add_output(TCase *tcase)
{
	tcase_add_test(tcase, flush_before_waiting);
	tcase_add_test(tcase, text_line_ends);
	tcase_add_test(tcase, print_is_bounded);
	tcase_add_test(tcase, write_to_nobody);
	tcase_add_test(tcase, write_stall);
	tcase_add_test(tcase, write_much);
	tcase_add_test(tcase, socket_stays_blocking);
	tcase_add_test(tcase, finish_unread_input);
	tcase_add_test(tcase, finish_one_segment);
	tcase_add_test(tcase, finish_client_that_stays);
	tcase_add_test(tcase, finish_client_that_sends_on);
	tcase_add_test(tcase, finish_after_end);
	tcase_add_test(tcase, pipe_writes_and_never_reads);
	tcase_add_test(tcase, pipe_without_reader);
	tcase_add_test(tcase, pipe_stall);
	tcase_add_test(tcase, pipe_write_much);
	tcase_add_test(tcase, options);
	tcase_add_test_raise_signal(tcase, option_unknown, SIGABRT);
}

int main(void)
{
	TCase *tcase = tcase_create("session");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 30);
	add_lines(tcase);
	add_limits(tcase);
	add_output(tcase);
	return suite_finish("session", tcase);
}
