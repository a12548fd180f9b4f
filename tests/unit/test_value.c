/* SPDX-License-Identifier: ISC */
/* Values of the configuration: begat.conf(5), "Values". */
#include "config.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/nearest.h"
#include "base/clock.h"
#include "config/value.h"
#include "folder.h"
#include "suite.h"

static char why[VALUE_WHY];

static long long number_of(const char *text)
{
	long long number = -77;

	ck_assert_msg(value_parse_number(text, -100, 1000000, &number, why) == 0, "%s", why);
	return number;
}

static void check_number_error(const char *text, const char *expected)
{
	long long number;

	ck_assert_int_eq(value_parse_number(text, 1, 1000000, &number, why), -1);
	ck_assert_str_eq(why, expected);
}

/* libconfuse: "010" is eight, and -1 passes for a count. */
START_TEST(numbers)
{
	long long number;

	ck_assert_int_eq(number_of("0"), 0);
	ck_assert_int_eq(number_of("1"), 1);
	ck_assert_int_eq(number_of("-1"), -1);
	ck_assert_int_eq(number_of("1000000"), 1000000);
	check_number_error("0", "0 is not between 1 and 1000000");
	check_number_error("-1", "-1 is not between 1 and 1000000");
	check_number_error("1000001", "1000001 is not between 1 and 1000000");
	check_number_error("99999999999999999999",
			   "99999999999999999999 is not between 1 and 1000000");
	check_number_error("010", "010 begins with a zero: numbers are decimal, write it without");
	check_number_error("-010",
			   "-010 begins with a zero: numbers are decimal, write it without");
	check_number_error("0x10", "\"0x10\" is not a decimal number");
	check_number_error("", "\"\" is not a decimal number");
	check_number_error("-", "\"-\" is not a decimal number");
	check_number_error("+1", "\"+1\" is not a decimal number");
	check_number_error(" 1", "\" 1\" is not a decimal number");
	check_number_error("1 ", "\"1 \" is not a decimal number");
	check_number_error("1e3", "\"1e3\" is not a decimal number");
	ck_assert_int_eq(value_parse_number("9223372036854775807", 0, LLONG_MAX, &number, why), 0);
	ck_assert(number == LLONG_MAX);
}
END_TEST

static long long size_of(const char *text)
{
	long long bytes = -77;

	ck_assert_msg(value_parse_size(text, 0, LLONG_MAX, &bytes, why) == 0, "%s", why);
	return bytes;
}

static void check_size_error(const char *text, const char *expected)
{
	long long bytes;

	ck_assert_int_eq(value_parse_size(text, 1, 1 << 20, &bytes, why), -1);
	ck_assert_str_eq(why, expected);
}

START_TEST(sizes)
{
	ck_assert_int_eq(size_of("0"), 0);
	ck_assert_int_eq(size_of("512"), 512);
	ck_assert_int_eq(size_of("64k"), 65536);
	ck_assert_int_eq(size_of("64K"), 65536);
	ck_assert_int_eq(size_of("1m"), 1048576);
	ck_assert_int_eq(size_of("2g"), 2147483648LL);
	check_size_error("0", "0 is not between 1 and 1m");
	check_size_error("1025k", "1025k is not between 1 and 1m");
	check_size_error("99999999999g", "99999999999g is not between 1 and 1m");
	check_size_error("99999999999999999999", "99999999999999999999 is not between 1 and 1m");
	check_size_error("99999999999999999999k", "99999999999999999999k is not between 1 and 1m");
	check_size_error("64kb", "\"64kb\" is not a size such as 512, 64k or 1m");
	check_size_error("64x", "\"64x\" is not a size such as 512, 64k or 1m");
	check_size_error("k", "\"k\" is not a size such as 512, 64k or 1m");
	check_size_error("-1", "\"-1\" is not a size such as 512, 64k or 1m");
	check_size_error("010", "\"010\" is not a size such as 512, 64k or 1m");
	check_size_error("", "\"\" is not a size such as 512, 64k or 1m");
}
END_TEST

static void check_duration(const char *text, long long expected, const char *canonical)
{
	char formatted[VALUE_TEXT];
	long long ms = -77;

	ck_assert_msg(value_parse_duration(text, 0, LLONG_MAX, &ms, why) == 0, "%s: %s", text, why);
	ck_assert_int_eq(ms, expected);
	clock_format_duration(ms, formatted);
	ck_assert_str_eq(formatted, canonical);
	ck_assert_int_eq(value_parse_duration(formatted, 0, LLONG_MAX, &ms, why), 0);
	ck_assert_int_eq(ms, expected);
}

static void check_duration_error(const char *text, const char *expected)
{
	long long ms;

	ck_assert_int_eq(value_parse_duration(text, 1000, 3600000, &ms, why), -1);
	ck_assert_str_eq(why, expected);
}

START_TEST(durations)
{
	check_duration("0", 0, "0");
	check_duration("0s", 0, "0");
	check_duration("500ms", 500, "500ms");
	check_duration("30s", 30000, "30s");
	check_duration("90s", 90000, "1m30s");
	check_duration("5m", 300000, "5m");
	check_duration("1h30m", 5400000, "1h30m");
	check_duration("2d", 172800000, "48h");
	check_duration("1d2h3m4s5ms", 93784005, "26h3m4s5ms");
	check_duration_error("0", "0 is not between 1s and 1h");
	check_duration_error("999ms", "999ms is not between 1s and 1h");
	check_duration_error("61m", "61m is not between 1s and 1h");
	check_duration_error("99999999999999999999s",
			     "99999999999999999999s is not between 1s and 1h");
	check_duration_error("9223372036854775807d",
			     "9223372036854775807d is not between 1s and 1h");
	check_duration_error("5", "5 has no unit: write 5s, or ms, m, h, d");
	check_duration_error("1m1h", "\"1m1h\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("1s1s", "\"1s1s\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("1h30", "\"1h30\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("1 h", "\"1 h\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("-1s", "\"-1s\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("010s", "\"010s\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("1.5h", "\"1.5h\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("", "\"\" is not a duration such as 500ms, 30s or 1h30m");
	check_duration_error("s", "\"s\" is not a duration such as 500ms, 30s or 1h30m");
}
END_TEST

START_TEST(booleans)
{
	static const char *const on[] = { "true", "yes", "on", "TRUE", "Yes" };
	static const char *const off[] = { "false", "no", "off", "No" };
	static const char *const neither[] = { "", "1", "0", "y", "t", "true ", "enabled" };
	bool yes;

	for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		ck_assert(value_parse_bool(on[i], &yes, why) == 0 && yes);
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		ck_assert(value_parse_bool(off[i], &yes, why) == 0 && !yes);
	for (size_t i = 0; i < sizeof(neither) / sizeof(neither[0]); i++)
		ck_assert_int_eq(value_parse_bool(neither[i], &yes, why), -1);
}
END_TEST

START_TEST(modes)
{
	static const char *const wrong[] = { "",     "0",  "22",  "00022", "1777",
					     "0888", "rw", "-22", "0x1" };
	mode_t mode;

	ck_assert(value_parse_mode("0660", &mode, why) == 0 && mode == 0660);
	ck_assert(value_parse_mode("022", &mode, why) == 0 && mode == 022);
	ck_assert(value_parse_mode("777", &mode, why) == 0 && mode == 0777);
	ck_assert(value_parse_mode("000", &mode, why) == 0 && mode == 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(value_parse_mode(wrong[i], &mode, why) == -1, "%s", wrong[i]);
}
END_TEST

START_TEST(names_of_things)
{
	ck_assert_int_eq(value_check_name("a", why), 0);
	ck_assert_int_eq(value_check_name("A-z_0.9", why), 0);
	ck_assert_int_eq(value_check_name("12345678901234567890123456789012", why), 0);
	ck_assert_int_eq(value_check_name("123456789012345678901234567890123", why), -1);
	ck_assert_int_eq(value_check_name("", why), -1);
	ck_assert_int_eq(value_check_name("a b", why), -1);
	ck_assert_int_eq(value_check_name("a/b", why), -1);
	ck_assert_int_eq(value_check_name("\303\244", why), -1);
	ck_assert_int_eq(value_check_variable("A_1", why), 0);
	ck_assert_int_eq(value_check_variable("1A", why), -1);
	ck_assert_int_eq(value_check_variable("A=", why), -1);
	ck_assert_int_eq(value_check_variable("", why), -1);
	ck_assert_int_eq(value_check_assignment("A=", why), 0);
	ck_assert_int_eq(value_check_assignment("A=b=c d", why), 0);
	ck_assert_int_eq(value_check_assignment("A", why), -1);
	ck_assert_int_eq(value_check_assignment("=b", why), -1);
	ck_assert_int_eq(value_check_assignment("A-B=c", why), -1);
}
END_TEST

static void check_rate(const char *text, unsigned expected, int64_t expected_ms,
		       const char *canonical)
{
	char formatted[VALUE_TEXT];
	int64_t period_ms;
	unsigned count;

	ck_assert_msg(value_parse_rate(text, &count, &period_ms, why) == 0, "%s", why);
	ck_assert_uint_eq(count, expected);
	ck_assert_int_eq(period_ms, expected_ms);
	value_format_rate(count, period_ms, formatted);
	ck_assert_str_eq(formatted, canonical);
	ck_assert_int_eq(value_parse_rate(formatted, &count, &period_ms, why), 0);
	ck_assert(count == expected && period_ms == expected_ms);
}

static void check_rate_error(const char *text, const char *expected)
{
	int64_t period_ms;
	unsigned count;

	ck_assert_int_eq(value_parse_rate(text, &count, &period_ms, why), -1);
	ck_assert_str_eq(why, expected);
}

START_TEST(rates)
{
	check_rate("50/10s", 50, 10000, "50/10s");
	check_rate("50/s", 50, 1000, "50/1s");
	check_rate("20/1m", 20, 60000, "20/1m");
	check_rate("20/m", 20, 60000, "20/1m");
	check_rate("1/ms", 1, 1, "1/1ms");
	check_rate("1000000/1ms", 1000000, 1, "1000000/1ms");
	check_rate("1000000/1d", 1000000, 86400000, "1000000/24h");
	check_rate("1/23h59m59s999ms", 1, 86399999, "1/23h59m59s999ms");
	check_rate_error("", "\"\" is not a rate such as 50/10s or 50/s");
	check_rate_error("50", "\"50\" is not a rate such as 50/10s or 50/s");
	check_rate_error("/s", "\"/s\" is not a rate such as 50/10s or 50/s");
	check_rate_error("-1/s", "\"-1/s\" is not a rate such as 50/10s or 50/s");
	check_rate_error("s/50", "\"s/50\" is not a rate such as 50/10s or 50/s");
	check_rate_error("50 /s", "\"50 /s\": \"50 \" is not a decimal number");
	check_rate_error("50/ s",
			 "\"50/ s\": \" s\" is not a duration such as 500ms, 30s or 1h30m");
	check_rate_error("50/s/s",
			 "\"50/s/s\": \"1s/s\" is not a duration such as 500ms, 30s or 1h30m");
	check_rate_error("0/s", "\"0/s\": 0 is not between 1 and 1000000");
	check_rate_error("1000001/s", "\"1000001/s\": 1000001 is not between 1 and 1000000");
	check_rate_error("050/s",
			 "\"050/s\": 050 begins with a zero: numbers are decimal, write it "
			 "without");
	check_rate_error("1/0", "\"1/0\": 0 is not between 1ms and 24h");
	check_rate_error("1/0s", "\"1/0s\": 0s is not between 1ms and 24h");
	check_rate_error("1/1d1ms", "\"1/1d1ms\": 1d1ms is not between 1ms and 24h");
	check_rate_error("1/10", "\"1/10\": 10 has no unit: write 10s, or ms, m, h, d");
}
END_TEST

START_TEST(banners)
{
	char text[1002];

	ck_assert_int_eq(value_check_banner("%h %n %p %s %t %%", why), 0);
	ck_assert_int_eq(value_check_banner("", why), 0);
	ck_assert_int_eq(value_check_banner("%", why), -1);
	ck_assert_int_eq(value_check_banner("%%%", why), -1);
	ck_assert_int_eq(value_check_banner("%H", why), -1);
	ck_assert_int_eq(value_check_banner("%N", why), -1);
	ck_assert_int_eq(value_check_banner("%%%q", why), -1);
	memset(text, 'x', sizeof(text));
	text[1000] = '\0';
	ck_assert_int_eq(value_check_banner(text, why), 0);
	text[1000] = 'x';
	text[1001] = '\0';
	ck_assert_int_eq(value_check_banner(text, why), -1);
	ck_assert_str_eq(why, "1001 bytes are more than 1000");
}
END_TEST

/* Who has no %n is not looked up: "%%n" is a sign and a letter. */
START_TEST(fields_of_banners)
{
	ck_assert(value_has_field("%n", 'n'));
	ck_assert(value_has_field("Hello %h, %n", 'n'));
	ck_assert(value_has_field("%%%n", 'n'));
	ck_assert(value_has_field("%%n %h%n", 'n'));
	ck_assert(!value_has_field("", 'n'));
	ck_assert(!value_has_field("n", 'n'));
	ck_assert(!value_has_field("%h n %s", 'n'));
	ck_assert(!value_has_field("%%n", 'n'));
	ck_assert(!value_has_field("100%%named", 'n'));
	ck_assert(!value_has_field("%n", 'h'));
}
END_TEST

static void check_program_error(const char *path, const char *expected)
{
	ck_assert_int_eq(value_check_program(NULL, path, why), -1);
	ck_assert_str_eq(why, expected);
}

START_TEST(programs)
{
	ck_assert_int_eq(value_check_program(NULL, "/bin/sh", why), 0);
	check_program_error("/no/such", "/no/such: No such file or directory");
	check_program_error("/etc", "/etc: not a regular file");
	check_program_error("/etc/passwd", "/etc/passwd: not executable");
	check_program_error("sh", "\"sh\" is not an absolute path");
	check_program_error("", "\"\" is not an absolute path");
}
END_TEST

/* A link within a chroot leads to what is within it, as it does for the worker.  (With the two
 * paths put together it would lead to the host's files.) */
START_TEST(programs_in_a_root)
{
	char *expected;

	enter_directory();
	ck_assert_int_eq(mkdir("bin", 0755) + mkdir("etc", 0755), 0);
	write_file("bin/program", "");
	ck_assert_int_eq(chmod("bin/program", 0755), 0);
	ck_assert_int_eq(symlink("/bin/program", "bin/link"), 0);
	ck_assert_int_eq(symlink("../../../../../bin/sh", "bin/escape"), 0);
	ck_assert_int_eq(symlink("/etc", "folder"), 0);
	ck_assert_int_eq(value_check_program(directory, "/bin/program", why), 0);
	ck_assert_int_eq(value_check_program(directory, "/bin/link", why), 0);
	ck_assert_int_eq(value_check_program(directory, "/../bin/link", why), 0);
	ck_assert_int_eq(value_check_program(directory, "/bin/escape", why), -1);
	expected = xasprintf("/bin/escape in the chroot %s: No such file or directory", directory);
	ck_assert_str_eq(why, expected);
	free(expected);
	ck_assert_int_eq(value_check_program(directory, "/etc", why), -1);
	ck_assert_int_eq(value_check_directory(directory, "/folder", why), 0);
	ck_assert_int_eq(value_check_directory(directory, "/usr", why), -1);
	ck_assert_int_eq(value_check_directory(directory, "/bin/program", why), -1);
	ck_assert_int_eq(value_check_directory("/no/such/root", "/", why), -1);
	ck_assert_int_eq(value_check_directory(NULL, "/usr", why), 0);
	leave_directory();
}
END_TEST

static void check_plain(const char *text, const char *expected)
{
	char *path = NULL;

	if (expected == NULL) {
		ck_assert_int_eq(value_parse_path(text, &path, why), -1);
		return;
	}
	ck_assert_int_eq(value_parse_path(text, &path, why), 0);
	ck_assert_str_eq(path, expected);
	free(path);
}

/* "/usr" and "/usr//" are one path, and what is beneath another can be seen in its text. */
START_TEST(plain_paths)
{
	check_plain("/", "/");
	check_plain("///", "/");
	check_plain("/usr//", "/usr");
	check_plain("//a///b..c/.d/...", "/a/b..c/.d/...");
	check_plain("/..", NULL);
	check_plain("/.", NULL);
	check_plain("/a/../b", NULL);
	check_plain("/a/./b", NULL);
	check_plain("a", NULL);
	check_plain("", NULL);
}
END_TEST

static void check_words(const char *text, const char *canonical, size_t expected)
{
	char **words, **again, *formatted;
	size_t count = 0;

	ck_assert_msg(value_parse_words(text, &words, why) == 0, "%s", why);
	while (words[count])
		count++;
	ck_assert_uint_eq(count, expected);
	formatted = value_format_words(words);
	ck_assert_str_eq(formatted, canonical);
	ck_assert_int_eq(value_parse_words(formatted, &again, why), 0);
	for (size_t i = 0; i <= count; i++)
		ck_assert_pstr_eq(words[i], again[i]);
	strv_free(words);
	strv_free(again);
	free(formatted);
}

/* The words of a command, and the way back for begatd -T. */
START_TEST(word_lists)
{
	char **words;

	check_words("", "", 0);
	check_words(" \t ", "", 0);
	check_words("/bin/date -u", "/bin/date -u", 2);
	check_words("  a\t\tb  ", "a b", 2);
	check_words("a \"b c\" d", "a \"b c\" d", 3);
	check_words("a\"b c\"d", "\"ab cd\"", 1);
	check_words("\"\" x", "\"\" x", 2);
	check_words("\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\"", 1);
	check_words("a\\b 'c d'", "a\\b 'c d'", 3);
	check_words("\"two\nlines\"", "\"two\nlines\"", 1);
	ck_assert_int_eq(value_parse_words("a \"b", &words, why), -1);
}
END_TEST

static void check_nearest(const char *wanted, const char *expected)
{
	static const char *const names[] = { "daytime", "time", "echo", "instances", "user" };
	struct nearest nearest = { .wanted = wanted };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		nearest_offer(&nearest, names[i]);
	ck_assert_pstr_eq(nearest.name, expected);
}

START_TEST(suggestions)
{
	char text[NEAREST_SUFFIX], long_name[2000];

	check_nearest("daytine", "daytime");
	check_nearest("tim", "time");
	check_nearest("usr", "user");
	check_nearest("instance", "instances");
	check_nearest("zzzzzz", NULL);
	check_nearest("", NULL);
	check_nearest("x", NULL);
	memset(long_name, 'x', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	check_nearest(long_name, NULL);
	nearest_format(&(struct nearest){ .wanted = "tim", .name = "time" }, text);
	ck_assert_str_eq(text, "; did you mean \"time\"?");
}
END_TEST

/* However long a text is, the reason stays within its room. */
START_TEST(long_texts)
{
	static const char *const words[] = { "one", "two", NULL };
	char text[5000];
	unsigned count;
	long long number;
	int64_t ms;
	mode_t mode;
	int place;
	bool yes;

	memset(text, '9', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(value_parse_number(text, 0, 1, &number, why), -1);
	ck_assert_int_eq(value_parse_size(text, 0, 1, &number, why), -1);
	ck_assert_int_eq(value_parse_duration(text, 0, 1, &number, why), -1);
	ck_assert_int_eq(value_parse_rate(text, &count, &ms, why), -1);
	text[1000] = '/';
	ck_assert_int_eq(value_parse_rate(text, &count, &ms, why), -1);
	ck_assert_int_eq(value_parse_bool(text, &yes, why), -1);
	ck_assert_int_eq(value_parse_mode(text, &mode, why), -1);
	ck_assert_int_eq(value_parse_word(text, words, &place, why), -1);
	ck_assert_int_eq(value_check_path(text, why), -1);
	text[0] = '/';
	ck_assert_int_eq(value_check_path(text, why), -1);
	ck_assert_int_eq(value_check_program(NULL, text, why), -1);
	ck_assert_int_eq(value_check_program("/", text, why), -1);
	ck_assert_uint_lt(strlen(why), VALUE_WHY);
}
END_TEST

SUITE("value", numbers, sizes, durations, booleans, modes, names_of_things, rates, banners,
      fields_of_banners, programs, programs_in_a_root, plain_paths, word_lists, suggestions,
      long_texts)
