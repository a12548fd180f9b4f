/* SPDX-License-Identifier: ISC */
/* resolve: what workers ask and are told about names, and that neither side believes the other. */
#include "config.h"

#include "worker/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "descriptors.h"
#include "start/lookup.h"
#include "start/name-cache.h"
#include "start/question.h"
#include "suite.h"
#include "worker/banner.h"
#include "worker/session.h"

static int ends[2]; /* the workers', the resolver's */

static void open_pair(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static struct resolve_question ask_host(const char *name)
{
	struct resolve_question question = { .kind = RESOLVE_HOST, .limit_ms = 1000, .port = 80 };

	strcpy(question.name, name);
	return question;
}

static struct resolve_question ask_peer(const char *address, unsigned port)
{
	struct resolve_question question = { .kind = RESOLVE_PEER, .limit_ms = 1000 };
	struct sockaddr_in *in = (struct sockaddr_in *)&question.address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&question.address;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
	}
	return question;
}

static void send_packet(const void *bytes, size_t length, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(64 * sizeof(int))];
	} ancillary = { .bytes = { 0 } };
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

static void expect_refusal(const void *bytes, size_t length, const int *fds, size_t nfds)
{
	const size_t before = descriptors_count();
	struct resolve_question question;
	int fd = -1;

	send_packet(bytes, length, fds, nfds);
	errno = 0;
	ck_assert_int_eq(question_receive(ends[1], &question, &fd), -1);
	ck_assert_msg(errno == EBADMSG, "%s", strerror(errno));
	ck_assert_int_eq(fd, -1);
	ck_assert_uint_eq(descriptors_count(), before);
}

static void expect_bad(const struct resolve_question *question)
{
	int null = open("/dev/null", O_RDONLY);

	ck_assert_int_ge(null, 0);
	expect_refusal(question, sizeof(*question), &null, 1);
	close(null);
}

static struct resolve_question pass(const struct resolve_question *said)
{
	struct resolve_question question;
	int fd = open("/dev/null", O_RDONLY), got = -1;

	send_packet(said, sizeof(*said), &fd, 1);
	ck_assert_int_eq(question_receive(ends[1], &question, &got), 1);
	ck_assert(fcntl(got, F_GETFD) & FD_CLOEXEC);
	question_drop(got);
	close(fd);
	return question;
}

/* -- questions -- */

START_TEST(takes_a_question_and_where_its_answer_goes)
{
	struct resolve_question host = ask_host("www.Example.ORG"), question;

	open_pair();
	question = pass(&host);
	ck_assert_int_eq(question.kind, RESOLVE_HOST);
	ck_assert_str_eq(question.name, "www.example.org");
	ck_assert_uint_eq(question.port, 80);
	ck_assert_uint_eq(question.limit_ms, 1000);
	ck_assert_int_eq(question_receive(ends[1], &question, &(int){ 0 }), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(ends[0]);
	ck_assert_int_eq(question_receive(ends[1], &question, &(int){ 0 }), 0);
}
END_TEST

/* A worker that was taken over says anything. */
START_TEST(refuses_what_is_out_of_bounds)
{
	struct resolve_question question;

	open_pair();
	question = ask_host("a");
	question.kind = 2;
	expect_bad(&question);
	question = ask_host("a");
	question.limit_ms = 0;
	expect_bad(&question);
	question.limit_ms = RESOLVE_LIMIT_MS + 1;
	expect_bad(&question);
	question = ask_host("a");
	question.fresh = 2;
	expect_bad(&question);
	question = ask_host("a");
	question.datagrams = 2;
	expect_bad(&question);
	question = ask_host("a");
	question.port = 0;
	expect_bad(&question);
	question = ask_peer("192.0.2.1", 1);
	question.address.ss_family = AF_UNIX;
	expect_bad(&question);
	question.address.ss_family = AF_UNSPEC;
	expect_bad(&question);
}
END_TEST

START_TEST(refuses_a_name_that_is_none)
{
	static const char *const names[] = {
		"", "a b", "a\nb", "a\033[2J", "a/b", "\303\244", "a%b"
	};
	struct resolve_question question = ask_host("a");

	open_pair();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		question = ask_host(names[i]);
		expect_bad(&question);
	}
	memset(question.name, 'a', sizeof(question.name)); /* without an end */
	expect_bad(&question);
	question.name[RESOLVE_NAME] = '\0'; /* one byte too many */
	expect_bad(&question);
	question.name[RESOLVE_NAME - 1] = '\0';
	ck_assert_uint_eq(strlen(pass(&question).name), RESOLVE_NAME - 1);
}
END_TEST

START_TEST(refuses_other_lengths)
{
	struct resolve_question question[2] = { ask_host("a"), ask_host("b") };
	int fd = open("/dev/null", O_RDONLY);

	open_pair();
	expect_refusal(question, sizeof(*question) - 1, &fd, 1);
	expect_refusal(question, sizeof(*question) + 1, &fd, 1);
	expect_refusal(question, sizeof(question), &fd, 1);
	expect_refusal("x", 1, &fd, 1);
	expect_refusal("", 0, &fd, 1);
	expect_refusal("", 0, NULL, 0); /* which is not the end */
}
END_TEST

START_TEST(wants_exactly_one_descriptor)
{
	const struct resolve_question question = ask_host("a");
	int fds[64];

	open_pair();
	for (size_t i = 0; i < 64; i++)
		fds[i] = open("/dev/null", O_RDONLY);
	expect_refusal(&question, sizeof(question), NULL, 0);
	for (size_t i = 2; i <= 64; i++)
		expect_refusal(&question, sizeof(question), fds, i);
}
END_TEST

/* close(2) would wait for as long as it says. */
START_TEST(does_not_linger_for_a_socket_that_it_was_given)
{
	const struct linger long_time = { 1, 20 };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), sender = socket(AF_INET, SOCK_STREAM, 0);
	static char much[1 << 20];
	int64_t started_ns;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(connect(sender, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(setsockopt(sender, SOL_SOCKET, SO_LINGER, &long_time, sizeof(long_time)),
			 0);
	while (send(sender, much, sizeof(much), MSG_DONTWAIT) > 0)
		;
	open_pair();
	send_packet("x", 1, &sender, 1);
	close(sender);
	started_ns = clock_now_ns();
	ck_assert_int_eq(question_receive(ends[1], &(struct resolve_question){ 0 }, &(int){ 0 }),
			 -1);
	ck_assert_int_lt(clock_now_ns() - started_ns, 5 * NS_IN_S);
}
END_TEST

/* The same client comes from another port each time, and by IPv4-mapped addresses. */
START_TEST(knows_equal_questions)
{
	struct resolve_question a = ask_peer("192.0.2.1", 1), b = ask_peer("192.0.2.1", 2),
				mapped = ask_peer("::ffff:192.0.2.1", 3),
				other = ask_peer("192.0.2.2", 1), host = ask_host("A.example"),
				same = ask_host("a.EXAMPLE"), port = ask_host("a.example");

	open_pair();
	strcpy(a.name, "left over");
	((struct sockaddr_in *)&b.address)->sin_zero[3] = 'x';
	strcpy(same.name + 200, "left over");
	same.limit_ms = 5;
	same.fresh = 1;
	port.port = 81;
	a = pass(&a);
	b = pass(&b);
	mapped = pass(&mapped);
	other = pass(&other);
	host = pass(&host);
	same = pass(&same);
	port = pass(&port);
	ck_assert(question_is_same(&a, &b));
	ck_assert(question_is_same(&a, &mapped));
	ck_assert(!question_is_same(&a, &other));
	ck_assert(question_is_same(&host, &same));
	ck_assert(!question_is_same(&host, &port));
	ck_assert(!question_is_same(&host, &a));
}
END_TEST

/* -- the cache -- */

static struct resolve_answer say(const char *name, unsigned count)
{
	struct resolve_answer answer = { .count = count };

	strcpy(answer.name, name);
	return answer;
}

START_TEST(remembers_answers)
{
	const struct resolve_question peer = ask_peer("192.0.2.1", 0);
	struct resolve_answer answer = say("one.example", 0);

	ck_assert_ptr_null(name_cache_find(&peer, 0));
	name_cache_add(&peer, &answer);
	ck_assert_str_eq(name_cache_find(&peer, 0)->name, "one.example");
	answer = say("", 0); /* that there is none is an answer, too */
	name_cache_add(&peer, &answer);
	ck_assert_str_eq(name_cache_find(&peer, 0)->name, "");
}
END_TEST

/* Targets that do not answer are asked for anew, but those who wait together get one answer. */
START_TEST(gives_no_old_answer_to_who_wants_a_fresh_one)
{
	struct resolve_question host = ask_host("a");
	const struct resolve_answer answer = say("", 1);
	const int64_t before_ns = clock_now_ns();

	name_cache_add(&host, &answer);
	host.fresh = 1;
	ck_assert_ptr_null(name_cache_find(&host, clock_now_ns() + 1));
	ck_assert_ptr_nonnull(name_cache_find(&host, before_ns));
	host.fresh = 0;
	ck_assert_ptr_nonnull(name_cache_find(&host, clock_now_ns() + 1));
}
END_TEST

START_TEST(forgets_the_oldest_and_holds_no_more)
{
	const struct resolve_answer answer = say("", 0);
	struct resolve_question peer;
	char address[32];

	for (int i = 0; i < 3 * NAME_CACHE_SIZE; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		peer = ask_peer(address, 0);
		name_cache_add(&peer, &answer);
		ck_assert_ptr_nonnull(name_cache_find(&peer, 0));
	}
	for (int i = 0; i < 3 * NAME_CACHE_SIZE; i++) {
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		peer = ask_peer(address, 0);
		ck_assert((name_cache_find(&peer, 0) != NULL) == (i >= 2 * NAME_CACHE_SIZE));
	}
}
END_TEST

/* -- lookups, with nothing but /etc/hosts -- */

START_TEST(looks_addresses_up)
{
	struct resolve_question question = ask_host("127.0.0.7");
	struct resolve_answer answer;

	lookup_run(&question, &answer);
	ck_assert_uint_eq(answer.count, 1);
	ck_assert_uint_eq(((struct sockaddr_in *)answer.addresses)->sin_port, htons(80));
	ck_assert_uint_eq(((struct sockaddr_in *)answer.addresses)->sin_addr.s_addr,
			  htonl(0x7f000007));
	ck_assert(resolve_answer_is_sound(&answer));
	lookup_fail(&question, "because", &answer);
	ck_assert_uint_eq(answer.count, 0);
	ck_assert_str_eq(answer.name, "because");
	question = ask_peer("192.0.2.1", 0);
	lookup_fail(&question, "because", &answer);
	ck_assert_str_eq(answer.name, ""); /* which would be taken for a name */
}
END_TEST

/* -- answers -- */

START_TEST(believes_no_answer_out_of_bounds)
{
	struct resolve_answer answer = say("fine", 0);

	ck_assert(resolve_answer_is_sound(&answer));
	answer = say("not\nfine", 0);
	ck_assert(!resolve_answer_is_sound(&answer));
	answer = say("not\233fine", 0);
	ck_assert(!resolve_answer_is_sound(&answer));
	memset(answer.name, 'a', sizeof(answer.name));
	ck_assert(!resolve_answer_is_sound(&answer));
	answer = say("", RESOLVE_ADDRESSES + 1);
	ck_assert(!resolve_answer_is_sound(&answer));
	answer = say("", 2);
	answer.addresses[0].ss_family = AF_INET;
	ck_assert(!resolve_answer_is_sound(&answer));
	answer.addresses[1].ss_family = AF_INET6;
	ck_assert(resolve_answer_is_sound(&answer));
}
END_TEST

START_TEST(knows_plain_names)
{
	ck_assert(resolve_is_plain("host-1.example_x.org"));
	ck_assert(resolve_is_plain("2001:db8::1"));
	ck_assert(!resolve_is_plain(""));
	ck_assert(!resolve_is_plain("a b"));
	ck_assert(!resolve_is_plain("a\r\nb"));
	ck_assert(!resolve_is_plain("a%n"));
}
END_TEST

/* -- asking -- */

/* A resolver that does one thing with each of so many questions. */
static pid_t start_resolver(void (*act)(int fd), int questions)
{
	struct resolve_question question;
	pid_t pid;
	int fd;

	open_pair();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	while (questions--) {
		struct pollfd wait = { .fd = ends[1], .events = POLLIN };

		(void)poll(&wait, 1, 10000);
		if (question_receive(ends[1], &question, &fd) == 1)
			act(fd);
	}
	_exit(0);
}

static void end_resolver(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static void answer_one(int fd)
{
	const struct resolve_answer answer = say("one.example", 0);

	(void)send(fd, &answer, sizeof(answer), 0);
	close(fd);
}

static void answer_garbage(int fd)
{
	const struct resolve_answer answer = say("\033]0;", 0);

	(void)send(fd, &answer, sizeof(answer), 0);
	close(fd);
}

static void answer_in_part(int fd)
{
	(void)send(fd, "x", 1, 0);
	close(fd);
}

static void hang(int fd)
{
	(void)fd;
	pause();
}

static int refusals;

static void refuse_first(int fd)
{
	if (refusals++ == 0)
		close(fd);
	else
		answer_one(fd);
}

static void expect_answer(int error)
{
	const struct resolve_question question = ask_peer("192.0.2.1", 0);
	const size_t before = descriptors_count();
	struct resolve_answer answer;

	errno = 0;
	ck_assert_int_eq(resolve_ask(ends[0], &question, &answer), error ? -1 : 0);
	ck_assert_msg(errno == error || error == 0, "%s", strerror(errno));
	ck_assert_uint_eq(descriptors_count(), before);
	if (error == 0)
		ck_assert_str_eq(answer.name, "one.example");
}

START_TEST(hears_the_answer)
{
	pid_t pid = start_resolver(answer_one, 3);

	for (int i = 0; i < 3; i++)
		expect_answer(0);
	end_resolver(pid);
}
END_TEST

START_TEST(believes_no_garbage)
{
	pid_t pid = start_resolver(answer_garbage, 1);

	expect_answer(EBADMSG);
	end_resolver(pid);
	pid = start_resolver(answer_in_part, 1);
	expect_answer(EBADMSG);
	end_resolver(pid);
}
END_TEST

/* The limit of the question and a little more: a client waits for this. */
START_TEST(does_not_wait_for_ever)
{
	const int64_t started_ns = clock_now_ns();
	pid_t pid = start_resolver(hang, 1);

	expect_answer(ETIMEDOUT);
	ck_assert_int_ge(clock_now_ns() - started_ns, NS_IN_S);
	ck_assert_int_lt(clock_now_ns() - started_ns, 4 * NS_IN_S);
	end_resolver(pid);
}
END_TEST

/* One that was killed with our question is started again, and finds it asked anew. */
START_TEST(asks_again_when_the_resolver_dies)
{
	pid_t pid = start_resolver(refuse_first, 2);

	expect_answer(0);
	end_resolver(pid);
}
END_TEST

START_TEST(knows_that_nobody_is_there)
{
	struct resolve_question question = ask_host("a");
	struct resolve_answer answer;

	ck_assert_int_eq(resolve_ask(-1, &question, &answer), -1);
	ck_assert_int_eq(errno, ENOTCONN);
	open_pair();
	close(ends[1]);
	signal(SIGPIPE, SIG_DFL); /* must not be raised */
	ck_assert_int_eq(resolve_ask(ends[0], &question, &answer), -1);
	ck_assert_int_eq(errno, ENOTCONN);
}
END_TEST

/* Nobody reads: then the worker must not wait for room. */
START_TEST(never_waits_to_ask)
{
	const int64_t started_ns = clock_now_ns();
	struct resolve_question question = ask_host("a");
	struct resolve_answer answer;
	int tries = 0;

	open_pair();
	question.limit_ms = 1;
	while (resolve_ask(ends[0], &question, &answer) < 0 && errno == ETIMEDOUT && tries < 5)
		tries++;
	while (send(ends[0], &question, sizeof(question), MSG_DONTWAIT) > 0)
		;
	errno = 0;
	ck_assert_int_eq(resolve_ask(ends[0], &question, &answer), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_lt(clock_now_ns() - started_ns, 10 * NS_IN_S);
}
END_TEST

START_TEST(tells_a_handler_why)
{
	static struct begat_session session;
	const struct session_settings settings = { .fd = -1 };
	struct begat_lookup lookup = { .host = "a.example", .port = 80, .limit_ms = 1000 };
	struct sockaddr_storage addresses[4];
	const char *why = NULL;

	session_init(&session, &settings);
	ck_assert_uint_eq(begat_resolve(&session, &lookup, addresses, 4, &why), 0);
	ck_assert_str_eq(why, "the resolver does not run");
	lookup.host = "a b";
	ck_assert_uint_eq(begat_resolve(&session, &lookup, addresses, 4, &why), 0);
	ck_assert_str_eq(why, "not the name of a host");
}
END_TEST

/* -- the banner's %n -- */

static void expect_banner(const char *text, const char *name, const char *expected)
{
	struct resolve_question peer = ask_peer("192.0.2.1", 4711);
	const struct connection connection = { .peer = peer.address, .text = "192.0.2.1:4711" };
	const struct banner banner = {
		.text = text, .service = "s", .name = name, .connection = &connection
	};
	static char out[BANNER_TEXT + 1];

	out[banner_format(&banner, out)] = '\0';
	ck_assert_str_eq(out, expected);
}

START_TEST(greets_by_name_or_else_by_address)
{
	expect_banner("Hello %n", "one.example", "Hello one.example\n");
	expect_banner("%n %h %n%%n", "one.example", "one.example 192.0.2.1 one.example%n\n");
	expect_banner("Hello %n", "", "Hello 192.0.2.1\n");
	expect_banner("Hello %n", NULL, "Hello 192.0.2.1\n");
}
END_TEST

SUITE("resolve", takes_a_question_and_where_its_answer_goes, refuses_what_is_out_of_bounds,
      refuses_a_name_that_is_none, refuses_other_lengths, wants_exactly_one_descriptor,
      does_not_linger_for_a_socket_that_it_was_given, knows_equal_questions, remembers_answers,
      gives_no_old_answer_to_who_wants_a_fresh_one, forgets_the_oldest_and_holds_no_more,
      looks_addresses_up, believes_no_answer_out_of_bounds, knows_plain_names, hears_the_answer,
      believes_no_garbage, does_not_wait_for_ever, asks_again_when_the_resolver_dies,
      knows_that_nobody_is_there, never_waits_to_ask, tells_a_handler_why,
      greets_by_name_or_else_by_address)
