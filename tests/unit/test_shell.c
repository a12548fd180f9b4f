/* SPDX-License-Identifier: ISC */
/*
 * The command server's dialogue, as a client has it: each command, each mistake, F120 to F126.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <utmpx.h>

#include "handlers/handler.h"
#include "handlers/logins.h"
#include "talk.h"
#include "suite.h"

#define UNKNOWN ": unknown command; try \"help\"\r\n"

static char directory[] = "/tmp/begat-test-XXXXXX";
static char motd_path[64], utmp_path[64], fortunes_path[64];
static char echo[] = "/bin/echo", args[] = "a b; c", *const greet[] = { echo, args, NULL };
static char false_program[] = "/bin/false", *const fail[] = { false_program, NULL };

enum {
	PROMPT,
	MOTD,
	DATABASE,
	MAX_LINE,
	COMMAND_TIMEOUT,
	GREET,
	FAIL,
	VALUES,
};

static struct begat_value values[VALUES];
static struct session_settings settings;
static char heard[1 << 20];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(motd_path, sizeof(motd_path), "%s/motd", directory);
	snprintf(utmp_path, sizeof(utmp_path), "%s/utmp", directory);
	snprintf(fortunes_path, sizeof(fortunes_path), "%s/fortunes", directory);
	setenv("TZ", "XYZ-05:30", 1);
	tzset();
	utmpxname(utmp_path); /* for those who log in */
	logins_path = utmp_path;
	values[PROMPT] = (struct begat_value){ .name = "prompt", .string = "? " };
	values[MOTD] = (struct begat_value){ .name = "motd", .string = motd_path };
	values[DATABASE] = (struct begat_value){ .name = "database", .string = fortunes_path };
	values[MAX_LINE] = (struct begat_value){ .name = "max-line", .number = 64 };
	values[COMMAND_TIMEOUT] =
		(struct begat_value){ .name = "command-timeout", .number = 10000 };
	values[GREET] = (struct begat_value){ .name = "command.Greet", .argv = greet };
	values[FAIL] = (struct begat_value){ .name = "command.fail", .argv = fail };
	settings = (struct session_settings){ .crlf = true, .values = values, .nvalues = VALUES };
}

static void teardown(void)
{
	unlink(motd_path);
	unlink(utmp_path);
	unlink(fortunes_path);
	rmdir(directory);
}

static void put_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Everything that comes for what the client sends before it half-closes. */
static const char *ask_bytes(const void *bytes, size_t length)
{
	struct talk talk = talk_start(&shell_handler, &settings);

	talk_send(&talk, bytes, length);
	talk_half_close(&talk);
	talk_hear(&talk, heard, sizeof(heard));
	ck_assert_int_eq(talk_end(&talk), 0);
	return heard;
}

#define ASK(literal) ask_bytes(literal, sizeof(literal) - 1)

START_TEST(dialogue)
{
	struct talk talk = talk_start(&shell_handler, &settings);

	talk_expect(&talk, "? ");
	talk_say(&talk, "nonsense\r\n");
	talk_expect(&talk, "nonsense" UNKNOWN "? ");
	talk_say(&talk, "\n");
	talk_expect(&talk, "? ");
	talk_say(&talk, "quit\n");
	ck_assert_uint_eq(talk_hear(&talk, heard, sizeof(heard)), 0);
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

/* F124: all that was sent in advance is answered, the last line without its end too, then the end.
 */
START_TEST(pipelined)
{
	ck_assert_str_eq(ASK("a\nb\r\nc\r\0\n\nd"),
			 "? a" UNKNOWN "? b" UNKNOWN "? c" UNKNOWN "? ? ? d" UNKNOWN "? ");
}
END_TEST

START_TEST(nothing_after_quit)
{
	ck_assert_str_eq(ASK("exit\na\n"), "? ");
	ck_assert_str_eq(ASK("a\n QUIT \nb\n"), "? a" UNKNOWN "? ");
}
END_TEST

START_TEST(blanks_and_case)
{
	put_file(motd_path, "hi\n");
	ck_assert_str_eq(ASK(" \tmOtD\t \n"), "? hi\r\n? ");
	ck_assert_str_eq(ASK("motdx\n"), "? motdx" UNKNOWN "? ");
	ck_assert_str_eq(ASK("mot\n"), "? mot" UNKNOWN "? ");
}
END_TEST

/* Nothing of the client's becomes an argument. */
START_TEST(arguments)
{
	ck_assert_str_eq(ASK("date -u\n"), "? date: takes no arguments\r\n? ");
	ck_assert_str_eq(ASK("quit now\n"), "? quit: takes no arguments\r\n? ");
	ck_assert_str_eq(ASK("greet\tx\n"), "? greet: takes no arguments\r\n? ");
	ck_assert_str_eq(ASK("no such thing\n"), "? no" UNKNOWN "? ");
}
END_TEST

/* F121: shown back escaped. */
START_TEST(control_characters)
{
	ck_assert_str_eq(ASK("\x1b[2J\0\x80\xff\xff\n"), "? \\033[2J\\000\\200\\377" UNKNOWN "? ");
	ck_assert_str_eq(ASK("motd\0\n"), "? motd\\000" UNKNOWN "? ");
	ck_assert_str_eq(ASK("a\rb\\%s%n\n"), "? a\\015b\\134%s%n" UNKNOWN "? ");
}
END_TEST

START_TEST(long_command_is_cut)
{
	static char line[2000];

	values[MAX_LINE].number = 1999;
	memset(line, '\x01', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	ask_bytes(line, sizeof(line));
	ck_assert_uint_eq(strlen(heard), 2 + 4 * 64 + 3 + strlen(UNKNOWN) + 2);
	ck_assert_ptr_nonnull(strstr(heard, "\\001..." UNKNOWN));
}
END_TEST

/* F120: a line over the cap, by one and by far. */
START_TEST(line_too_long)
{
	static char line[1 << 16];

	memset(line, 'x', sizeof(line));
	line[64] = '\n';
	ask_bytes(line, 65);
	ck_assert_ptr_nonnull(strstr(heard, "xxx" UNKNOWN));
	line[64] = 'x';
	line[65] = '\n';
	ck_assert_str_eq(ask_bytes(line, 66), "? line too long\r\n");
	line[65] = 'x';
	ck_assert_str_eq(ask_bytes(line, sizeof(line)), "? line too long\r\n");
}
END_TEST

START_TEST(silence)
{
	struct talk talk;

	settings.first_byte_ms = 50;
	talk = talk_start(&shell_handler, &settings);
	talk_hear(&talk, heard, sizeof(heard));
	ck_assert_str_eq(heard, "? \r\nno input for too long\r\n");
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

START_TEST(help)
{
	static const char *const names[] = { "help", "quit", "exit",   "date", "time",
					     "who",  "motd", "cookie", "Greet" };

	ASK("help\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s%-12s ", i == 0 ? "? " : "\r\n", names[i]);
		ck_assert_msg(strstr(heard, line), "%s", names[i]);
	}
}
END_TEST

START_TEST(date)
{
	struct tm tm = { 0 };
	time_t now = time(NULL);

	ASK("date\n");
	ck_assert_uint_eq(strlen(heard), 2 + 26 + 2);
	ck_assert_ptr_nonnull(strptime(heard + 2, "%a %b %e %H:%M:%S %Y", &tm));
	ck_assert_int_le(labs(mktime(&tm) - now), 5);
}
END_TEST

START_TEST(time_iso)
{
	struct tm tm = { 0 };
	time_t now = time(NULL);
	const char *rest;

	ASK("time\n");
	rest = strptime(heard + 2, "%Y-%m-%dT%H:%M:%S", &tm);
	ck_assert_ptr_nonnull(rest);
	ck_assert_str_eq(rest, "+05:30\r\n? ");
	ck_assert_int_le(labs(mktime(&tm) - now), 5);
	setenv("TZ", "ABC3:30", 1);
	tzset();
	ck_assert_ptr_nonnull(strstr(ASK("time\n"), "-03:30\r\n"));
}
END_TEST

START_TEST(who_nobody)
{
	ck_assert_str_eq(ASK("who\n"), "? nobody is logged in\r\n? ");
}
END_TEST

static void log_in(const char *user, const char *line, const char *host)
{
	struct utmpx entry = { .ut_type = USER_PROCESS, .ut_pid = getpid() };

	memcpy(entry.ut_user, user, strnlen(user, sizeof(entry.ut_user)));
	memcpy(entry.ut_line, line, strnlen(line, sizeof(entry.ut_line)));
	memcpy(entry.ut_id, line, strnlen(line, sizeof(entry.ut_id)));
	memcpy(entry.ut_host, host, strnlen(host, sizeof(entry.ut_host)));
	entry.ut_tv.tv_sec = 1795356804;
	ck_assert_ptr_nonnull(pututxline(&entry));
}

/* What a remote name server has put into utmp is no terminal command. */
START_TEST(who_somebody)
{
	put_file(utmp_path, "");
	setutxent();
	log_in("alice", "tty1", "");
	log_in("bob", "pts/0", "evil\x1b[2J");
	endutxent();
	ck_assert_str_eq(ASK("who\n"),
			 "? alice        tty1     2026-11-22 19:43\r\n"
			 "bob          pts/0    2026-11-22 19:43 (evil\\033[2J)\r\n? ");
}
END_TEST

/* Fields that fill their arrays have no NUL. */
START_TEST(who_full_fields)
{
	char full[257];

	memset(full, 'u', sizeof(full) - 1);
	full[256] = '\0';
	put_file(utmp_path, "");
	setutxent();
	log_in(full, full, full);
	endutxent();
	ASK("who\n");
	ck_assert_uint_eq(strlen(heard), 2 + 32 + 1 + 32 + 1 + 16 + 2 + 256 + 1 + 2 + 2);
}
END_TEST

START_TEST(motd)
{
	static char large[70000];

	ck_assert_str_eq(ASK("motd\n"), "? there is no message of the day\r\n? ");
	put_file(motd_path, "");
	ck_assert_str_eq(ASK("motd\n"), "? there is no message of the day\r\n? ");
	put_file(motd_path, "one\n\ntwo");
	ck_assert_str_eq(ASK("motd\n"), "? one\r\n\r\ntwo\r\n? ");
	memset(large, 'x', sizeof(large) - 1);
	put_file(motd_path, large);
	ck_assert_str_eq(ASK("motd\n"), "? there is no message of the day\r\n? ");
	large[65536] = '\0';
	put_file(motd_path, large);
	ASK("motd\n");
	ck_assert_uint_eq(strlen(heard), 2 + 65536 + 2 + 2);
	unlink(motd_path);
	ck_assert_int_eq(mkfifo(motd_path, 0600), 0); /* would wait for a writer */
	ck_assert_str_eq(ASK("motd\n"), "? there is no message of the day\r\n? ");
}
END_TEST

START_TEST(cookie)
{
	ck_assert_str_eq(ASK("cookie\n"), "? there are no cookies today\r\n? ");
	put_file(fortunes_path, "two\nlines\n%\n");
	ck_assert_str_eq(ASK("cookie\n"), "? two\r\nlines\r\n? ");
}
END_TEST

START_TEST(programs)
{
	ck_assert_str_eq(ASK("GREET\nfail\n"), "? a b; c\r\n? fail: exit status 1\r\n? ");
}
END_TEST

/* The administrator's come first. */
START_TEST(program_instead_of_builtin)
{
	values[GREET].name = "command.date";
	ck_assert_str_eq(ASK("date\n"), "? a b; c\r\n? ");
}
END_TEST

START_TEST(program_time_limit)
{
	static char sleeper[] = "/bin/sleep",
		    minute[] = "60", *const nap[] = { sleeper, minute, NULL };

	values[GREET].argv = nap;
	values[COMMAND_TIMEOUT].number = 1000;
	ck_assert_str_eq(ASK("greet\n"), "? Greet: stopped after 1 s\r\n? ");
}
END_TEST

/* F126: no word of this reaches a shell. */
START_TEST(metacharacters)
{
	ck_assert_str_eq(ASK("greet;id\n$(id)\n`id`\n|id\n../bin/id\n/bin/id\n"),
			 "? greet;id" UNKNOWN "? $(id)" UNKNOWN "? `id`" UNKNOWN "? |id" UNKNOWN
			 "? ../bin/id" UNKNOWN "? /bin/id" UNKNOWN "? ");
}
END_TEST

/* A telnet client's first words, an interrupt, and a question in the middle of a line. */
START_TEST(telnet_client)
{
	ck_assert_str_eq(ASK("\xff\xfd\x03\xff\xfb\x18"
			     "gre"
			     "\xff\xf4\xff\xfd\x06"
			     "et\r\0"
			     "\xff\xf7\xff\xf8"
			     "a\r\n"),
			 "? \xff\xfc\x03\xff\xfe\x18\xff\xfc\x06"
			 "a b; c\r\n? a" UNKNOWN "? ");
}
END_TEST

/* F125: gone without a word. */
START_TEST(client_gone)
{
	struct talk talk = talk_start(&shell_handler, &settings);

	talk_say(&talk, "help\nhelp\nhelp\n");
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

START_TEST(unix_line_ends)
{
	settings.crlf = false;
	ck_assert_str_eq(ASK("greet\nx\n"), "? a b; c\n? x: unknown command; try \"help\"\n? ");
}
END_TEST

static void add_commands(TCase *tcase)
{
	tcase_add_test(tcase, help);
	tcase_add_test(tcase, date);
	tcase_add_test(tcase, time_iso);
	tcase_add_test(tcase, who_nobody);
	tcase_add_test(tcase, who_somebody);
	tcase_add_test(tcase, who_full_fields);
	tcase_add_test(tcase, motd);
	tcase_add_test(tcase, cookie);
	tcase_add_test(tcase, programs);
	tcase_add_test(tcase, program_instead_of_builtin);
	tcase_add_test(tcase, program_time_limit);
	tcase_add_test(tcase, metacharacters);
}

int main(void)
{
	TCase *tcase = tcase_create("shell");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, dialogue);
	tcase_add_test(tcase, pipelined);
	tcase_add_test(tcase, nothing_after_quit);
	tcase_add_test(tcase, blanks_and_case);
	tcase_add_test(tcase, arguments);
	tcase_add_test(tcase, control_characters);
	tcase_add_test(tcase, long_command_is_cut);
	tcase_add_test(tcase, line_too_long);
	tcase_add_test(tcase, silence);
	add_commands(tcase);
	tcase_add_test(tcase, telnet_client);
	tcase_add_test(tcase, client_gone);
	tcase_add_test(tcase, unix_line_ends);
	return suite_finish("shell", tcase);
}
