/* SPDX-License-Identifier: ISC */
/*
 * RFC 1413: queries and answers on exact bytes, and the kernel's table asked about real connections
 * over the loopback.
 */
#include "config.h"

#include "handlers/ident.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "handlers/socket-table.h"
#include "worker/worker.h"
#include "talk.h"
#include "suite.h"

#define SOMEBODY 12345
#define NOBODY	 65534

static char passwd_path[] = "/tmp/begat-test-XXXXXX";
static struct begat_value values[] = { { .name = "answer", .string = "hidden" },
				       { .name = "passwd", .string = passwd_path } };
static struct worker_task task;
static struct session_settings settings = { .crlf = true, .values = values, .nvalues = 2 };
static char heard[65536];

/* -- queries -- */

static const char *parse(const char *line, size_t length)
{
	static char text[64];
	struct ident_query query;
	bool good = ident_query_parse(line, length, &query);

	snprintf(text, sizeof(text), "%s %u %u", good ? "good" : "bad", query.local, query.foreign);
	return text;
}

#define PARSE(literal) parse(literal, sizeof(literal) - 1)

START_TEST(good_queries)
{
	ck_assert_str_eq(PARSE("6193, 23"), "good 6193 23");
	ck_assert_str_eq(PARSE("6193,23"), "good 6193 23");
	ck_assert_str_eq(PARSE(" \t1\t , \t65535 \t"), "good 1 65535");
	ck_assert_str_eq(PARSE("00010,08"), "good 10 8"); /* five digits, never octal */
}
END_TEST

/* Whatever it is, the ports that are given back have no more than the grammar's five digits. */
START_TEST(bad_queries)
{
	ck_assert_str_eq(PARSE(""), "bad 0 0");
	ck_assert_str_eq(PARSE(","), "bad 0 0");
	ck_assert_str_eq(PARSE("23"), "bad 23 0");
	ck_assert_str_eq(PARSE("23 25"), "bad 0 0");
	ck_assert_str_eq(PARSE("23,"), "bad 23 0");
	ck_assert_str_eq(PARSE("0,25"), "bad 0 25");
	ck_assert_str_eq(PARSE("25,0"), "bad 25 0");
	ck_assert_str_eq(PARSE("65536,99999"), "bad 65536 99999");
	ck_assert_str_eq(PARSE("100000,000025"), "bad 0 0");
	ck_assert_str_eq(PARSE("4294967319,23"), "bad 0 23"); /* 2^32 + 23 */
	ck_assert_str_eq(PARSE("18446744073709551639,23"), "bad 0 23");
	ck_assert_str_eq(PARSE("-23,+25"), "bad 0 0");
	ck_assert_str_eq(PARSE("0x17,23.0"), "bad 0 0");
	ck_assert_str_eq(PARSE("2 3,25"), "bad 0 25");
	ck_assert_str_eq(PARSE("23,25,27"), "bad 23 0");
	ck_assert_str_eq(PARSE("23,25 : USERID"), "bad 23 0");
	ck_assert_str_eq(PARSE("23\0,25"), "bad 0 25");
	ck_assert_str_eq(PARSE("23,25\0"), "bad 23 0");
	ck_assert_str_eq(PARSE("\xb2\xb3,25\r"), "bad 0 0");
	ck_assert_str_eq(PARSE("GET / HTTP/1.1"), "bad 0 0");
}
END_TEST

/* Nothing is read beyond the line's length. */
START_TEST(length_of_a_query)
{
	ck_assert_str_eq(parse("23,256", 5), "good 23 25");
	ck_assert_str_eq(parse("23,25", 3), "bad 23 0");
	ck_assert_str_eq(parse("23,25", 2), "bad 23 0");
}
END_TEST

/* What is a name on the wire, in the logs of others: no control character, no separator. */
START_TEST(names)
{
	char name[IDENT_NAME_MAX + 2];

	ck_assert(ident_is_name("stjohns"));
	ck_assert(ident_is_name("a"));
	ck_assert(ident_is_name("~dom\\user.name-1@host$"));
	ck_assert(!ident_is_name(""));
	ck_assert(!ident_is_name("two words"));
	ck_assert(!ident_is_name("a:b"));
	ck_assert(!ident_is_name("a\r\n1,2:USERID:UNIX:root"));
	ck_assert(!ident_is_name("\x1b[2J"));
	ck_assert(!ident_is_name("del\x7f"));
	ck_assert(!ident_is_name("j\xc3\xb6rg"));
	memset(name, 'n', sizeof(name));
	name[IDENT_NAME_MAX] = '\0';
	ck_assert(ident_is_name(name));
	name[IDENT_NAME_MAX] = 'n';
	name[IDENT_NAME_MAX + 1] = '\0';
	ck_assert(!ident_is_name(name));
}
END_TEST

/* -- connections -- */

/* A connection over the loopback: its two descriptors, and the addresses as an asker has them. */
struct pair {
	int listener, client, server; /* -1: not there */
	struct sockaddr_storage at_client, at_server;
};

static struct sockaddr_storage address_of(const char *text, unsigned port)
{
	struct sockaddr_storage address = { .ss_family = strchr(text, ':') ? AF_INET6 : AF_INET };
	struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)&address;
	struct sockaddr_in *inet = (struct sockaddr_in *)&address;

	inet->sin_port = htons((uint16_t)port); /* at the same place in both */
	ck_assert_int_eq(inet_pton(address.ss_family, text,
				   address.ss_family == AF_INET ? (void *)&inet->sin_addr
								: (void *)&inet6->sin6_addr),
			 1);
	return address;
}

static unsigned port_of(const struct sockaddr_storage *address)
{
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/* IPv4-mapped addresses unmapped, as sessions have them. */
static struct sockaddr_storage name_of(int fd)
{
	struct sockaddr_storage address;
	const struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)&address;
	socklen_t length = sizeof(address);
	char text[INET6_ADDRSTRLEN];

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	if (address.ss_family == AF_INET || !IN6_IS_ADDR_V4MAPPED(&inet6->sin6_addr))
		return address;
	ck_assert_ptr_nonnull(
		inet_ntop(AF_INET, inet6->sin6_addr.s6_addr + 12, text, sizeof(text)));
	return address_of(text, port_of(&address));
}

static int socket_for(const struct sockaddr_storage *address)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static struct sockaddr_storage listen_at(const char *text, int *fd)
{
	struct sockaddr_storage address = address_of(text, 0);
	socklen_t length = sizeof(address);

	*fd = socket_for(&address);
	ck_assert_int_eq(bind(*fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(*fd, 8), 0);
	ck_assert_int_eq(getsockname(*fd, (struct sockaddr *)&address, &length), 0);
	return address;
}

static int connect_to(const char *text, unsigned port)
{
	struct sockaddr_storage address = address_of(text, port);
	int fd = socket_for(&address);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* From one address to a listener at another. */
static struct pair pair_open(const char *listen_text, const char *connect_text)
{
	struct sockaddr_storage address;
	struct pair pair;

	address = listen_at(listen_text, &pair.listener);
	pair.client = connect_to(connect_text, port_of(&address));
	pair.server = accept(pair.listener, NULL, NULL);
	ck_assert_int_ge(pair.server, 0);
	pair.at_client = name_of(pair.client);
	pair.at_server = name_of(pair.server);
	return pair;
}

/* The user, or -errno. */
static long find(const struct sockaddr_storage *local, const struct sockaddr_storage *foreign)
{
	uid_t owner;

	return socket_table_find(local, foreign, &owner) < 0 ? -errno : (long)owner;
}

static void check_both_ends(const char *listen_text, const char *connect_text, int family)
{
	struct pair pair = pair_open(listen_text, connect_text);

	ck_assert_int_eq(pair.at_client.ss_family, family);
	ck_assert_int_eq(find(&pair.at_client, &pair.at_server), (long)geteuid());
	ck_assert_int_eq(find(&pair.at_server, &pair.at_client), (long)geteuid());
	ck_assert_int_eq(close(pair.server), 0);
	ck_assert_int_eq(find(&pair.at_server, &pair.at_client), -ENOENT);
	ck_assert_int_eq(find(&pair.at_client, &pair.at_server), (long)geteuid());
}

static bool has_ipv6(void)
{
	struct sockaddr_storage address = address_of("::1", 0);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

START_TEST(ipv4)
{
	check_both_ends("127.0.0.1", "127.0.0.1", AF_INET);
	check_both_ends("0.0.0.0", "127.0.0.2", AF_INET);
}
END_TEST

START_TEST(ipv6)
{
	if (has_ipv6()) {
		check_both_ends("::1", "::1", AF_INET6);
		check_both_ends("::", "::1", AF_INET6);
	}
}
END_TEST

/* The owned socket is an IPv6 one, and the asker knows but the IPv4 addresses: the server's, the
 * client's, both. */
START_TEST(ipv4_mapped)
{
	if (has_ipv6()) {
		check_both_ends("::", "127.0.0.1", AF_INET);
		check_both_ends("0.0.0.0", "::ffff:127.0.0.1", AF_INET);
		check_both_ends("::", "::ffff:127.0.0.1", AF_INET);
	}
}
END_TEST

/* Of a connection it is the whole that counts. */
START_TEST(other_connection)
{
	struct pair pair = pair_open("127.0.0.1", "127.0.0.1");
	struct sockaddr_storage other = address_of("127.0.0.2", port_of(&pair.at_client));

	ck_assert_int_eq(find(&pair.at_server, &other), -ENOENT);
	other = address_of("127.0.0.1", port_of(&pair.at_client) ^ 1);
	ck_assert_int_eq(find(&pair.at_server, &other), -ENOENT);
	ck_assert_int_eq(find(&pair.at_client, &pair.at_client), -ENOENT);
}
END_TEST

/* The kernel gives the listening socket where there is no connection: its owner is not asked for.
 */
START_TEST(listener)
{
	struct sockaddr_storage here, foreign = address_of("127.0.0.1", 1);
	int fd;

	here = listen_at("127.0.0.1", &fd);
	ck_assert_int_eq(find(&here, &foreign), -ENOENT);
	here = listen_at("0.0.0.0", &fd);
	here = address_of("127.0.0.1", port_of(&here));
	ck_assert_int_eq(find(&here, &foreign), -ENOENT);
}
END_TEST

/* The kernel has a 0 for their user, which is no root. */
START_TEST(nobodys)
{
	struct sockaddr_storage here, there;
	int fd, client;

	here = listen_at("127.0.0.1", &fd);
	client = connect_to("127.0.0.1", port_of(&here));
	there = name_of(client);
	ck_assert_int_eq(find(&there, &here), (long)geteuid());
	ck_assert_int_eq(find(&here, &there), -ENOENT); /* not accepted yet */
	ck_assert_int_eq(close(client), 0);
	ck_assert_int_eq(find(&there, &here), -ENOENT); /* FIN-WAIT-2 */
	ck_assert_int_eq(close(accept(fd, NULL, NULL)), 0);
	ck_assert_int_eq(find(&there, &here), -ENOENT); /* TIME-WAIT */
}
END_TEST

START_TEST(other_families)
{
	const struct sockaddr_storage inet = address_of("127.0.0.1", 1),
				      inet6 = address_of("::1", 1),
				      local = { .ss_family = AF_UNIX };

	ck_assert_int_eq(find(&inet, &inet6), -EAFNOSUPPORT);
	ck_assert_int_eq(find(&inet6, &inet), -EAFNOSUPPORT);
	ck_assert_int_eq(find(&local, &local), -EAFNOSUPPORT);
}
END_TEST

START_TEST(leaves_no_descriptor)
{
	struct pair pair = pair_open("127.0.0.1", "127.0.0.1");
	int before = dup(0), after;

	close(before);
	find(&pair.at_client, &pair.at_server);
	find(&pair.at_client, &pair.at_client);
	after = dup(0);
	ck_assert_int_eq(after, before);
}
END_TEST

/* A child that has become another user, as which it runs the rest of its test. */
static pid_t fork_as(uid_t uid)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0 && setresuid(uid, uid, uid) < 0)
		_exit(EXIT_FAILURE);
	return pid;
}

static void expect_success(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

/* What a worker is: nobody, who asks about somebody else's and root's. */
START_TEST(of_another_user)
{
	struct sockaddr_storage here, there;
	int fd, client, server;
	pid_t pid;

	if (geteuid() != 0)
		return;
	here = listen_at("127.0.0.1", &fd);
	ck_assert_int_eq(setresuid(-1, SOMEBODY, 0), 0);
	client = connect_to("127.0.0.1", port_of(&here));
	ck_assert_int_eq(setresuid(-1, 0, 0), 0);
	server = accept(fd, NULL, NULL);
	ck_assert_int_ge(server, 0);
	there = name_of(client);
	ck_assert_int_eq(find(&there, &here), SOMEBODY);
	pid = fork_as(NOBODY);
	if (pid == 0)
		_exit(find(&there, &here) != SOMEBODY || find(&here, &there) != 0);
	expect_success(pid);
}
END_TEST

/* -- the dialogue -- */

static void setup(void)
{
	int fd = mkstemp(passwd_path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	task.connection.peer = task.connection.local = address_of("127.0.0.1", 1);
	settings.task = &task;
}

static void teardown(void)
{
	unlink(passwd_path);
}

static void put_passwd(const char *text)
{
	FILE *file = fopen(passwd_path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* All that comes for what is sent before it half-closes. */
static const char *ask_bytes(const void *bytes, size_t length, int expected)
{
	struct talk talk = talk_start(&ident_handler, &settings);
	int status;

	talk_send(&talk, bytes, length);
	talk_half_close(&talk);
	talk_hear(&talk, heard, sizeof(heard));
	status = talk_end(&talk);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), expected);
	return heard;
}

#define ASK(literal) ask_bytes(literal, sizeof(literal) - 1, 0)

/* The answer about a connection from this side to the asker's, which is the server of it here. */
static void expect_about(const struct pair *pair, const char *answer, int status)
{
	char query[64], expected[1024];

	snprintf(query, sizeof(query), "%u,%u\r\n", port_of(&pair->at_client),
		 port_of(&pair->at_server));
	snprintf(expected, sizeof(expected), "%u , %u : %s\r\n", port_of(&pair->at_client),
		 port_of(&pair->at_server), answer);
	ck_assert_str_eq(ask_bytes(query, strlen(query), status), expected);
}

START_TEST(hidden)
{
	const struct pair pair = pair_open("127.0.0.1", "127.0.0.1");

	expect_about(&pair, "ERROR : HIDDEN-USER", 0);
	close(pair.client);
	expect_about(&pair, "ERROR : NO-USER", 0);
}
END_TEST

START_TEST(uid)
{
	const struct pair pair = pair_open("127.0.0.1", "127.0.0.1");
	char answer[64];

	values[0].string = "uid";
	snprintf(answer, sizeof(answer), "USERID : OTHER : %u", geteuid());
	expect_about(&pair, answer, 0);
}
END_TEST

/* The entry of one's own, after those of other kinds. */
static void put_own_name(const char *name)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "# comment\n\nbroken\n+::::::\n-me:x:%u:0:::\nother:x:%u:0:::\n%s:x:%u:0:::\n"
		 "second:x:%u:0:::\n",
		 geteuid(), geteuid() + 1, name, geteuid(), geteuid());
	put_passwd(text);
}

START_TEST(user)
{
	const struct pair pair = pair_open("127.0.0.1", "127.0.0.1");
	char name[IDENT_NAME_MAX + 2] = "", answer[1024];

	values[0].string = "user";
	put_own_name("stjohns");
	expect_about(&pair, "USERID : UNIX : stjohns", 0);
	memset(name, 'n', IDENT_NAME_MAX);
	put_own_name(name);
	snprintf(answer, sizeof(answer), "USERID : UNIX : %s", name);
	expect_about(&pair, answer, 0);
	memset(name, 'n', IDENT_NAME_MAX + 1);
	put_own_name(name);
	expect_about(&pair, "ERROR : UNKNOWN-ERROR", 0);
	put_own_name("a\rb");
	expect_about(&pair, "ERROR : UNKNOWN-ERROR", 0);
}
END_TEST

/* Without a name it is the number, which is no root's for an entry of NIS. */
START_TEST(user_without_name)
{
	const struct pair pair = pair_open("127.0.0.1", "127.0.0.1");
	char answer[64];

	values[0].string = "user";
	put_passwd("+::::::\n+me::::::\n-me::::::\n");
	snprintf(answer, sizeof(answer), "USERID : OTHER : %u", geteuid());
	expect_about(&pair, answer, 0);
	unlink(passwd_path);
	expect_about(&pair, "ERROR : UNKNOWN-ERROR", 1);
	ck_assert_int_eq(mkfifo(passwd_path, 0600), 0); /* would wait for a writer */
	expect_about(&pair, "ERROR : UNKNOWN-ERROR", 1);
}
END_TEST

/* All that is sent in advance is answered, each kind of line end, the last without one. */
START_TEST(pipelined)
{
	ck_assert_str_eq(ASK("1,2\r\n 3 , 4 \n5,\t6\r\0"
			     "7,8"),
			 "1 , 2 : ERROR : NO-USER\r\n3 , 4 : ERROR : NO-USER\r\n"
			 "5 , 6 : ERROR : NO-USER\r\n7 , 8 : ERROR : NO-USER\r\n");
	ck_assert_str_eq(ASK(""), "");
}
END_TEST

/* One answer to what is no query, in which nothing of it comes back; then the end. */
START_TEST(garbage)
{
	ck_assert_str_eq(ASK("1,2\n3,65536\n5,6\n"),
			 "1 , 2 : ERROR : NO-USER\r\n3 , 65536 : ERROR : INVALID-PORT\r\n");
	ck_assert_str_eq(ASK("\r\n1,2\r\n"), "0 , 0 : ERROR : INVALID-PORT\r\n");
	ck_assert_str_eq(ASK("\x1b[2J\0\xff\xfe,%s%n\n"), "0 , 0 : ERROR : INVALID-PORT\r\n");
	ck_assert_str_eq(ASK("1,2\0\n"), "1 , 0 : ERROR : INVALID-PORT\r\n");
	ck_assert_str_eq(ASK("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
			 "0 , 0 : ERROR : INVALID-PORT\r\n");
}
END_TEST

START_TEST(long_lines)
{
	static char line[1 << 16];

	memset(line, ' ', sizeof(line));
	memcpy(line, "1,2", 3);
	line[IDENT_LINE_MAX] = '\n';
	ck_assert_str_eq(ask_bytes(line, IDENT_LINE_MAX + 1, 0), "1 , 2 : ERROR : NO-USER\r\n");
	line[IDENT_LINE_MAX] = ' ';
	line[IDENT_LINE_MAX + 1] = '\n';
	ck_assert_str_eq(ask_bytes(line, IDENT_LINE_MAX + 2, 0),
			 "0 , 0 : ERROR : UNKNOWN-ERROR\r\n");
	line[IDENT_LINE_MAX + 1] = ' ';
	ck_assert_str_eq(ask_bytes(line, sizeof(line), 0), "0 , 0 : ERROR : UNKNOWN-ERROR\r\n");
}
END_TEST

/* The RFC has no word for it but the end. */
START_TEST(silence)
{
	struct talk talk;

	settings.first_byte_ms = 50;
	talk = talk_start(&ident_handler, &settings);
	ck_assert_uint_eq(talk_hear(&talk, heard, sizeof(heard)), 0);
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

/* Asked from elsewhere than the connection's other end, it is nobody's business. */
START_TEST(another_asker)
{
	const struct pair pair = pair_open("127.0.0.1", "127.0.0.1");

	task.connection.peer = address_of("127.0.0.2", 1);
	expect_about(&pair, "ERROR : NO-USER", 0);
}
END_TEST

START_TEST(unix_socket)
{
	task.connection.peer.ss_family = task.connection.local.ss_family = AF_UNIX;
	ck_assert_str_eq(ASK("1,2\n3,4\n"), "1 , 2 : ERROR : UNKNOWN-ERROR\r\n"
					    "3 , 4 : ERROR : UNKNOWN-ERROR\r\n");
}
END_TEST

START_TEST(option)
{
	const struct begat_option *answer = &ident_handler.options[0];

	ck_assert_str_eq(answer->name, "answer");
	ck_assert_str_eq(answer->fallback, "hidden");
	ck_assert_ptr_null(answer->check("hidden"));
	ck_assert_ptr_null(answer->check("uid"));
	ck_assert_ptr_null(answer->check("user"));
	ck_assert_ptr_nonnull(answer->check(""));
	ck_assert_ptr_nonnull(answer->check("users"));
	ck_assert_ptr_nonnull(answer->check("Hidden"));
}
END_TEST

static void add_connections(TCase *tcase)
{
	tcase_add_test(tcase, ipv4);
	tcase_add_test(tcase, ipv6);
	tcase_add_test(tcase, ipv4_mapped);
	tcase_add_test(tcase, other_connection);
	tcase_add_test(tcase, listener);
	tcase_add_test(tcase, nobodys);
	tcase_add_test(tcase, other_families);
	tcase_add_test(tcase, leaves_no_descriptor);
	tcase_add_test(tcase, of_another_user);
}

static void add_dialogue(TCase *tcase)
{
	tcase_add_test(tcase, hidden);
	tcase_add_test(tcase, uid);
	tcase_add_test(tcase, user);
	tcase_add_test(tcase, user_without_name);
	tcase_add_test(tcase, pipelined);
	tcase_add_test(tcase, garbage);
	tcase_add_test(tcase, long_lines);
	tcase_add_test(tcase, silence);
	tcase_add_test(tcase, another_asker);
	tcase_add_test(tcase, unix_socket);
	tcase_add_test(tcase, option);
}

int main(void)
{
	TCase *tcase = tcase_create("ident");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, good_queries);
	tcase_add_test(tcase, bad_queries);
	tcase_add_test(tcase, length_of_a_query);
	tcase_add_test(tcase, names);
	add_connections(tcase);
	add_dialogue(tcase);
	return suite_finish("ident", tcase);
}
