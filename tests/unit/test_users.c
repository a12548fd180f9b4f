/* SPDX-License-Identifier: ISC */
/*
 * RFC 866: everybody who is logged in, one a line and once each; nothing in it that does not print,
 * and no name that is cut.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmpx.h>

#include "handlers/handler.h"
#include "handlers/logins.h"
#include "answering.h"
#include "talk.h"
#include "suite.h"

static char directory[] = "/tmp/begat-test-XXXXXX", path[64];
static struct answering answering;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/utmp", directory);
	logins_path = path;
	answering = (struct answering){ .handler = &users_handler, .room = 512 };
}

static void teardown(void)
{
	snprintf(path, sizeof(path), "%s/utmp", directory);
	unlink(path);
	rmdir(path);
	rmdir(directory);
}

static void add(short type, const char *name, size_t length)
{
	struct utmpx entry = { .ut_type = type, .ut_pid = 1, .ut_line = "pts/0", .ut_host = "h" };
	FILE *file = fopen(path, "a");

	ck_assert_ptr_nonnull(file);
	memcpy(entry.ut_user, name, length);
	ck_assert_uint_eq(fwrite(&entry, sizeof(entry), 1, file), 1);
	ck_assert_int_eq(fclose(file), 0);
}

static void login(const char *name)
{
	add(USER_PROCESS, name, strlen(name));
}

static void expect(const char *expected)
{
	ck_assert(answering_ask(&answering, "", 0));
	ck_assert_str_eq(answering.bytes, expected);
}

static void expect_stream(const char *expected, int status)
{
	const struct session_settings settings = { .crlf = true };
	struct talk talk = talk_start(&users_handler, &settings);
	char bytes[4096];

	talk_hear(&talk, bytes, sizeof(bytes));
	ck_assert_str_eq(bytes, expected);
	ck_assert_int_eq(talk_end(&talk), status << 8);
}

START_TEST(once_and_in_order)
{
	add(BOOT_TIME, "reboot", 6);
	login("root");
	login("zoe");
	add(LOGIN_PROCESS, "LOGIN", 5);
	add(DEAD_PROCESS, "gone", 4);
	login("anna");
	login("root");
	login("zo");
	expect("root\r\nzoe\r\nanna\r\nzo\r\n");
	expect_stream("root\r\nzoe\r\nanna\r\nzo\r\n", 0);
}
END_TEST

/* A field that is full has no NUL. */
START_TEST(longest_name)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const size_t size = sizeof(((struct utmpx *)NULL)->ut_user);
	char expected[64];

	add(USER_PROCESS, name, size);
	login("b");
	snprintf(expected, sizeof(expected), "%.*s\r\nb\r\n", (int)size, name);
	expect(expected);
}
END_TEST

START_TEST(names_that_do_not_print)
{
	login("a\x1b[2J");
	login("two words");
	login("caf\xc3\xa9");
	login("x\r\ny");
	login("\x7f");
	login("");
	login("plain");
	expect("plain\r\n");
}
END_TEST

/* An empty answer is one: nobody is logged in.  A container has no list at all. */
START_TEST(nobody)
{
	expect("");
	expect_stream("", 0);
	add(DEAD_PROCESS, "gone", 4);
	expect("");
	expect_stream("", 0);
}
END_TEST

START_TEST(never_splits_a_user)
{
	login("anna");
	login("barbara");
	login("c");
	for (answering.room = 0; answering.room <= 20; answering.room++) {
		const char *expected = answering.room < 6    ? ""
				       : answering.room < 15 ? "anna\r\n"
				       : answering.room < 18 ? "anna\r\nbarbara\r\n"
							     : "anna\r\nbarbara\r\nc\r\n";

		expect(expected);
		ck_assert_int_eq(answering.whole, answering.room >= 18);
	}
}
END_TEST

/* Cut off in the middle of an entry, as while it is written. */
START_TEST(damaged_list)
{
	login("anna");
	login("bert");
	ck_assert_int_eq(truncate(path, sizeof(struct utmpx) + 100), 0);
	expect("anna\r\n");
	ck_assert_int_eq(truncate(path, 10), 0);
	expect("");
}
END_TEST

START_TEST(not_a_file)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(answering.length, 0);
	expect_stream("", 1);
}
END_TEST

/* More entries than a batch, and more users than there is a place for. */
START_TEST(crowd)
{
	static char line[16];
	size_t users = 0;

	answering.room = SESSION_ANSWER;
	for (int i = 0; i < 1100; i++) {
		snprintf(line, sizeof(line), "u%d", i);
		login(line);
		login("u0");
	}
	ck_assert(answering_ask(&answering, "", 0));
	for (const char *at = answering.bytes; (at = strchr(at, '\n')); at++)
		users++;
	ck_assert_uint_eq(users, 1024);
	ck_assert_ptr_nonnull(strstr(answering.bytes, "\nu1023\r\n"));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("users");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, once_and_in_order);
	tcase_add_test(tcase, longest_name);
	tcase_add_test(tcase, names_that_do_not_print);
	tcase_add_test(tcase, nobody);
	tcase_add_test(tcase, never_splits_a_user);
	tcase_add_test(tcase, damaged_list);
	tcase_add_test(tcase, not_a_file);
	tcase_add_test(tcase, crowd);
	return suite_finish("users", tcase);
}
