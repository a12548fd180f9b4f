/* SPDX-License-Identifier: ISC */
/*
 * The command server: a prompt, a line, an answer, until the client says quit or closes.
 *
 * Not a Unix shell: a line names one entry of a table, the built-in one in builtin.c or the
 * administrator's command.NAME options, and nothing that a client sends becomes an argument of
 * anything.  Lines are data: they may hold any byte, are bounded by max-line, and are shown back
 * only escaped and cut.  Telnet's commands are filtered out before a line is put together. Commands
 * may be sent in advance, and a client that half-closes gets all its answers before the end.
 */
#include "config.h"

#include "handlers/shell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bsd/string.h>
#define LIBBSD_OPENBSD_VIS /* silences a warning about strnvis(), which is not used */
#include <bsd/vis.h>

#include "handlers/command.h"
#include "handlers/fortune.h"
#include "handlers/handler.h"
#include "handlers/telnet.h"

#define SHOWN_MAX 64 /* bytes of an unknown command that are shown back */

/* A part of the client's line; not NUL-terminated. */
struct word {
	const char *bytes;
	size_t length;
};

void shell_escape(char *shown, const char *bytes, size_t length)
{
	if (strvisx(shown, bytes, length, VIS_OCTAL | VIS_TAB | VIS_NL) < 0) /* no memory */
		strlcpy(shown, "?", 2);
}

static bool is_name(const char *name, const struct word *word)
{
	return strlen(name) == word->length && strncasecmp(name, word->bytes, word->length) == 0;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static void trim(struct word *word)
{
	while (word->length > 0 && is_blank(word->bytes[0])) {
		word->bytes++;
		word->length--;
	}
	while (word->length > 0 && is_blank(word->bytes[word->length - 1]))
		word->length--;
}

/* Cuts the line after its first word; true when there was more. */
static bool cut_arguments(struct word *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (is_blank(line->bytes[i])) {
			line->length = i;
			return true;
		}
	return false;
}

/* An answer about what the client has typed, which may be anything. */
static void complain(struct begat_session *session, const struct word *name, const char *what)
{
	char shown[SHELL_SHOWN(SHOWN_MAX)];
	const bool cut = name->length > SHOWN_MAX;

	shell_escape(shown, name->bytes, cut ? SHOWN_MAX : name->length);
	begat_print(session, "%s%s: %s\n", shown, cut ? "..." : "", what);
}

static const struct begat_value *find_program(const struct begat_session *session,
					      const struct word *name)
{
	const struct begat_value *value;

	for (size_t i = 0; (value = begat_command(session, SHELL_PREFIX, i)); i++)
		if (is_name(value->name + strlen(SHELL_PREFIX), name))
			return value;
	return NULL;
}

static const struct shell_command *find_builtin(const struct word *name)
{
	for (const struct shell_command *command = shell_commands; command->name; command++)
		if (is_name(command->name, name))
			return command;
	return NULL;
}

static void run_program(struct begat_session *session, const struct begat_value *program)
{
	const char *name = program->name + strlen(SHELL_PREFIX);
	const long long timeout_ms = begat_number(session, "command-timeout");
	int code;

	begat_flush(session); /* what came before is not held back; the next write tells */
	switch (command_run(session, program->argv, timeout_ms, &code)) {
	case COMMAND_EXITED:
		if (code != 0)
			begat_print(session, "%s: exit status %d\n", name, code);
		break;
	case COMMAND_SIGNALLED:
		begat_print(session, "%s: ended by signal %d\n", name, code);
		break;
	case COMMAND_TIMEOUT:
		begat_print(session, "%s: stopped after %lld s\n", name, timeout_ms / 1000);
		break;
	case COMMAND_OVERFLOW:
		begat_print(session, "%s: stopped after %u KiB of output\n", name,
			    COMMAND_OUTPUT_MAX / 1024);
		break;
	case COMMAND_ABANDONED:
		break;
	case COMMAND_NOT_STARTED:
		dprintf(STDERR_FILENO, "command: %s: %s\n", program->argv[0], strerror(errno));
		begat_print(session, "%s: cannot be started now\n", name);
		break;
	}
}

/* The administrator's commands come first, so that one of them can replace a built-in.  False when
 * the line ends the session. */
static bool run_line(struct begat_session *session, struct word *line)
{
	const struct shell_command *builtin = NULL;
	const struct begat_value *program;
	bool arguments;

	trim(line);
	if (line->length == 0)
		return true;
	arguments = cut_arguments(line);
	program = find_program(session, line);
	if (!program)
		builtin = find_builtin(line);
	if (!program && !builtin)
		complain(session, line, "unknown command; try \"help\"");
	else if (arguments)
		complain(session, line, "takes no arguments");
	else if (program)
		run_program(session, program);
	else if (builtin->run)
		builtin->run(session);
	else
		return false;
	return true;
}

/* One prompt, one line, its answer.  OK to go on; END when the client has said quit, too. */
static enum begat_input converse(struct begat_session *session)
{
	const char *prompt = begat_string(session, "prompt");
	static char bytes[SHELL_LINE_MAX + 1]; /* static: a stack would be cleared, and touched */
	struct word line = { .bytes = bytes };
	const size_t size = begat_number(session, "max-line") + 1;
	enum begat_input input;

	if (begat_write_text(session, prompt, strlen(prompt)) < 0)
		return BEGAT_INPUT_ERROR;
	input = begat_read_line(session, bytes, size, &line.length);
	if (input == BEGAT_INPUT_OK && !run_line(session, &line))
		return BEGAT_INPUT_END;
	return input;
}

static int shell_serve(struct begat_session *session)
{
	enum begat_input input;
	struct telnet telnet;
	const int on = 1;

	/* Telnet's DATA MARK comes as urgent data; out of line, the byte after its IAC would be
	 * taken for it.  Fails on no socket that has urgent data. */
	(void)setsockopt(begat_descriptor(session), SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
	telnet_init(&telnet);
	begat_set_filter(session, telnet_filter, &telnet);
	do
		input = converse(session);
	while (input == BEGAT_INPUT_OK);
	begat_set_filter(session, NULL, NULL);
	if (input == BEGAT_INPUT_TOO_LONG)
		begat_print(session, "line too long\n");
	else if (input == BEGAT_INPUT_TIMEOUT)
		begat_print(session, "\nno input for too long\n");
	return begat_finish(session);
}

static const struct begat_option shell_options[] = {
	{ "prompt", BEGAT_OPTION_STRING, "> ", 0, 256, "what asks for a command", NULL },
	{ "motd", BEGAT_OPTION_PATH, "/etc/motd", 0, 0, "the file that \"motd\" shows", NULL },
	FORTUNE_OPTION_DATABASE, /* for "cookie" */
	{ "max-line", BEGAT_OPTION_NUMBER, "512", 16, SHELL_LINE_MAX,
	  "bytes of a line; a longer one ends the session", NULL },
	{ "command-timeout", BEGAT_OPTION_DURATION, "30s", 1000, 86400000,
	  "how long a command.NAME may run", NULL },
	{ SHELL_PREFIX, BEGAT_OPTION_COMMAND, NULL, 0, 0,
	  "command.NAME: a program and its arguments, run without a shell", NULL },
	{ .name = NULL },
};

static const struct begat_path shell_paths[] = {
	{ .option = "motd" },	     FORTUNE_PATHS, /* for "cookie" */
	{ .path = "/run/utmp" },		    /* for "who" */
	{ .path = "/var/run/utmp" }, { .path = NULL },
};

const struct begat_handler shell_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "shell",
	.summary = "a command server: a prompt and a table of commands",
	.options = shell_options,
	.paths = shell_paths,
	.serve = shell_serve,
};
