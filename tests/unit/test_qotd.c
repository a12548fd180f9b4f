/* SPDX-License-Identifier: ISC */
/*
 * RFC 865: less than 512 characters, on the wire and with both bytes of each line end; printing
 * ASCII and line ends; cut only when nothing fits, and then at a line end.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers/catalog.h"
#include "handlers/handler.h"
#include "handlers/plain.h"
#include "answering.h"
#include "talk.h"
#include "suite.h"

static char directory[] = "/tmp/begat-test-XXXXXX", path[64], index_path[64];
static struct begat_value value = { .name = "database", .string = path };
static struct answering answering;
static char heard[65536];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/quotes", directory);
	snprintf(index_path, sizeof(index_path), "%s/quotes.dat", directory);
	answering = (struct answering){
		.handler = &qotd_handler, .values = &value, .nvalues = 1, .room = 512
	};
}

static void teardown(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	ck_assert_int_eq(system(command), 0);
}

static void put_file(const char *name, const void *bytes, size_t length)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void put(const char *text)
{
	put_file(path, text, strlen(text));
}

static size_t serve(int status)
{
	const struct session_settings settings = { .crlf = true, .values = &value, .nvalues = 1 };
	struct talk talk = talk_start(&qotd_handler, &settings);
	const size_t length = talk_hear(&talk, heard, sizeof(heard));

	ck_assert_int_eq(talk_end(&talk), status << 8);
	return length;
}

static void expect(const char *expected)
{
	ck_assert(answering_ask(&answering, "", 0));
	ck_assert_str_eq(answering.bytes, expected);
}

static void expect_both(const char *expected)
{
	expect(expected);
	serve(0);
	ck_assert_str_eq(heard, expected);
}

START_TEST(line_ends)
{
	put("one\ntwo\n%\n");
	expect_both("one\r\ntwo\r\n");
	put("one\r\ntwo");
	expect_both("one\r\ntwo\r\n");
}
END_TEST

START_TEST(plain)
{
	ck_assert_uint_eq(plain_length("a\n", 2), 3);
	ck_assert_uint_eq(plain_length("a", 1), 3);
	ck_assert_uint_eq(plain_length("a\r\n", 3), 3);
	ck_assert_uint_eq(plain_length("a\n\nb\n", 5), 8);
	ck_assert_uint_eq(plain_length("\ta\n", 3), 11);
	ck_assert_uint_eq(plain_length("1234567\ta\n", 10), 11);
	ck_assert_uint_eq(plain_length("12345678\ta\n", 11), 19);
	ck_assert_uint_eq(plain_length(" ~\n", 3), 4);
	ck_assert_uint_eq(plain_length("", 0), 0);
	ck_assert_uint_eq(plain_length("\x7f\n", 2), 0);
	ck_assert_uint_eq(plain_length("a\rb\n", 4), 0);
	ck_assert_uint_eq(plain_length("a\0b\n", 4), 0);
	ck_assert_uint_eq(plain_length("_\bA\n", 4), 0);
	ck_assert_uint_eq(plain_length("\xc3\xa4\n", 3), 0);
	ck_assert_uint_eq(plain_length("good\n\x80\n", 7), 0);
}
END_TEST

START_TEST(tabs)
{
	put("Quote\n\t\t-- 1234567\tX\n");
	expect_both("Quote\r\n                -- 1234567      X\r\n");
}
END_TEST

/* Those with other bytes are passed over, also when they are shorter. */
START_TEST(ascii_only)
{
	put("caf\xc3\xa9\n%\nplain\n%\n\x1b[31mred\n%\nna\xefve\n%\nover_\bstruck\n%\n");
	for (int i = 0; i < 20; i++)
		expect_both("plain\r\n");
	put("\xc3\xa4\n%\n\xc3\xb6\n");
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(serve(1), 0);
}
END_TEST

/* 509 bytes and one line end are 511: less than 512.  One more is not. */
START_TEST(limit)
{
	static char text[1024];

	memset(text, 'x', 509);
	strcpy(text + 509, "\n%\n");
	put(text);
	ck_assert_uint_eq(serve(0), 511);
	ck_assert(answering_ask(&answering, "", 0));
	ck_assert_uint_eq(answering.length, 511);
	text[509] = 'x';
	strcpy(text + 510, "\n%\n");
	put(text);
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(serve(1), 0);
}
END_TEST

/* Line ends count twice: 170 lines of one letter are 340 bytes in the file and 510 on the wire. */
START_TEST(limit_counts_line_ends)
{
	static char text[4096];

	for (int i = 0; i < 170; i++)
		strcat(text, "x\n");
	put(text);
	ck_assert_uint_eq(serve(0), 510);
	strcat(text, "x\n%\nshort\n");
	put(text);
	for (int i = 0; i < 20; i++)
		expect_both("short\r\n");
}
END_TEST

/* Nothing fits: as many lines as do. */
START_TEST(cut_at_a_line_end)
{
	static char text[4096];

	for (int i = 0; i < 30; i++)
		strcat(text, "a line of twenty bytes\n");
	put(text);
	ck_assert_uint_eq(serve(0), 21 * 24);
	ck_assert_str_eq(heard + 20 * 24, "a line of twenty bytes\r\n");
	answering.room = 84;
	ck_assert(answering_ask(&answering, "", 0));
	ck_assert_uint_eq(answering.length, 3 * 24);
	answering.room = 23;
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(answering.length, 0);
	ck_assert(!answering.whole);
}
END_TEST

/* What fits comes before what would have to be cut, and each that fits is as likely. */
START_TEST(room)
{
	int count[2] = { 0, 0 };

	put("one\n%\nlonger\nthan that\n%\nsix\n%\n");
	answering.room = 10;
	for (int i = 0; i < 2000; i++) {
		ck_assert(answering_ask(&answering, "", 0));
		ck_assert_uint_eq(answering.length, 5);
		count[answering.bytes[0] == 'o']++;
	}
	ck_assert_int_gt(count[0], 800);
	ck_assert_int_gt(count[1], 800);
}
END_TEST

static void wait_a_tick(void)
{
	usleep(20000); /* timestamps of files are as coarse as that */
}

/* Read once, and again when it has changed, in any of the ways in which files are. */
START_TEST(changes)
{
	char other[80];

	put("one\n");
	expect("one\r\n");
	expect("one\r\n");
	wait_a_tick();
	put("two\n");
	expect("two\r\n");
	snprintf(other, sizeof(other), "%s/new", directory);
	put_file(other, "six\n", 4);
	ck_assert_int_eq(rename(other, path), 0);
	expect("six\r\n");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(!answering_ask(&answering, "", 0));
	put("back\n");
	expect("back\r\n");
}
END_TEST

/* What the index says of the text is believed as soon as it is there: these letters are rotated. */
START_TEST(index_that_comes_later)
{
	static const unsigned char index[] = { 0, 0, 0, 1, 0,	0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 6,
					       0, 0, 0, 4, '%', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6 };

	put("uryyb\n");
	expect("uryyb\r\n");
	wait_a_tick();
	put_file(index_path, index, sizeof(index));
	expect_both("hello\r\n");
	ck_assert_int_eq(unlink(index_path), 0);
	expect("uryyb\r\n");
}
END_TEST

/* The text changes between the look at it and the read: no answer is better than another's half. */
START_TEST(changes_meanwhile)
{
	static struct catalog catalog;
	char quote[STRFILE_QUOTE_MAX];

	put("first\n%\nsecond\n");
	ck_assert_int_eq(catalog_update(&catalog, path), 0);
	ck_assert_uint_eq(catalog.count, 2);
	put("a");
	for (int i = 0; i < 20; i++)
		ck_assert_uint_eq(catalog_pick(&catalog, 511, quote), 0);
	catalog_close(&catalog);
	catalog_close(&catalog);
}
END_TEST

/* More quotations than the catalog has places: each can still come, and nothing is written over. */
START_TEST(large_database)
{
	static struct catalog catalog;
	FILE *file = fopen(path, "w");
	char quote[STRFILE_QUOTE_MAX];
	int late = 0;

	for (int i = 0; i < 4 * CATALOG_MAX; i++)
		fprintf(file, "%d\n%%\n", i);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(catalog_update(&catalog, path), 0);
	ck_assert_uint_eq(catalog.seen, 4 * CATALOG_MAX);
	ck_assert_uint_eq(catalog.count, CATALOG_MAX);
	for (int i = 0; i < 1000; i++) {
		ck_assert_uint_gt(catalog_pick(&catalog, 511, quote), 0);
		late += atoi(quote) >= 2 * CATALOG_MAX;
	}
	ck_assert_int_gt(late, 350);
	ck_assert_int_lt(late, 650);
	catalog_close(&catalog);
}
END_TEST

START_TEST(no_database)
{
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(serve(1), 0);
	put("");
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(serve(1), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert(!answering_ask(&answering, "", 0));
	ck_assert_uint_eq(serve(1), 0);
}
END_TEST

static void add_quotes(TCase *tcase)
{
	tcase_add_test(tcase, line_ends);
	tcase_add_test(tcase, plain);
	tcase_add_test(tcase, tabs);
	tcase_add_test(tcase, ascii_only);
	tcase_add_test(tcase, limit);
	tcase_add_test(tcase, limit_counts_line_ends);
	tcase_add_test(tcase, cut_at_a_line_end);
	tcase_add_test(tcase, room);
}

static void add_databases(TCase *tcase)
{
	tcase_add_test(tcase, changes);
	tcase_add_test(tcase, index_that_comes_later);
	tcase_add_test(tcase, changes_meanwhile);
	tcase_add_test(tcase, large_database);
	tcase_add_test(tcase, no_database);
}

int main(void)
{
	TCase *tcase = tcase_create("qotd");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	add_quotes(tcase);
	add_databases(tcase);
	return suite_finish("qotd", tcase);
}
