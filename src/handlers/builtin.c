/* SPDX-License-Identifier: ISC */
/*
 * The command server's built-in commands: one table, and a function for each.
 *
 * They read a few files as the worker's user and change nothing.  What they show may come from
 * outside (a host name in utmp) and is escaped.  No name service: this is part of a static program.
 */
#include "config.h"

#include "handlers/shell.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utmpx.h>

#include "handlers/daytime.h"
#include "handlers/file.h"
#include "handlers/fortune.h"
#include "handlers/strfile.h"

#define MOTD_MAX   65536 /* bytes; a larger file is not shown */
#define MOTD_CHUNK 4096

/* Local time as ISO 8601 has it: "2026-11-22T14:13:24+01:00". */
static void format_time(time_t seconds, char *text, size_t size)
{
	struct tm tm = { 0 };
	long zone, minutes;

	(void)localtime_r(&seconds, &tm); /* fails for years beyond int: then all zero */
	minutes = tm.tm_gmtoff / 60;
	zone = minutes < 0 ? -minutes : minutes;
	snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d%c%02ld:%02ld", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

static void run_date(struct begat_session *session)
{
	char text[DAYTIME_LENGTH + 1];

	daytime_format(time(NULL), text);
	begat_write_text(session, text, DAYTIME_LENGTH);
}

static void run_time(struct begat_session *session)
{
	char text[64];

	format_time(time(NULL), text, sizeof(text));
	begat_print(session, "%s\n", text);
}

/* A field of utmp fills its array or ends with a NUL. */
static void escape_field(char *shown, const char *field, size_t size)
{
	shell_escape(shown, field, strnlen(field, size));
}

static void print_user(struct begat_session *session, const struct utmpx *entry)
{
	char user[SHELL_SHOWN(sizeof(entry->ut_user))], line[SHELL_SHOWN(sizeof(entry->ut_line))];
	char host[SHELL_SHOWN(sizeof(entry->ut_host))], since[64];

	escape_field(user, entry->ut_user, sizeof(entry->ut_user));
	escape_field(line, entry->ut_line, sizeof(entry->ut_line));
	escape_field(host, entry->ut_host, sizeof(entry->ut_host));
	format_time(entry->ut_tv.tv_sec, since, sizeof(since));
	since[16] = '\0'; /* up to the minute */
	since[10] = ' ';
	begat_print(session, "%-12.64s %-8.64s %s%s%.600s%s\n", user, line, since,
		    host[0] ? " (" : "", host, host[0] ? ")" : "");
}

static void run_who(struct begat_session *session)
{
	const struct utmpx *entry;
	bool nobody = true;

	setutxent();
	while ((entry = getutxent())) {
		if (entry->ut_type != USER_PROCESS)
			continue;
		print_user(session, entry);
		nobody = false;
	}
	endutxent();
	if (nobody)
		begat_print(session, "nobody is logged in\n");
}

static void run_cookie(struct begat_session *session)
{
	if (fortune_write(session, STRFILE_QUOTE_MAX) < 0)
		begat_print(session, "there are no cookies today\n");
}

static void copy_file(struct begat_session *session, int fd, size_t size)
{
	char bytes[MOTD_CHUNK];
	bool whole_line = true;
	size_t offset = 0;
	ssize_t got;

	while (offset < size && (got = file_read(fd, offset, bytes, sizeof(bytes))) > 0) {
		begat_write_text(session, bytes, got);
		whole_line = bytes[got - 1] == '\n';
		offset += got;
	}
	if (!whole_line)
		begat_print(session, "\n");
}

static void run_motd(struct begat_session *session)
{
	size_t size;
	const int fd = file_open(begat_string(session, "motd"), MOTD_MAX, &size);

	if (fd < 0 || size == 0)
		begat_print(session, "there is no message of the day\n");
	else
		copy_file(session, fd, size);
	if (fd >= 0)
		close(fd);
}

static void run_help(struct begat_session *session)
{
	const struct begat_value *program;

	for (const struct shell_command *command = shell_commands; command->name; command++)
		begat_print(session, "%-12s %s\n", command->name, command->help);
	for (size_t i = 0; (program = begat_command(session, SHELL_PREFIX, i)); i++)
		begat_print(session, "%-12.64s (a program)\n",
			    program->name + strlen(SHELL_PREFIX));
}

const struct shell_command shell_commands[] = {
	{ "help", "this list", run_help },
	{ "date", "the local date and time", run_date },
	{ "time", "the same as ISO 8601 has it", run_time },
	{ "who", "who is logged in here", run_who },
	{ "cookie", "a random quotation", run_cookie },
	{ "motd", "the message of the day", run_motd },
	{ "quit", "ends this session", NULL },
	{ "exit", "the same", NULL },
	{ NULL, NULL, NULL },
};
