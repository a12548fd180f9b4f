/* SPDX-License-Identifier: ISC */
/*
 * begat: the command that people type.  It operates a running daemon by its control socket.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "client/call.h"
#include "client/command.h"
#include "report/log.h"

static const struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	command_run *run;
} commands[] = {
	{ "status", "[--json] [SERVICE]", "what the daemon is at", status_run },
	{ "unban", "PREFIX [SERVICE]", "lift the bans of these sources", unban_run },
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void show_usage(void)
{
	puts("Usage: begat [--control PATH] COMMAND [ARGUMENT ...]\n"
	     "Operates a running begatd.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-7s %-20s %s\n", commands[i].name, commands[i].arguments,
		       commands[i].summary);
	puts("\n"
	     "      --control PATH  the daemon's control socket; also BEGAT_CONTROL\n"
	     "  -V, --version       print the version\n"
	     "  -h, --help          print this\n\n"
	     "See begat(1).");
}

static enum exit_code flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_OK : EXIT_GENERIC;
}

static void fail_usage(void) __attribute__((noreturn));
static void fail_usage(void)
{
	fputs("Try 'begat --help'.\n", stderr);
	exit(EXIT_USAGE);
}

static const char *given_path(void)
{
	const char *path = getenv("BEGAT_CONTROL");

	return path && *path ? path : NULL;
}

/* Up to the command, whose options are its own.  The path of the control socket; NULL: not said. */
static const char *parse_options(int argc, char **argv)
{
	enum { CONTROL = 256 };
	static const struct option longs[] = {
		{ "control", required_argument, NULL, CONTROL },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *control = given_path();
	int option;

	while ((option = getopt_long(argc, argv, "+Vh", longs, NULL)) != -1) {
		switch (option) {
		case CONTROL:
			control = optarg;
			break;
		case 'V':
			puts("begat " PACKAGE_VERSION);
			exit(flush());
		case 'h':
			show_usage();
			exit(flush());
		default:
			fail_usage();
		}
	}
	return control;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	fatal(EXIT_USAGE, "there is no command \"%s\"; try 'begat --help'", name);
}

int main(int argc, char **argv)
{
	const struct command *command;
	const char *said;
	char *control;

	log_init("begat");
	if (fd_open_standard() < 0)
		fatal(EXIT_GENERIC, "/dev/null: %m");
	said = parse_options(argc, argv);
	if (optind == argc)
		fail_usage();
	command = find_command(argv[optind]);
	control = said ? xstrdup(said) : call_default_path();
	command->run(control, argc - optind, argv + optind);
	free(control);
	return flush();
}
