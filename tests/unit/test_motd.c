/* SPDX-License-Identifier: ISC */
/* A file for every client: to the byte, in whole lines, and none of what is no such file. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "answering.h"
#include "talk.h"
#include "suite.h"

static char directory[] = "/tmp/begat-test-XXXXXX", path[64], errors[64];
static struct begat_value value = { .name = "file", .string = path };
static struct answering answering;
static char heard[1 << 18];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/motd", directory);
	snprintf(errors, sizeof(errors), "%s/errors", directory);
	answering = (struct answering){
		.handler = &motd_handler, .values = &value, .nvalues = 1, .room = 512
	};
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static void put(const char *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void put_text(const char *text)
{
	put(text, strlen(text));
}

static size_t serve(int status)
{
	const struct session_settings settings = { .crlf = true, .values = &value, .nvalues = 1 };
	struct talk talk = talk_start(&motd_handler, &settings);
	const size_t length = talk_hear(&talk, heard, sizeof(heard));

	ck_assert_int_eq(talk_end(&talk), status << 8);
	return length;
}

static void expect_both(const char *text, const char *expected)
{
	put_text(text);
	serve(0);
	ck_assert_str_eq(heard, expected);
	ck_assert(answering_ask(&answering, "", 0));
	ck_assert_str_eq(answering.bytes, expected);
}

START_TEST(text)
{
	expect_both("one\ntwo\n", "one\r\ntwo\r\n");
	expect_both("one\r\n\n\ntwo", "one\r\n\r\n\r\ntwo\r\n");
	expect_both("x", "x\r\n");
	expect_both("\n", "\r\n");
	expect_both("", "");
}
END_TEST

/* Lines that chunks cut, lines that are longer than one, and the size that is the limit. */
START_TEST(large)
{
	static char bytes[65536], expected[2 * sizeof(bytes)];
	size_t length = 0;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		const size_t every = i < 20000 ? 73 : i < 50000 ? 9001 : 1;

		bytes[i] = i % every == every - 1 ? '\n' : 'a' + i % 26;
		if (bytes[i] == '\n')
			expected[length++] = '\r';
		expected[length++] = bytes[i];
	}
	put(bytes, sizeof(bytes));
	ck_assert_uint_eq(serve(0), length);
	ck_assert_mem_eq(heard, expected, length);
	answering.room = SIZE_MAX;
	ck_assert_uint_gt(length, SESSION_ANSWER);
	answering.room = SESSION_ANSWER;
	ck_assert(answering_ask(&answering, "", 0));
	ck_assert(!answering.whole);
	ck_assert_mem_eq(answering.bytes, expected, answering.length);
	ck_assert_uint_gt(answering.length, SESSION_ANSWER - 100);
}
END_TEST

/* A datagram gets whole lines. */
START_TEST(little_room)
{
	put_text("one\nthree\nx\n");
	for (answering.room = 0; answering.room < 20; answering.room++) {
		ck_assert(answering_ask(&answering, "", 0));
		ck_assert_str_eq(answering.bytes, answering.room < 5	? ""
						  : answering.room < 12 ? "one\r\n"
						  : answering.room < 15 ? "one\r\nthree\r\n"
									: "one\r\nthree\r\nx\r\n");
		ck_assert_int_eq(answering.whole, answering.room >= 15);
	}
}
END_TEST

/* Also where a line lies across two reads of the file. */
START_TEST(whole_lines_anywhere)
{
	static char bytes[16384];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 73 == 72 ? '\n' : 'x';
	put(bytes, sizeof(bytes));
	for (answering.room = 4000; answering.room < 4400; answering.room++) {
		ck_assert(answering_ask(&answering, "", 0));
		ck_assert_uint_eq(answering.length, answering.room / 74 * 74);
	}
}
END_TEST

static void expect_refused(const char *why)
{
	char expected[256], said[1024] = "";
	int saved = dup(2), fd = open(errors, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(dup2(fd, 2), 0);
	ck_assert_uint_eq(serve(1), 0);
	ck_assert_int_ge(dup2(saved, 2), 0);
	ck_assert_int_ge(pread(fd, said, sizeof(said) - 1, 0), 0);
	snprintf(expected, sizeof(expected), "motd: %s: %s\n", path, why);
	ck_assert_str_eq(said, expected);
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(answering.length, 0);
	close(saved);
	close(fd);
}

/* F-anything that stands where a file is expected: refused, and never waited for. */
START_TEST(no_such_file)
{
	static char bytes[65537];

	expect_refused("No such file or directory");
	ck_assert_int_eq(mkdir(path, 0700), 0);
	expect_refused("Is a directory");
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_refused("Invalid argument");
	ck_assert_int_eq(unlink(path), 0);
	put(bytes, sizeof(bytes));
	expect_refused("File too large");
}
END_TEST

/* A thousand clients of one standing worker are no thousand lines in the log. */
START_TEST(complains_once)
{
	char said[1024] = "";
	int saved = dup(2), fd = open(errors, O_RDWR | O_CREAT | O_TRUNC, 0600), lines = 0;

	ck_assert_int_ge(dup2(fd, 2), 0);
	for (int i = 0; i < 100; i++)
		ck_assert(!answering_ask(&answering, "", 0));
	put_text("here\n");
	ck_assert(answering_ask(&answering, "", 0));
	unlink(path);
	for (int i = 0; i < 100; i++)
		ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_int_ge(dup2(saved, 2), 0);
	ck_assert_int_ge(pread(fd, said, sizeof(said) - 1, 0), 0);
	for (const char *at = said; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_int_eq(lines, 2);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("motd");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, text);
	tcase_add_test(tcase, large);
	tcase_add_test(tcase, little_room);
	tcase_add_test(tcase, whole_lines_anywhere);
	tcase_add_test(tcase, no_such_file);
	tcase_add_test(tcase, complains_once);
	return suite_finish("motd", tcase);
}
