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

#include "handlers/daytime.h"
#include "handlers/file.h"
#include "handlers/fortune.h"
#include "handlers/logins.h"
#include "handlers/strfile.h"

static void run_date(struct begat_session *session)
{
	char text[DAYTIME_LENGTH + 1];

	daytime_format(time(NULL), text);
	begat_write_text(session, text, DAYTIME_LENGTH);
}

static void run_time(struct begat_session *session)
{
	char text[DAYTIME_MAX];

	daytime_format_iso(time(NULL), text);
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
	char host[SHELL_SHOWN(sizeof(entry->ut_host))], since[DAYTIME_MAX];

	escape_field(user, entry->ut_user, sizeof(entry->ut_user));
	escape_field(line, entry->ut_line, sizeof(entry->ut_line));
	escape_field(host, entry->ut_host, sizeof(entry->ut_host));
	daytime_format_iso(entry->ut_tv.tv_sec, since);
	since[16] = '\0'; /* up to the minute */
	since[10] = ' ';
	begat_print(session, "%-12.64s %-8.64s %s%s%.600s%s\n", user, line, since,
		    host[0] ? " (" : "", host, host[0] ? ")" : "");
}

static void run_who(struct begat_session *session)
{
	const struct utmpx *entry;
	struct logins logins;
	bool nobody = true;

	logins_open(&logins);
	for (; (entry = logins_next(&logins)); nobody = false)
		print_user(session, entry);
	logins_close(&logins);
	if (nobody)
		begat_print(session, "nobody is logged in\n");
}

static void run_cookie(struct begat_session *session)
{
	if (fortune_write(session, STRFILE_QUOTE_MAX) < 0)
		begat_print(session, "there are no cookies today\n");
}

static void run_motd(struct begat_session *session)
{
	if (file_show(session, begat_string(session, "motd"), FILE_MOTD_MAX) <= 0)
		begat_print(session, "there is no message of the day\n");
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
