/* SPDX-License-Identifier: ISC */
/* Configuration files: what may be read, and what libconfuse gets to see of it. */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/confile.h"
#include "config/schema.h"
#include "folder.h"
#include "suite.h"

static struct problem_list problems;

static void scrub(const char *text, struct scrubbed *scrubbed)
{
	int result = scrub_text(text, strlen(text), "f", scrubbed, &problems);

	ck_assert_msg(result == 0, "%s: %s", text, problems.count ? problems.items[0].text : "");
	ck_assert_uint_eq(problems.errors, 0);
}

static void check_scrub(const char *text, const char *expected)
{
	struct scrubbed scrubbed;

	scrub(text, &scrubbed);
	ck_assert_str_eq(scrubbed.text, expected);
	scrub_fini(&scrubbed);
}

/* Nothing but blanks and newlines is left of a comment: libconfuse counts one as three lines. */
START_TEST(comments_become_blanks)
{
	check_scrub("# a\nb = c # d\n", " \nb = c \n");
	check_scrub("// a\nb = c// d", " \nb = c// d");
	check_scrub("b = c // d", "b = c ");
	check_scrub("/* a\n * b */c = d\n", " \n c = d\n");
	check_scrub("a = /**/b", "a = b");
	check_scrub("a = /*/ x */b", "a = b");
	check_scrub("a = b#{", "a = b ");
	check_scrub("#\n", " \n"); /* CFGF_COMMENTS: a lone # is a null pointer */
	check_scrub("a = \"# // /* */\"", "a = \"# // /* */\"");
	check_scrub("a = '# // /* */'", "a = '# // /* */'");
	check_scrub("", "");
}
END_TEST

/* libconfuse says nothing about an empty list. */
START_TEST(empty_lists_are_marked)
{
	check_scrub("a = {}", "a = {'\001'}");
	check_scrub("a = { /* no */\n}", "a = { \n'\001'}");
	check_scrub("a = { b }", "a = { b }");
	check_scrub("s {}", "s {}");
	check_scrub("s t { a = {} }", "s t { a = {'\001'} }");
	check_scrub("f()", "f()");
}
END_TEST

START_TEST(sections_know_their_line)
{
	static const int expected[] = { 2, 2, 5, 8 };
	struct scrubbed scrubbed;

	scrub("a = {\n} s x {} s\ty {\n}\n\ns\n\n\nz { a = { b } } s\n 'w'\n{ }", &scrubbed);
	ck_assert_uint_eq(scrubbed.nlines, 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(scrubbed.lines[i], expected[i]);
	scrub_fini(&scrubbed);
}
END_TEST

static void check_refused(const char *text, int line, const char *expected)
{
	struct scrubbed scrubbed;

	ck_assert_msg(scrub_text(text, strlen(text), "f", &scrubbed, &problems) == -1, "%s", text);
	ck_assert_uint_ge(problems.count, 1);
	ck_assert_msg(strstr(problems.items[0].text, expected) != NULL, "%s: \"%s\"", text,
		      problems.items[0].text);
	ck_assert_int_eq(problems.items[0].at.line, line);
	ck_assert_str_eq(problems.items[0].at.file, "f");
	problem_fini(&problems);
	scrub_fini(&scrubbed);
}

/* Every fence of design 4.2 that stands before libconfuse, with the line. */
START_TEST(fences)
{
	check_refused("\n\ns x {\n a = b\n", 3, "never closed");
	check_refused("s x {\n a = {\n", 2, "never closed");
	check_refused("s x {\n a = b\n\ns y {\n}\n", 1,
		      "not closed before another section in line 4");
	check_refused("s x {\n a = { b\n c = d }", 2, "not closed before the next \"=\" in line 3");
	check_refused("a = { {", 1, "not closed before another \"{\"");
	check_refused("f(\n(", 1, "not closed before \"(\" in line 2");
	check_refused("\n}", 2, "\"}\" without \"{\"");
	check_refused("f(}", 1, "\"}\" without \"{\"");
	check_refused("s x { a = ) }", 1, "\")\" without \"(\"");
	check_refused("\na = \"b\nc\"", 2, "no closing \"");
	check_refused("\na = 'b\nc'", 2, "no closing '");
	check_refused("a = \"b\\\nc\"", 1, "escape");
	check_refused("a = \"b", 1, "no closing \"");
	check_refused("\n/* a\n\n", 2, "never closed by");
	check_refused("a = *", 1, "stray character \"*\"");
	check_refused("a = b*c", 1, "stray character \"*\"");
	check_refused("a = b/*c*/", 1, "stray character \"*\"");
	check_refused("a = b;", 1, "stray character \";\"");
	check_refused("a|b = c", 1, "stray character \"|\"");
	check_refused("a = \303\244", 1, "stray character \"\303\244\"");
	check_refused("a = $b", 1, "stray character \"$\"");
	check_refused("a = ${HOME}", 1, "not expanded from the environment");
	check_refused("a = \"${HOME}\"", 1, "not expanded from the environment");
	check_refused("a += b", 1, "\"+\" is not known");
	check_refused("\"a\" = b", 1, "keys have no quotes");
	check_refused("'s=x|a' = b", 1, "keys have no quotes");
	check_refused("s x {\n 'a' {} }", 2, "keys have no quotes");
	check_refused("a = b 'c'", 1, "keys have no quotes");
	check_refused("'' x {}", 1, "keys have no quotes");
	check_refused("a = { b c }", 1, "a comma is missing");
	check_refused("a = { , b }", 1, "nothing before this comma");
	check_refused("a = b\r\n", 1, "carriage return");
	check_refused("\n\f", 2, "control character \\x0c");
	check_refused("a = \"\001\"", 1, "control character");
	check_refused("a = \"\177\"", 1, "control character");
}
END_TEST

/* A NUL would cut a string or a title short; the byte 1 is what an empty list holds. */
START_TEST(escapes)
{
	static const char *const wrong[] = { "\\0",  "\\00",  "\\000", "\\1",	"\\x0",	 "\\x00",
					     "\\x1", "\\x01", "\\400", "\\777", "\\8",	 "\\09",
					     "\\x",  "\\xg",  "\\d",   "\\{",	"\\1011" };
	static const char *const right[] = { "\\n",   "\\\\",  "\\\"",	"\\'",	 "\\$",
					     "\\x41", "\\2",   "\\x4",	"\\101", "\\x41f",
					     "\\e",   "\\377", "\\101a" };
	char text[32];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "a = \"%s\"", wrong[i]);
		check_refused(text, 1, "escape");
	}
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(text, sizeof(text), "a = \"%s\"", right[i]);
		check_scrub(text, text);
	}
	check_scrub("a = '\\0\\x'", "a = '\\0\\x'");
	check_scrub("a = '${HOME}'", "a = '${HOME}'");
	check_scrub("a = \"\\${HOME}\"", "a = \"\\${HOME}\"");
}
END_TEST

START_TEST(nul_bytes)
{
	static const char text[] = "a = b\n# \0\n";
	struct scrubbed scrubbed;

	ck_assert_int_eq(scrub_text(text, sizeof(text) - 1, "f", &scrubbed, &problems), -1);
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_int_eq(problems.items[0].at.line, 2);
	scrub_fini(&scrubbed);
}
END_TEST

/* Noise ends: twenty messages from one file are enough. */
START_TEST(noise_is_bounded)
{
	struct scrubbed scrubbed;
	char text[5000];

	memset(text, '\n', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i += 2)
		text[i] = '*';
	ck_assert_int_eq(scrub_text(text, sizeof(text), "f", &scrubbed, &problems), -1);
	ck_assert_uint_eq(problems.count, 20);
	scrub_fini(&scrubbed);
}
END_TEST

/* What libconfuse makes of the scrubbed text. */

static struct schema_file read_schema(const char *text)
{
	struct schema_file file;
	struct scrubbed scrubbed;

	scrub(text, &scrubbed);
	schema_read("f", &scrubbed, &file, &problems);
	scrub_fini(&scrubbed);
	return file;
}

static void check_item(const struct setting *setting, size_t index, const char *text, int line)
{
	ck_assert_uint_lt(index, setting->count);
	ck_assert_str_eq(setting->items[index].text, text);
	ck_assert_int_eq(setting->items[index].line, line);
}

START_TEST(lines_of_values)
{
	struct schema_file file = read_schema("# one\n/* two\nthree */ user = a\n"
					      "service x {\n // five\n listen = { b, # six\n"
					      "  c\n,\n  d }\n groups = {}\n}\n\ndefaults {\n}\n");
	const struct setting *listen, *groups;

	ck_assert_uint_eq(problems.count, 0);
	check_item(&file.global.settings[KEY_USER], 0, "a", 3);
	ck_assert_uint_eq(file.nsections, 2);
	ck_assert_str_eq(file.sections[0]->title, "x");
	ck_assert_int_eq(file.sections[0]->origin.line, 4);
	listen = &file.sections[0]->settings[KEY_LISTEN];
	ck_assert_int_eq(listen->origin.line, 6);
	check_item(listen, 0, "b", 6);
	check_item(listen, 1, "c", 7);
	check_item(listen, 2, "d", 9);
	groups = &file.sections[0]->settings[KEY_GROUPS];
	ck_assert(section_has(file.sections[0], KEY_GROUPS) && groups->count == 0);
	ck_assert_int_eq(groups->origin.line, 10);
	ck_assert(!section_has(file.sections[0], KEY_EXEC));
	ck_assert(file.sections[1]->kind == SECTION_DEFAULTS);
	ck_assert_int_eq(file.sections[1]->origin.line, 13);
	schema_fini(&file);
}
END_TEST

START_TEST(strings_are_read_back)
{
	struct schema_file file = read_schema("service \"x\" { exec = { \"\\x41\\102\\n\\$\\\\\", "
					      "'${A}\\'\\\\\\n', a/b//c:1%2, '' } }");
	const struct setting *exec = &file.sections[0]->settings[KEY_EXEC];

	ck_assert_uint_eq(problems.count, 0);
	ck_assert_uint_eq(exec->count, 4);
	ck_assert_str_eq(exec->items[0].text, "AB\n$\\");
	ck_assert_str_eq(exec->items[1].text, "${A}'\\\\n");
	ck_assert_str_eq(exec->items[2].text, "a/b//c:1%2");
	ck_assert_str_eq(exec->items[3].text, "");
	schema_fini(&file);
}
END_TEST

static void check_problem(size_t index, int line, const char *text)
{
	ck_assert_uint_lt(index, problems.count);
	ck_assert_str_eq(problems.items[index].text, text);
	ck_assert_int_eq(problems.items[index].at.line, line);
}

/* All unknown keys of a file, wherever they stand, and all that is said rightly beside them. */
START_TEST(unknown_keys)
{
	struct schema_file file = read_schema("usr = a\nuser = b\nservice x {\n usr = { a,\n b }\n"
					      " hander = c\n listen = d\n pidfile = e\n}\n"
					      "listen = f\nusr = {}\n");

	ck_assert_uint_eq(problems.count, 6);
	check_problem(0, 1, "unknown key \"usr\"; did you mean \"user\"?");
	for (size_t i = 0; i < problems.count; i++)
		ck_assert_int_ne(problems.items[i].at.line, 7);
	ck_assert_uint_eq(file.nsections, 1);
	check_item(&file.sections[0]->settings[KEY_LISTEN], 0, "d", 7);
	check_item(&file.global.settings[KEY_USER], 0, "b", 2);
	schema_fini(&file);
}
END_TEST

START_TEST(too_many_unknown_keys)
{
	struct schema_file file;
	char *text = xstrdup("");

	for (int i = 0; i < 70; i++) {
		char *more = xasprintf("%skey-%d = 1\n", text, i);

		free(text);
		text = more;
	}
	file = read_schema(text);
	ck_assert_uint_eq(problems.count, 51);
	schema_fini(&file);
	free(text);
}
END_TEST

static void check_syntax(const char *text, int line, const char *expected)
{
	struct schema_file file = read_schema(text);

	ck_assert_msg(problems.count == 1, "%s: %zu problems", text, problems.count);
	ck_assert_msg(strstr(problems.items[0].text, expected) != NULL, "%s: \"%s\"", text,
		      problems.items[0].text);
	ck_assert_msg(problems.items[0].at.line == line, "%s: line %d", text,
		      problems.items[0].at.line);
	problem_fini(&problems);
	schema_fini(&file);
}

START_TEST(grammar)
{
	check_syntax("user nobody", 1, "missing equal sign after option 'user'");
	check_syntax("\nuser = { a }", 2, "unexpected token '{'");
	check_syntax("\nservice { }", 2, "missing title");
	check_syntax("\nservice a b { }", 2, "missing opening brace");
	check_syntax("\n= a", 2, "unexpected token '='");
	check_syntax("\nuser =", 2, "premature end of file");
	check_syntax("\nuser = a\nuser = b", 3, "user is set already: f:2");
	check_syntax("\nservice a {\n groups = {}\n\n groups = { b } }", 5,
		     "groups is set already: f:3");
	check_syntax("\nservice a {}\n\nservice 'a' {}", 4, "service \"a\" is there already: f:2");
	check_syntax("\nservise a {}", 2, "unknown key \"servise\"; did you mean \"service\"?");
	check_syntax("\ninclude(a, b)", 2, "include takes one");
	check_syntax("\ninclude('')", 2, "include takes one");
	check_syntax("\ninclude a", 2, "missing parenthesis");
	check_syntax("\nservice a { include('b') }", 2, "\"include\" stands outside of sections");
}
END_TEST

/* The state of libconfuse's scanner survives nothing: a file is read right after any broken one. */
START_TEST(broken_files_leave_nothing)
{
	static const char *const broken[] = { "user",  "user = {", "service a { user }",
					      "x y z", "include",  "include a" };
	struct schema_file file;

	for (int i = 0; i < 60; i++) {
		struct scrubbed scrubbed;
		const char *text = broken[i % 6];

		/* Past the fences: what they refuse must do no harm either. */
		(void)scrub_text(text, strlen(text), "f", &scrubbed, &problems);
		schema_read("f", &scrubbed, &file, &problems);
		scrub_fini(&scrubbed);
		schema_fini(&file);
		problem_fini(&problems);
	}
	file = read_schema("include('a')\nuser = b");
	ck_assert_uint_eq(problems.count, 0);
	ck_assert_uint_eq(file.nincludes, 1);
	ck_assert_str_eq(file.includes[0].pattern, "a");
	check_item(&file.global.settings[KEY_USER], 0, "b", 2);
	schema_fini(&file);
}
END_TEST

/* Files */

static void check_reading(const char *name, const char *expected)
{
	struct confile file = { .name = (char *)(uintptr_t)name };
	size_t length;
	char *text = confile_read(&file, &length, &problems);

	ck_assert_ptr_null(text);
	ck_assert_uint_eq(problems.count, 1);
	check_problem(0, 0, expected);
	problem_fini(&problems);
}

/* F76, F78 and finding 2: libconfuse would end the process at a directory. */
START_TEST(unreadable_files)
{
	enter_directory();
	write_file("a", "user = b\n");
	ck_assert_int_eq(chmod("a", 0602), 0);
	check_reading("a", "is writable by everybody; use chmod o-w");
	check_reading("b", "No such file or directory");
	check_reading(".", "is a directory");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	check_reading("fifo", "is not a regular file");
	check_reading("/dev/null", "is not a regular file");
	ck_assert_int_eq(truncate("a", CONFILE_MAX + 1), 0);
	check_reading("a", "is larger than 8 MiB");
	if (geteuid() == 0) {
		write_file("c", "");
		ck_assert_int_eq(chown("c", 1, 0), 0);
		check_reading("c", "belongs to another user, who could change it; use chown");
		ck_assert_int_eq(chown("c", 0, 1), 0);
		ck_assert_int_eq(chmod("c", 0660), 0);
		check_reading("c", "is writable by its group; use chmod g-w");
	}
	leave_directory();
}
END_TEST

START_TEST(readable_files)
{
	struct confile file = { .name = (char *)(uintptr_t) "a" };
	size_t length;
	char *text;

	enter_directory();
	write_file("a", "user = b\n");
	text = confile_read(&file, &length, &problems);
	ck_assert_str_eq(text, "user = b\n");
	ck_assert_uint_eq(length, 9);
	free(text);
	ck_assert_int_eq(truncate("a", CONFILE_MAX), 0);
	text = confile_read(&file, &length, &problems);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(length, CONFILE_MAX);
	free(text);
	leave_directory();
}
END_TEST

static void check_queue(const struct confile_queue *queue, size_t index, const char *name)
{
	ck_assert_uint_lt(index, queue->count);
	ck_assert_str_eq(queue->files[index].name, name);
}

/* Relative to the including file, sorted, each once, without what editors leave behind. */
START_TEST(includes)
{
	struct confile_queue *queue = xcalloc(1, sizeof(*queue));
	struct origin at = { .file = "main", .line = 1 };
	char **names = NULL;
	size_t count = 0;

	enter_directory();
	ck_assert_int_eq(mkdir("[d]", 0700), 0);
	write_file("[d]/main", "");
	write_file("[d]/b.conf", "");
	write_file("[d]/a.conf", "");
	write_file("[d]/a.conf~", "");
	write_file("[d]/a.conf.dpkg-new", "");
	write_file("[d]/.hidden.conf", "");
	ck_assert_int_eq(mkdir("[d]/c.conf", 0700), 0);
	ck_assert_int_eq(link("[d]/a.conf", "[d]/z.conf"), 0);
	confile_add_main(queue, "[d]/main");
	confile_add(queue, 0, &at, "*.conf*", &problems);
	confile_add(queue, 0, &at, "a.conf", &problems);
	confile_add(queue, 0, &at, "no*such", &problems);
	confile_add(queue, 0, &at, "no/such/*", &problems);
	ck_assert_uint_eq(problems.count, 0);
	ck_assert_uint_eq(queue->count, 3);
	check_queue(queue, 0, "[d]/main");
	check_queue(queue, 1, "[d]/a.conf");
	check_queue(queue, 2, "[d]/b.conf");
	/* By name, a leftover is what somebody wants. */
	confile_add(queue, 2, &at, "a.conf~", &problems);
	check_queue(queue, 3, "[d]/a.conf~");
	confile_add(queue, 0, &at, "missing", &problems);
	check_problem(0, 1, "include: [d]/missing: No such file or directory");
	confile_take_names(queue, &names, &count);
	strv_free(names);
	free(queue);
	problem_fini(&problems);
	leave_directory();
}
END_TEST

START_TEST(include_loops)
{
	struct confile_queue *queue = xcalloc(1, sizeof(*queue));
	struct origin at = { .line = 1 };
	char **names = NULL;
	size_t count = 0;

	enter_directory();
	write_file("a", "");
	write_file("b", "");
	write_file("c", "");
	confile_add_main(queue, "a");
	at.file = queue->files[0].name;
	confile_add(queue, 0, &at, "b", &problems);
	at.file = queue->files[1].name;
	confile_add(queue, 1, &at, "c", &problems);
	at.file = queue->files[2].name;
	confile_add(queue, 2, &at, "[a-c]", &problems); /* a pattern only passes them over */
	ck_assert_uint_eq(problems.count, 0);
	confile_add(queue, 2, &at, "./a", &problems);
	check_problem(0, 1, "include: ./a leads to this file: an include loop");
	confile_add(queue, 2, &at, "c", &problems);
	check_problem(1, 1, "include: c leads to this file: an include loop");
	confile_add(queue, 1, &at, "c", &problems); /* twice is no loop */
	ck_assert_uint_eq(problems.count, 2);
	ck_assert_uint_eq(queue->count, 3);
	problem_fini(&problems);
	confile_take_names(queue, &names, &count);
	strv_free(names);
	free(queue);
	leave_directory();
}
END_TEST

/* Problems come out in the order of files and lines, each once, and harmless for a terminal. */
START_TEST(problems_in_order)
{
	char first[] = "first", second[] = "second", *files[] = { first, second, NULL };
	struct origin at = { .file = second, .line = 2 };
	struct config_problems lines = { 0 };

	problem_add(&problems, &at, "c");
	at.line = 1;
	problem_add(&problems, &at, "b\033[31m");
	problem_warn(&problems, &at, "bb");
	problem_add(&problems, &at, "b\033[31m");
	at.file = first;
	at.line = 9;
	problem_add(&problems, &at, "a");
	at.line = 0;
	problem_add(&problems, &at, "whole");
	ck_assert_uint_eq(problems.errors, 5);
	problem_report(&problems, files, &lines);
	ck_assert_uint_eq(lines.count, 5);
	ck_assert_uint_eq(lines.warnings, 1);
	ck_assert_str_eq(lines.lines[0], "first: whole");
	ck_assert_str_eq(lines.lines[1], "first:9: a");
	ck_assert_str_eq(lines.lines[2], "second:1: b\\x1b[31m");
	ck_assert_str_eq(lines.lines[3], "second:1: warning: bb");
	ck_assert_str_eq(lines.lines[4], "second:2: c");
	strv_free(lines.lines);
}
END_TEST

SUITE("confile", comments_become_blanks, empty_lists_are_marked, sections_know_their_line, fences,
      escapes, nul_bytes, noise_is_bounded, lines_of_values, strings_are_read_back, unknown_keys,
      too_many_unknown_keys, grammar, broken_files_leave_nothing, unreadable_files, readable_files,
      includes, include_loops, problems_in_order)
