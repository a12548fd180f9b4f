/* SPDX-License-Identifier: ISC */
/*
 * The options of begatd(8).
 */
#include "config.h"

#include "start/options.h"

#include <bsd/stdlib.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "plan/plan.h"
#include "report/log.h"

static void show_usage(void)
{
	puts("Usage: begatd [-ntTdhV] [-f FILE] [-p FILE] [--against FILE] [--security [--json]]\n"
	     "              [--ready-fd N]\n"
	     "Serves programs and small services on the network, one worker per connection.\n\n"
	     "  -f, --config FILE    read FILE instead of " BEGAT_CONF "\n"
	     "  -n, --foreground     stay in the foreground\n"
	     "  -t, --test           check the configuration, print every problem, exit 0 or 6\n"
	     "      --against FILE   with -t: what a reload of the daemon with that pid file would "
	     "change\n"
	     "  -T, --print          check it and print what is in effect\n"
	     "      --security       print what the workers of each service may do, and how much "
	     "that exposes\n"
	     "      --json           with --security: all of it, as JSON\n"
	     "  -p, --pidfile FILE   use FILE as the pid file\n"
	     "  -d, --debug[=TOPICS] log debug lines, of these topics only: "
	     "accept,gate,notify,reap,reload,signal\n"
	     "      --ready-fd N     write a line to descriptor N when every listener is open\n"
	     "      --handlers       list the handlers with their options\n"
	     "  -V, --version        print the version\n"
	     "  -h, --help           print this\n\n"
	     "See begatd(8) and begat.conf(5).");
}

static const char *const type_names[] = {
	[BEGAT_OPTION_STRING] = "text",	    [BEGAT_OPTION_NUMBER] = "number",
	[BEGAT_OPTION_SIZE] = "size",	    [BEGAT_OPTION_DURATION] = "duration",
	[BEGAT_OPTION_BOOL] = "true|false", [BEGAT_OPTION_PATH] = "path",
	[BEGAT_OPTION_ZONE] = "zone",	    [BEGAT_OPTION_COMMAND] = "program args",
};

static void show_handler(const struct begat_handler *handler)
{
	const struct begat_option *option = handler->options;

	printf("%-10s %s\n", handler->name, handler->summary);
	for (; option && option->name; option++)
		printf("    %s%s=%s  %s%s%s%s\n", option->name,
		       option->type == BEGAT_OPTION_COMMAND ? "NAME" : "", type_names[option->type],
		       option->help, option->fallback ? " (default: \"" : "",
		       option->fallback ? option->fallback : "", option->fallback ? "\")" : "");
}

static void show_handlers(void)
{
	const struct begat_handler *handler;

	for (size_t i = 0; (handler = handler_at(i)); i++)
		if (handler != &redirect_handler) /* which has a key of its own */
			show_handler(handler);
}

enum exit_code options_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_OK : EXIT_GENERIC;
}

static int parse_fd(const char *text)
{
	const char *error;
	int fd = (int)strtonum(text, STDOUT_FILENO, INT_MAX, &error);

	if (error)
		fatal(EXIT_USAGE, "--ready-fd: %s: %s", text, error);
	return fd;
}

static unsigned parse_id(const char *text, unsigned max)
{
	const char *error = "missing";
	const unsigned id = text ? (unsigned)strtonum(text, 0, max, &error) : 0;

	if (error)
		fatal(EXIT_USAGE, "--resolver: %s: %s; the daemon gives it to itself",
		      text ? text : "UID", error);
	return id;
}

/* FD, or FD,UID,GID. */
static void parse_resolver(struct options *options, char *text)
{
	const char *fd = strsep(&text, ",");

	options->resolver_fd = (int)parse_id(fd, INT_MAX);
	if (text == NULL)
		return;
	options->resolver_uid = parse_id(strsep(&text, ","), UINT_MAX - 1);
	options->resolver_gid = parse_id(text, UINT_MAX - 1);
}

static void check_options(int argc, char **argv, const struct options *options)
{
	if (options->topics && !log_has_topics(options->topics))
		fatal(EXIT_USAGE, "-d: \"%s\" is not a list of %s", options->topics, log_topics);
	if (options->ready_fd >= 0 && !options->foreground)
		fatal(EXIT_USAGE, "--ready-fd is for the foreground: add -n");
	if (options->against && !options->check)
		fatal(EXIT_USAGE, "--against only says what would change: add -t");
	if (options->json && !options->security)
		fatal(EXIT_USAGE, "--json is for the report of --security: add it");
	if (options->security && (options->check || options->print))
		fatal(EXIT_USAGE, "--security, -t and -T answer different questions: ask one");
	if (argc > PLAN_VECTOR_MAX)
		fatal(EXIT_USAGE, "more than %d arguments", PLAN_VECTOR_MAX);
	if (optind < argc)
		fatal(EXIT_USAGE, "%s: unexpected argument; try 'begatd --help'", argv[optind]);
}

enum { READY_FD = 256, HANDLERS, AGAINST, SECURITY, JSON, RESOLVER };

static bool *find_flag(struct options *options, int option)
{
	switch (option) {
	case 'n':
		return &options->foreground;
	case 't':
		return &options->check;
	case 'T':
		return &options->print;
	case SECURITY:
		return &options->security;
	case JSON:
		return &options->json;
	default:
		return NULL;
	}
}

static const char **find_text(struct options *options, int option)
{
	switch (option) {
	case 'f':
		return &options->config_path;
	case 'p':
		return &options->pid_path;
	case AGAINST:
		return &options->against;
	default:
		return NULL;
	}
}

static void answer(int option) __attribute__((noreturn));
static void answer(int option)
{
	switch (option) {
	case HANDLERS:
		show_handlers();
		break;
	case 'V':
		puts("begatd " PACKAGE_VERSION);
		break;
	case 'h':
		show_usage();
		break;
	default:
		fputs("Try 'begatd --help'.\n", stderr);
		exit(EXIT_USAGE);
	}
	exit(options_flush());
}

static void take_option(struct options *options, int option)
{
	bool *flag = find_flag(options, option);
	const char **text = find_text(options, option);

	if (flag) {
		*flag = true;
	} else if (text) {
		*text = optarg;
	} else if (option == 'd') {
		options->debug = true;
		options->topics = optarg;
	} else if (option == READY_FD) {
		options->ready_fd = parse_fd(optarg);
	} else if (option == RESOLVER) {
		parse_resolver(options, optarg);
	} else {
		answer(option);
	}
}

void options_parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'f' },
		{ "foreground", no_argument, NULL, 'n' },
		{ "test", no_argument, NULL, 't' },
		{ "against", required_argument, NULL, AGAINST },
		{ "print", no_argument, NULL, 'T' },
		{ "security", no_argument, NULL, SECURITY },
		{ "json", no_argument, NULL, JSON },
		{ "pidfile", required_argument, NULL, 'p' },
		{ "debug", optional_argument, NULL, 'd' },
		{ "ready-fd", required_argument, NULL, READY_FD },
		{ "resolver", required_argument, NULL, RESOLVER }, /* the master's alone */
		{ "handlers", no_argument, NULL, HANDLERS },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*options = (struct options){
		.config_path = BEGAT_CONF,
		.ready_fd = -1,
		.resolver_fd = -1,
		.resolver_uid = (uid_t)-1,
		.resolver_gid = (gid_t)-1,
	};
	while ((option = getopt_long(argc, argv, "f:ntTp:d::Vh", longs, NULL)) != -1)
		take_option(options, option);
	check_options(argc, argv, options);
}
