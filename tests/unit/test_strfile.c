/* SPDX-License-Identifier: ISC */
/*
 * Databases of quotations: with an index of either version, without one, and with an index that is
 * damaged in every way we could think of: then the text is searched, and nothing is read that is
 * not there.
 */
#include "config.h"

#include "handlers/strfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handlers/fortune.h"
#include "handlers/handler.h"
#include "talk.h"
#include "suite.h"

#define TEXT   "one\n%\ntwo\nlines\n%\nthree\n%\n"
#define QUOTES 3

static const unsigned offsets[] = { 0, 6, 18, 26 };
static char directory[] = "/tmp/begat-test-XXXXXX", text_path[64], index_path[64];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(text_path, sizeof(text_path), "%s/quotes", directory);
	snprintf(index_path, sizeof(index_path), "%s/quotes.dat", directory);
}

static void teardown(void)
{
	if (!text_path[0])
		snprintf(text_path, sizeof(text_path), "%s/quotes", directory);
	unlink(text_path);
	rmdir(text_path);
	unlink(index_path);
	rmdir(directory);
}

static void put_file(const char *path, const void *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void put_text(const char *text)
{
	put_file(text_path, text, strlen(text));
}

static void put_number(unsigned char *at, unsigned number)
{
	at[0] = number >> 24;
	at[1] = number >> 16;
	at[2] = number >> 8;
	at[3] = number;
}

struct index {
	unsigned char bytes[24 + 4 * 64];
	size_t size;
};

static void index_init(struct index *index, unsigned version, unsigned flags)
{
	memset(index, 0, sizeof(*index));
	put_number(index->bytes, version);
	put_number(index->bytes + 4, QUOTES);
	put_number(index->bytes + 8, 9);
	put_number(index->bytes + 12, 3);
	put_number(index->bytes + 16, flags);
	index->bytes[20] = '%';
	for (size_t i = 0; i < QUOTES + 1; i++)
		put_number(index->bytes + 24 + 4 * i, offsets[i]);
	index->size = 24 + 4 * (QUOTES + 1);
}

static void put_index(const struct index *index)
{
	put_file(index_path, index->bytes, index->size);
}

static void pick(size_t max, char quote[STRFILE_QUOTE_MAX + 1])
{
	struct strfile strfile;
	size_t length;

	ck_assert_int_eq(strfile_open(&strfile, text_path), 0);
	length = strfile_pick(&strfile, max, quote);
	ck_assert_uint_le(length, STRFILE_QUOTE_MAX);
	quote[length] = '\0';
	strfile_close(&strfile);
}

/* Each of the expected ones comes, and nothing else: 1 in 10^17 that 100 tries miss one of three.
 */
static void expect_all(size_t max, const char *const expected[])
{
	bool seen[8] = { false };
	char quote[STRFILE_QUOTE_MAX + 1];

	for (int tries = 0; tries < 100; tries++) {
		size_t i = 0;

		pick(max, quote);
		while (expected[i] && strcmp(expected[i], quote) != 0)
			i++;
		ck_assert_msg(expected[i], "unexpected: \"%s\"", quote);
		seen[i] = true;
	}
	for (size_t i = 0; expected[i]; i++)
		ck_assert_msg(seen[i], "never seen: \"%s\"", expected[i]);
}

static const char *const all[] = { "one\n", "two\nlines\n", "three\n", NULL };
static const char *const nothing[] = { "", NULL };

static bool is_index_used(void)
{
	struct strfile strfile;
	bool used;

	ck_assert_int_eq(strfile_open(&strfile, text_path), 0);
	used = strfile.index >= 0;
	strfile_close(&strfile);
	return used;
}

START_TEST(plain_text)
{
	put_text(TEXT);
	ck_assert(!is_index_used());
	expect_all(STRFILE_QUOTE_MAX, all);
}
END_TEST

START_TEST(plain_text_forms)
{
	static const char *const two[] = { "a\n", "b\n", NULL };
	static const char *const crlf[] = { "a\r\n", "b\r\n", NULL };
	static const char *const percent[] = { "100%\n%d\n%% b\n", NULL };

	put_text("a\n%\nb"); /* no last newline */
	expect_all(STRFILE_QUOTE_MAX, two);
	put_text("a\n%\nb\n%"); /* nor here */
	expect_all(STRFILE_QUOTE_MAX, two);
	put_text("%\n%\na\n%\n%\n%\nb\n%\n"); /* empty ones are none */
	expect_all(STRFILE_QUOTE_MAX, two);
	put_text("a\r\n%\r\nb\r\n");
	expect_all(STRFILE_QUOTE_MAX, crlf);
	put_text("100%\n%d\n%% b\n"); /* not delimiters */
	expect_all(STRFILE_QUOTE_MAX, percent);
}
END_TEST

START_TEST(no_quotations)
{
	put_text("");
	expect_all(STRFILE_QUOTE_MAX, nothing);
	put_text("%");
	expect_all(STRFILE_QUOTE_MAX, nothing);
	put_text("%\n%\n%\n");
	expect_all(STRFILE_QUOTE_MAX, nothing);
}
END_TEST

START_TEST(max_length)
{
	static const char *const shorter[] = { "one\n", "three\n", NULL };

	put_text(TEXT);
	expect_all(6, shorter);
	expect_all(3, nothing);
	expect_all(0, nothing);
}
END_TEST

START_TEST(max_length_with_index)
{
	static const char *const shorter[] = { "one\n", "three\n", NULL };
	struct index index;

	put_text(TEXT);
	index_init(&index, 2, 0);
	put_index(&index);
	ck_assert(is_index_used());
	expect_all(6, shorter);
	expect_all(3, nothing);
}
END_TEST

/* Longer than a reply may be: never picked, and never read into a buffer that is too small. */
START_TEST(long_quotation)
{
	static const char *const shorter[] = { "short\n", NULL };
	static char text[3 * STRFILE_QUOTE_MAX];
	char quote[STRFILE_QUOTE_MAX + 1];

	memset(text, 'x', sizeof(text) - 20);
	strcat(text, "\n%\nshort\n");
	put_text(text);
	expect_all(STRFILE_QUOTE_MAX, shorter);
	text[STRFILE_QUOTE_MAX - 1] = '\0';
	put_text(text); /* its newline makes it just fit */
	pick(STRFILE_QUOTE_MAX, quote);
	ck_assert_uint_eq(strlen(quote), STRFILE_QUOTE_MAX);
}
END_TEST

START_TEST(good_index)
{
	struct index index;

	put_text(TEXT);
	for (unsigned version = 1; version <= 2; version++) {
		index_init(&index, version, 0);
		put_index(&index);
		ck_assert(is_index_used());
		expect_all(STRFILE_QUOTE_MAX, all);
	}
}
END_TEST

/* strfile -r and -o sort the offsets; the one at the end stays. */
START_TEST(index_in_other_order)
{
	struct index index;

	put_text(TEXT);
	index_init(&index, 2, 1);
	put_number(index.bytes + 24, 18);
	put_number(index.bytes + 32, 0);
	put_index(&index);
	ck_assert(is_index_used());
	expect_all(STRFILE_QUOTE_MAX, all);
}
END_TEST

START_TEST(rotated)
{
	static const char *const plain[] = { "Hello, World! [1]\n", "abcmn nzop\n", NULL };
	struct index index;

	put_text("Uryyb, Jbeyq! [1]\n%\nnopza ambc\n");
	index_init(&index, 2, 4);
	put_number(index.bytes + 4, 2);
	put_number(index.bytes + 28, 20);
	put_number(index.bytes + 32, 31);
	index.size = 36;
	put_index(&index);
	ck_assert(is_index_used());
	expect_all(STRFILE_QUOTE_MAX, plain);
}
END_TEST

/* strfile -C: such lines are for the file's author. */
START_TEST(comments)
{
	struct index index;
	static const char *const two[] = { "a\nb\n", "c\n", NULL };

	put_text("%% by us\na\n%% more\nb\n%\nc\n");
	index_init(&index, 2, 8);
	put_number(index.bytes + 4, 2);
	put_number(index.bytes + 28, 23);
	put_number(index.bytes + 32, 25);
	index.size = 36;
	put_index(&index);
	ck_assert(is_index_used());
	expect_all(STRFILE_QUOTE_MAX, two);
}
END_TEST

START_TEST(other_delimiter)
{
	struct index index;
	static const char *const two[] = { "a\n%\n", "b\n", NULL };

	put_text("a\n%\n$\nb\n");
	index_init(&index, 1, 0);
	put_number(index.bytes + 4, 2);
	put_number(index.bytes + 28, 6);
	put_number(index.bytes + 32, 8);
	index.bytes[20] = '$';
	index.size = 36;
	put_index(&index);
	ck_assert(is_index_used());
	expect_all(STRFILE_QUOTE_MAX, two);
}
END_TEST

static void expect_refused(const struct index *index)
{
	put_index(index);
	ck_assert(!is_index_used());
	expect_all(STRFILE_QUOTE_MAX, all);
}

/* One wrong header after the other. */
START_TEST(damaged_header)
{
	struct index index;

	put_text(TEXT);
	for (size_t size = 0; size < 24 + 4 * (QUOTES + 1); size++) {
		index_init(&index, 2, 0);
		index.size = size;
		expect_refused(&index);
	}
	index_init(&index, 3, 0);
	expect_refused(&index);
	index_init(&index, 0x02000000, 0); /* the other end first */
	expect_refused(&index);
	index_init(&index, 2, 0);
	index.bytes[20] = '\0';
	expect_refused(&index);
	index.bytes[20] = '\n';
	expect_refused(&index);
}
END_TEST

START_TEST(wrong_count)
{
	static const unsigned counts[] = { 0,	       QUOTES - 1, QUOTES + 1, 0x3fffffff,
					   0x7fffffff, 0x40000003, 0x80000003, 0xffffffff };
	struct index index;

	put_text(TEXT);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		index_init(&index, 2, 0);
		put_number(index.bytes + 4, counts[i]);
		expect_refused(&index);
	}
	index.size = 24; /* what 2^32 - 1 and one more need in 32 bits */
	expect_refused(&index);
}
END_TEST

/* The header is right and an offset is not: found out when that quotation is picked. */
START_TEST(wrong_offsets)
{
	static const unsigned wrong[] = { 1, 2, 4, 5, 10, 16, 25, 26, 27, 0x7fffffff, 0xffffffff };
	struct index index;

	put_text(TEXT);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		index_init(&index, 2, 0);
		for (size_t j = 0; j < QUOTES; j++)
			put_number(index.bytes + 24 + 4 * j, wrong[i]);
		put_index(&index);
		expect_all(STRFILE_QUOTE_MAX, all);
	}
}
END_TEST

/* Somebody has added to the text and not run strfile(1). */
START_TEST(stale_index)
{
	static const char *const four[] = { "one\n", "two\nlines\n", "three\n", "four\n", NULL };
	struct index index;

	index_init(&index, 2, 0);
	put_index(&index);
	put_text(TEXT "four\n");
	ck_assert(!is_index_used());
	expect_all(STRFILE_QUOTE_MAX, four);
}
END_TEST

/* The text shrinks between open and pick: a mapping would be SIGBUS. */
START_TEST(text_truncated)
{
	char quote[STRFILE_QUOTE_MAX];
	struct strfile strfile;

	put_text(TEXT);
	ck_assert_int_eq(strfile_open(&strfile, text_path), 0);
	ck_assert_int_eq(truncate(text_path, 4), 0);
	ck_assert_uint_eq(strfile_pick(&strfile, 100, quote), 4);
	ck_assert_int_eq(truncate(text_path, 0), 0);
	ck_assert_uint_eq(strfile_pick(&strfile, 100, quote), 0);
	strfile_close(&strfile);
}
END_TEST

static void expect_error(int error)
{
	struct strfile strfile;

	errno = 0;
	ck_assert_int_eq(strfile_open(&strfile, text_path), -1);
	ck_assert_int_eq(errno, error);
}

START_TEST(not_a_database)
{
	expect_error(ENOENT);
	ck_assert_int_eq(mkfifo(text_path, 0600), 0);
	expect_error(EINVAL); /* at once: nobody writes to it */
	unlink(text_path);
	mkdir(text_path, 0700);
	expect_error(EISDIR);
	rmdir(text_path);
	put_text("");
	ck_assert_int_eq(truncate(text_path, STRFILE_TEXT_MAX + 1), 0);
	expect_error(EFBIG);
}
END_TEST

/* Over the whole range, not only its first part. */
START_TEST(fair_choice)
{
	int counts[4] = { 0 };
	char quote[STRFILE_QUOTE_MAX + 1];

	put_text("0\n%\n1\n%\n2\n%\n3\n");
	for (int i = 0; i < 2000; i++) {
		pick(100, quote);
		counts[quote[0] - '0']++;
	}
	for (int i = 0; i < 4; i++) /* 500, and eight standard deviations */
		ck_assert_int_le(abs(counts[i] - 500), 160);
}
END_TEST

static size_t serve(long long max, char *answer, size_t size, int *status)
{
	const struct begat_value values[] = {
		{ .name = "database", .string = text_path },
		{ .name = "max-length", .number = max },
	};
	const struct session_settings settings = { .crlf = true, .values = values, .nvalues = 2 };
	struct talk talk = talk_start(&fortune_handler, &settings);
	const size_t length = talk_hear(&talk, answer, size);

	*status = talk_end(&talk);
	return length;
}

START_TEST(handler)
{
	char answer[64];
	int status;

	put_text("two\nlines\n");
	ck_assert_uint_eq(serve(8192, answer, sizeof(answer), &status), 12);
	ck_assert_str_eq(answer, "two\r\nlines\r\n");
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(serve(5, answer, sizeof(answer), &status), 0);
	ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

/* Our own: short, plain, and whole. */
START_TEST(own_database)
{
	const char *source = getenv("SRCDIR");
	char quote[STRFILE_QUOTE_MAX + 1];

	snprintf(text_path, sizeof(text_path), "%s/etc/fortunes", source ? source : ".");
	for (int i = 0; i < 300; i++) {
		pick(399, quote);
		ck_assert_uint_gt(strlen(quote), 10);
		for (const char *at = quote; *at; at++)
			ck_assert(*at == '\n' || (*at >= ' ' && *at <= '~'));
	}
	text_path[0] = '\0';
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("strfile");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, plain_text);
	tcase_add_test(tcase, plain_text_forms);
	tcase_add_test(tcase, no_quotations);
	tcase_add_test(tcase, max_length);
	tcase_add_test(tcase, max_length_with_index);
	tcase_add_test(tcase, long_quotation);
	tcase_add_test(tcase, good_index);
	tcase_add_test(tcase, index_in_other_order);
	tcase_add_test(tcase, rotated);
	tcase_add_test(tcase, comments);
	tcase_add_test(tcase, other_delimiter);
	tcase_add_test(tcase, damaged_header);
	tcase_add_test(tcase, wrong_count);
	tcase_add_test(tcase, wrong_offsets);
	tcase_add_test(tcase, stale_index);
	tcase_add_test(tcase, text_truncated);
	tcase_add_test(tcase, not_a_database);
	tcase_add_test(tcase, fair_choice);
	tcase_add_test(tcase, handler);
	tcase_add_test(tcase, own_database);
	return suite_finish("strfile", tcase);
}
