/* SPDX-License-Identifier: ISC */
/* report/log: lines that arrive, lines that are escaped, lines that are counted. */
#include "config.h"

#include "report/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

static char path[64];

static void open_file(void)
{
	int fd;

	strcpy(path, "/tmp/test_log.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(log_open(LOG_SINK_FILE, path), 0);
}

static const char *read_file(const char *name)
{
	static char text[65536];
	FILE *file = fopen(name, "r");
	size_t length;

	ck_assert_ptr_nonnull(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

START_TEST(line_has_a_head)
{
	char expected[64];

	open_file();
	log_line(LOG_INFO, "%s %d", "hello", 7);
	snprintf(expected, sizeof(expected), " begatd[%d]: hello 7\n", (int)getpid());
	ck_assert_ptr_nonnull(strstr(read_file(path), expected));
	unlink(path);
}
END_TEST

/* F121: xinetd "will log control chars from remote". */
START_TEST(untrusted_bytes_are_escaped)
{
	open_file();
	log_line(LOG_INFO, "a\nb\x1b[2J\xff\t");
	ck_assert_ptr_nonnull(strstr(read_file(path), ": a\\nb\\033[2J\\377\\t\n"));
	unlink(path);
}
END_TEST

START_TEST(levels_and_topics)
{
	open_file();
	log_set_level(LOG_WARNING, NULL);
	log_line(LOG_INFO, "quiet");
	log_debug("reap", "quiet");
	log_set_level(LOG_DEBUG, "accept,reap");
	log_debug("reap", "one");
	log_debug("accept", "two");
	log_debug("rea", "three");
	log_debug("spawn", "four");
	ck_assert_ptr_null(strstr(read_file(path), "quiet"));
	ck_assert_ptr_nonnull(strstr(read_file(path), ": one\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), ": two\n"));
	ck_assert_ptr_null(strstr(read_file(path), "three"));
	ck_assert_ptr_null(strstr(read_file(path), "four"));
	unlink(path);
}
END_TEST

START_TEST(repeated_lines_are_limited)
{
	struct log_limit limit = { 0 };

	open_file();
	for (int i = 0; i < 100; i++)
		log_limited(&limit, LOG_ERR, "again");
	limit.next_ns = 0;
	log_limited(&limit, LOG_ERR, "again");
	ck_assert_ptr_nonnull(strstr(read_file(path), ": again\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), ": again (99 more suppressed)\n"));
	unlink(path);
}
END_TEST

/* F07: a full disk drops lines and is told about afterwards. */
START_TEST(full_disk_drops_and_counts)
{
	ck_assert_int_eq(log_open(LOG_SINK_FILE, "/dev/full"), 0);
	log_line(LOG_INFO, "lost");
	log_line(LOG_INFO, "lost");
	ck_assert_uint_eq(log_dropped(), 2);
	open_file();
	log_line(LOG_INFO, "found");
	ck_assert_ptr_nonnull(strstr(read_file(path), "log: 2 lines dropped\n"));
	log_line(LOG_INFO, "found");
	ck_assert_ptr_null(strstr(strstr(read_file(path), "dropped") + 1, "dropped"));
	unlink(path);
}
END_TEST

START_TEST(reopen_follows_the_name)
{
	char moved[80];

	open_file();
	log_line(LOG_INFO, "before");
	snprintf(moved, sizeof(moved), "%s.1", path);
	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_int_eq(log_reopen(), 0);
	log_line(LOG_INFO, "after");
	ck_assert_ptr_null(strstr(read_file(moved), "after"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "after"));
	unlink(path);
	unlink(moved);
}
END_TEST

/* A log file that is a symbolic link could be anybody's file. */
START_TEST(symbolic_link_is_refused)
{
	strcpy(path, "/tmp/test_log.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(path));
	strcat(path, "/log");
	ck_assert_int_eq(symlink("/tmp/elsewhere", path), 0);
	ck_assert_int_eq(log_open(LOG_SINK_FILE, path), -1);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}
END_TEST

/* F12: stderr is a pipe that nobody reads. */
START_TEST(full_pipe_does_not_block)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(log_open(LOG_SINK_STDERR, NULL), 0);
	for (int i = 0; i < 2000; i++)
		log_line(LOG_INFO, "%0500d", i);
	ck_assert_uint_gt(log_dropped(), 0);
	ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(fatal_exits_with_its_code)
{
	int ends[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		fatal_set_report(ends[1]);
		fatal(EXIT_PRIVILEGE, "expected by the test");
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 4);
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	ck_assert_int_eq(byte, 4);
}
END_TEST

SUITE("log", line_has_a_head, untrusted_bytes_are_escaped, levels_and_topics,
      repeated_lines_are_limited, full_disk_drops_and_counts, reopen_follows_the_name,
      symbolic_link_is_refused, full_pipe_does_not_block, fatal_exits_with_its_code)
