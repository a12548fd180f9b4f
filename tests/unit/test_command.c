/* SPDX-License-Identifier: ISC */
/*
 * Programs that a client may start: what they get, what becomes of their output, and how each way
 * to end them works.  The programs here are small shell scripts of the test's own.
 */
#include "config.h"

#include "handlers/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "worker/session.h"
#include "suite.h"

static struct begat_session session;
static int client;
static char heard[4 << 20];
static size_t heard_length;

static void setup(void)
{
	const struct session_settings settings = { .crlf = true, .idle_ms = 5000 };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	session_init(&session, &settings);
	session.set.fd = ends[1];
	client = ends[0];
}

static enum command_end run(const char *script, long long timeout_ms, int *code)
{
	char shell[] = "/bin/sh", option[] = "-c", *text = strdup(script);
	char *const argv[] = { shell, option, text, NULL };
	const enum command_end end = command_run(&session, argv, timeout_ms, code);

	free(text);
	return end;
}

/* What the client got; the output of these tests fits into the socket unless they say otherwise. */
static const char *hear(void)
{
	ssize_t got;

	begat_flush(&session);
	while ((got = recv(client, heard + heard_length, sizeof(heard) - 1 - heard_length,
			   MSG_DONTWAIT)) > 0)
		heard_length += got;
	heard[heard_length] = '\0';
	return heard;
}

static void expect_output(const char *script, const char *expected)
{
	int code;

	heard_length = 0;
	ck_assert_int_eq(run(script, 0, &code), COMMAND_EXITED);
	ck_assert_int_eq(code, 0);
	ck_assert_str_eq(hear(), expected);
}

static void expect_no_children(void)
{
	ck_assert_int_lt(waitpid(-1, NULL, WNOHANG), 0);
	ck_assert_int_eq(errno, ECHILD);
}

START_TEST(output_as_text)
{
	expect_output("echo one; echo two >&2; printf three", "one\r\ntwo\r\nthree");
	expect_no_children();
}
END_TEST

/* F126: a metacharacter is a character. */
START_TEST(no_shell)
{
	char echo[] = "/bin/echo", word[] = "$HOME; ls | `id` *", empty[] = "";
	char *const argv[] = { echo, word, empty, word, NULL };
	int code;

	ck_assert_int_eq(command_run(&session, argv, 0, &code), COMMAND_EXITED);
	ck_assert_str_eq(hear(), "$HOME; ls | `id` *  $HOME; ls | `id` *\r\n");
}
END_TEST

/* Nothing of the client, and nothing to wait for. */
START_TEST(input_is_empty)
{
	ck_assert_int_eq(send(client, "secret\n", 7, 0), 7);
	expect_output("cat; readlink /proc/self/fd/0", "/dev/null\r\n");
}
END_TEST

/* P7: descriptors 0 to 2, whatever we hold; the directory's own one is ls's. */
START_TEST(descriptors)
{
	ck_assert_int_ge(dup(client), 0);
	expect_output("cd /proc/self/fd && for i in *; do test -e $i && echo $i; done; :",
		      "0\r\n1\r\n2\r\n");
}
END_TEST

START_TEST(environment)
{
	clearenv();
	setenv("TZ", "UTC0", 1);
	setenv("SECRET", "1", 1);
	setenv("LD_LIBRARY_PATH", "/nowhere", 1);
	expect_output("/usr/bin/env | grep -v -e '^PWD=' -e '^_=' -e '^SHLVL=' | sort",
		      "PATH=/usr/local/bin:/usr/bin:/bin\r\nTZ=UTC0\r\n");
}
END_TEST

/* P7: an ignored or blocked signal would be inherited through exec. */
START_TEST(signals)
{
	static const unsigned char standard[64] = { 0 };
	sigset_t all;

	/* posix_spawn(3), and so make, leaves these two ignored; begatd resets them at its start.
	 */
	for (int number = 32; number <= 33; number++)
		ck_assert_int_eq(syscall(SYS_rt_sigaction, number, standard, NULL, _NSIG / 8), 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	expect_output("grep -E '^Sig(Blk|Ign)' /proc/self/status",
		      "SigBlk:\t0000000000000000\r\nSigIgn:\t0000000000000000\r\n");
}
END_TEST

START_TEST(exit_status)
{
	int code;

	ck_assert_int_eq(run("exit 3", 0, &code), COMMAND_EXITED);
	ck_assert_int_eq(code, 3);
	ck_assert_int_eq(run("kill -TERM $$", 0, &code), COMMAND_SIGNALLED);
	ck_assert_int_eq(code, SIGTERM);
	expect_no_children();
}
END_TEST

/* The client learns that it failed; why is for the log, and that is our stderr. */
START_TEST(no_such_program)
{
	char missing[] = "/nonexistent/program";
	char *const argv[] = { missing, NULL };
	int code, ends[2];
	char log[256] = "";

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(command_run(&session, argv, 0, &code), COMMAND_EXITED);
	ck_assert_int_eq(code, 127);
	ck_assert_str_eq(hear(), "");
	ck_assert_int_gt(read(ends[0], log, sizeof(log) - 1), 0);
	ck_assert_str_eq(log, "command: /nonexistent/program: No such file or directory\n");
}
END_TEST

START_TEST(time_limit)
{
	int code;

	ck_assert_int_eq(run("trap '' TERM HUP; echo on; sleep 60; sleep 60", 300, &code),
			 COMMAND_TIMEOUT);
	ck_assert_str_eq(hear(), "on\r\n");
	expect_no_children();
}
END_TEST

/* It has closed its output, which is no reason to wait longer. */
START_TEST(time_limit_without_output)
{
	int code;

	ck_assert_int_eq(run("exec >&- 2>&-; exec sleep 60", 300, &code), COMMAND_TIMEOUT);
	expect_no_children();
}
END_TEST

/* The limit holds while it writes, too. */
START_TEST(time_limit_with_output)
{
	int code;

	ck_assert_int_eq(run("while :; do echo; sleep 0.01; done", 300, &code), COMMAND_TIMEOUT);
	expect_no_children();
}
END_TEST

/* Killing means the group: no grandchild goes on. */
START_TEST(kills_grandchildren)
{
	char byte;
	int code, ends[2];
	char script[128];

	ck_assert_int_eq(pipe(ends), 0);
	snprintf(script, sizeof(script), "sleep 60 >/proc/%d/fd/%d & sleep 60", getpid(), ends[1]);
	ck_assert_int_eq(run(script, 500, &code), COMMAND_TIMEOUT);
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0); /* would wait for it */
}
END_TEST

/* A program that starts a daemon and exits has exited, though the daemon holds the pipe. */
START_TEST(background)
{
	struct timespec start, end;
	int code;

	clock_gettime(CLOCK_MONOTONIC, &start);
	ck_assert_int_eq(run("echo started; sleep 5 & exit 0", 4000, &code), COMMAND_EXITED);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ck_assert_str_eq(hear(), "started\r\n");
	ck_assert_int_lt(end.tv_sec - start.tv_sec, 3);
}
END_TEST

static void read_in_background(void)
{
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid > 0)
		return;
	close(session.set.fd);
	while (recv(client, heard, sizeof(heard), 0) > 0)
		;
	_exit(0);
}

START_TEST(output_limit)
{
	int code;

	read_in_background();
	ck_assert_int_eq(run("yes", 0, &code), COMMAND_OVERFLOW);
}
END_TEST

START_TEST(output_just_under_the_limit)
{
	int code;

	read_in_background();
	ck_assert_int_eq(run("head -c 1048576 /dev/zero", 0, &code), COMMAND_EXITED);
}
END_TEST

/* F125: gone in the middle of the output, or while there is none. */
START_TEST(client_gone)
{
	int code;

	close(client);
	ck_assert_int_eq(run("yes", 0, &code), COMMAND_ABANDONED);
	expect_no_children();
	ck_assert_int_eq(run("sleep 60", 0, &code), COMMAND_ABANDONED);
	expect_no_children();
}
END_TEST

/* F124: has said all it wants to say, and waits. */
START_TEST(client_half_closed)
{
	ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
	expect_output("sleep 0.2; echo here", "here\r\n");
}
END_TEST

/* It dies with the worker, however that ends. */
START_TEST(worker_killed)
{
	int ends[2];
	char byte, script[64];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	snprintf(script, sizeof(script), "exec sleep 60 >/proc/%d/fd/%d", getpid(), ends[1]);
	pid = fork();
	if (pid == 0) {
		int code;

		run(script, 0, &code);
		_exit(0);
	}
	usleep(300000);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
}
END_TEST

START_TEST(nothing_left_behind)
{
	const int before = dup(client);
	int code, after;

	close(before);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(run("echo x", 0, &code), COMMAND_EXITED);
	ck_assert_int_eq(run("sleep 60", 10, &code), COMMAND_TIMEOUT);
	after = dup(client);
	ck_assert_int_eq(after, before);
}
END_TEST

static void add_ends(TCase *tcase)
{
	tcase_add_test(tcase, exit_status);
	tcase_add_test(tcase, no_such_program);
	tcase_add_test(tcase, time_limit);
	tcase_add_test(tcase, time_limit_without_output);
	tcase_add_test(tcase, time_limit_with_output);
	tcase_add_test(tcase, kills_grandchildren);
	tcase_add_test(tcase, background);
	tcase_add_test(tcase, output_limit);
	tcase_add_test(tcase, output_just_under_the_limit);
	tcase_add_test(tcase, client_gone);
	tcase_add_test(tcase, client_half_closed);
	tcase_add_test(tcase, worker_killed);
	tcase_add_test(tcase, nothing_left_behind);
}

int main(void)
{
	TCase *tcase = tcase_create("command");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, output_as_text);
	tcase_add_test(tcase, no_shell);
	tcase_add_test(tcase, input_is_empty);
	tcase_add_test(tcase, descriptors);
	tcase_add_test(tcase, environment);
	tcase_add_test(tcase, signals);
	add_ends(tcase);
	return suite_finish("command", tcase);
}
