/* SPDX-License-Identifier: ISC */
/*
 * begatd: the daemon as people start it.
 *
 * Reads and checks the configuration, goes to the background, takes the pid file, opens the
 * listeners, seals the plan, and becomes begat-master by exec: the same process from beginning to
 * end.  This file has the options and the order of these phases, nothing else.
 */
#include "config.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "config/config.h"
#include "handlers/handler.h"
#include "listen/listener.h"
#include "plan/build.h"
#include "report/log.h"
#include "start/detach.h"
#include "start/inherited.h"
#include "start/pidfile.h"

#define SPARE_DESCRIPTORS                                                                          \
	256 /* beside the listeners: connections on their way, logs, ourselves                     \
	     */

extern char **environ;

struct options {
	const char *config_path;
	const char *pid_path;
	const char *topics;
	bool foreground, check, print, debug;
	int ready_fd;
};

static void show_usage(void)
{
	puts("Usage: begatd [-ntTdhV] [-f FILE] [-p FILE] [--ready-fd N]\n"
	     "Serves programs and small services on the network, one worker per connection.\n\n"
	     "  -f, --config FILE    read FILE instead of " BEGAT_CONF "\n"
	     "  -n, --foreground     stay in the foreground\n"
	     "  -t, --test           check the configuration, print every problem, exit 0 or 6\n"
	     "  -T, --print          check it and print what is in effect\n"
	     "  -p, --pidfile FILE   use FILE as the pid file\n"
	     "  -d, --debug[=TOPICS] log debug lines, of these topics only: "
	     "accept,gate,notify,reap,signal\n"
	     "      --ready-fd N     write a line to descriptor N when every listener is open\n"
	     "      --handlers       list the handlers with their options\n"
	     "  -V, --version        print the version\n"
	     "  -h, --help           print this\n\n"
	     "See begatd(8) and begat.conf(5).");
}

static const char *const type_names[] = {
	[BEGAT_OPTION_STRING] = "text",
	[BEGAT_OPTION_NUMBER] = "number",
	[BEGAT_OPTION_SIZE] = "size",
	[BEGAT_OPTION_DURATION] = "duration",
	[BEGAT_OPTION_BOOL] = "true|false",
	[BEGAT_OPTION_PATH] = "path",
	[BEGAT_OPTION_COMMAND] = "program args",
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
		show_handler(handler);
}

/* What was asked for and could not be said is a failure. */
static enum exit_code flush_output(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_OK : EXIT_GENERIC;
}

static int parse_fd(const char *text)
{
	const char *error;
	int fd = (int)strtonum(text, STDOUT_FILENO, INT_MAX, &error);

	if (error)
		fatal(EXIT_USAGE, "--ready-fd: %s: %s", text, error);
	if (fcntl(fd, F_GETFD) < 0)
		fatal(EXIT_USAGE, "--ready-fd: %d: %m", fd);
	return fd;
}

static void check_options(int argc, char **argv, const struct options *options)
{
	if (options->topics && !log_has_topics(options->topics))
		fatal(EXIT_USAGE, "-d: \"%s\" is not a list of %s", options->topics, log_topics);
	if (options->ready_fd >= 0 && !options->foreground)
		fatal(EXIT_USAGE, "--ready-fd is for the foreground: add -n");
	if (optind < argc)
		fatal(EXIT_USAGE, "%s: unexpected argument; try 'begatd --help'", argv[optind]);
}

static void parse_options(int argc, char **argv, struct options *options)
{
	enum { READY_FD = 256, HANDLERS };
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'f' },
		{ "foreground", no_argument, NULL, 'n' },
		{ "test", no_argument, NULL, 't' },
		{ "print", no_argument, NULL, 'T' },
		{ "pidfile", required_argument, NULL, 'p' },
		{ "debug", optional_argument, NULL, 'd' },
		{ "ready-fd", required_argument, NULL, READY_FD },
		{ "handlers", no_argument, NULL, HANDLERS },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "f:ntTp:d::Vh", longs, NULL)) != -1) {
		switch (option) {
		case 'f':
			options->config_path = optarg;
			break;
		case 'n':
			options->foreground = true;
			break;
		case 't':
			options->check = true;
			break;
		case 'T':
			options->print = true;
			break;
		case 'p':
			options->pid_path = optarg;
			break;
		case 'd':
			options->debug = true;
			options->topics = optarg;
			break;
		case READY_FD:
			options->ready_fd = parse_fd(optarg);
			break;
		case HANDLERS:
			show_handlers();
			exit(flush_output());
		case 'V':
			puts("begatd " PACKAGE_VERSION);
			exit(flush_output());
		case 'h':
			show_usage();
			exit(flush_output());
		default:
			fputs("Try 'begatd --help'.\n", stderr);
			exit(EXIT_USAGE);
		}
	}
	check_options(argc, argv, options);
}

static struct config *load_config(const struct options *options)
{
	struct config_problems problems;
	struct config *config = config_load(options->config_path, &problems);

	for (size_t i = 0; i < problems.count; i++)
		fprintf(stderr, "%s\n", problems.lines[i]);
	config_problems_free(&problems);
	if (config == NULL)
		exit(EXIT_CONFIG);
	return config;
}

static void apply_options(const struct options *options, struct config *config)
{
	if (options->pid_path) {
		free(config->pidfile);
		config->pidfile = config_absolute_path(options->pid_path);
		if (config->pidfile[0] != '/')
			fatal(EXIT_GENERIC, "%s: the current directory is gone", config->pidfile);
	}
	if (options->debug)
		config->log_level = LOG_DEBUG;
}

static size_t count_listeners(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->nservices; i++)
		if (!config->services[i]->disable)
			count += config->services[i]->nlisten;
	return count;
}

/* Every listener is a descriptor, every service that logs its workers' stderr has two, and the soft
 * limit is often 1,024.  Workers get it back. */
static void raise_descriptors(const struct config *config, struct plan_global *global)
{
	struct rlimit limit;
	rlim_t wanted =
		FD_PARKED + count_listeners(config) + 2 * config->nservices + SPARE_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		fatal(EXIT_GENERIC, "RLIMIT_NOFILE: %m");
	global->nofile_soft = limit.rlim_cur;
	global->nofile_hard = limit.rlim_max;
	if (limit.rlim_cur >= wanted)
		return;
	if (limit.rlim_max < wanted)
		fatal(EXIT_GENERIC,
		      "%zu listeners need %llu descriptors, and the hard limit is %llu; raise "
		      "it (ulimit -Hn, LimitNOFILE=)",
		      count_listeners(config), (unsigned long long)wanted,
		      (unsigned long long)limit.rlim_max);
	limit.rlim_cur = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		fatal(EXIT_GENERIC, "RLIMIT_NOFILE: %m");
	global->restore_nofile = true;
}

static void keep_open(int fd)
{
	if (fd >= 0 && fd_set_cloexec(fd, false) < 0)
		fatal(EXIT_GENERIC, "descriptor %d: %m", fd);
}

/* The padding makes room for process titles, which are written over the arguments. */
static void become_master(int plan_fd, struct listener_set *listeners,
			  const struct plan_global *global) __attribute__((noreturn));
static void become_master(int plan_fd, struct listener_set *listeners,
			  const struct plan_global *global)
{
	const char *named = secure_getenv("BEGAT_MASTER");
	const char *path = named ? named : LIBEXECDIR "/begat/begat-master";
	char number[16], padding[128];
	char *arguments[] = { (char *)(uintptr_t) "begat-master", number, padding, NULL };
	int error;

	snprintf(number, sizeof(number), "%d", plan_fd);
	memset(padding, '-', sizeof(padding) - 1);
	padding[sizeof(padding) - 1] = '\0';
	keep_open(plan_fd);
	keep_open(global->pid_fd);
	keep_open(global->ready_fd);
	for (size_t i = 0; i < listeners->count; i++)
		keep_open(listeners->all[i].fd);
	execve(path, arguments, environ);
	error = errno;
	listeners_close(listeners);
	errno = error;
	fatal(EXIT_GENERIC, "%s: %m", path);
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno != ENXIO && errno != ENOENT; /* not known counts as one */
	(void)close(fd);				  /* was only a question */
	return true;
}

static void warn_of_stderr(const struct config *config)
{
	if (config->log == CONFIG_LOG_STDERR)
		log_line(LOG_WARNING, "log = \"stderr\" goes nowhere in the background; use -n, or "
				      "another log");
}

static void start(const struct options *options, const struct config *config)
{
	struct listener_set listeners;
	struct plan_global global = {
		.pid_fd = -1,
		.ready_fd = options->ready_fd,
		.detached = !options->foreground,
		.log_sink = (int)config->log,
		.log_level = config->log_level,
		.instances = config->instances,
		.stop_timeout_ms = config->stop_timeout_ms,
	};
	struct build_texts texts = { options->topics, environ };
	int plan_fd;

	if (!options->foreground) {
		warn_of_stderr(config);
		global.ready_fd = detach_start();
	}
	if (chdir("/") < 0)
		fatal(EXIT_GENERIC, "/: %m");
	global.has_terminal = has_terminal();
	if (config->pidfile)
		global.pid_fd = pidfile_take(config->pidfile);
	raise_descriptors(config, &global);
	listeners_open(config, &listeners);
	plan_fd = build_plan(config, &listeners, &global, &texts);
	if (plan_fd < 0)
		fatal(EXIT_GENERIC, "the plan: %m");
	become_master(plan_fd, &listeners, &global);
}

int main(int argc, char **argv)
{
	struct options options = { .config_path = BEGAT_CONF, .ready_fd = -1 };
	struct config *config;

	log_init("begatd");
	parse_options(argc, argv, &options);
	inherited_reset(options.ready_fd);
	config = load_config(&options);
	apply_options(&options, config);
	if (options.print)
		config_print(config, stdout);
	else if (options.check)
		printf("%s: ok: %zu services, %zu listeners\n", config->file, config->nservices,
		       count_listeners(config));
	if (!options.print && !options.check)
		start(&options, config);
	config_free(config);
	return flush_output();
}
