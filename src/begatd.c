/* SPDX-License-Identifier: ISC */
/*
 * begatd: the daemon as people start it.
 *
 * Reads and checks the configuration, goes to the background, takes the pid file, opens the
 * listeners, seals the plan, and becomes begat-master by exec: the same process from beginning to
 * end.  For a reload the master starts it once more, as the preflight: then it ends with handing
 * the plan over.  This file has the order of these phases, nothing else.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cage/security.h"
#include "config/account.h"
#include "config/config.h"
#include "config/difference.h"
#include "listen/listener.h"
#include "plan/build.h"
#include "plan/handover.h"
#include "plan/launch.h"
#include "report/log.h"
#include "start/against.h"
#include "start/binary.h"
#include "start/capacity.h"
#include "start/detach.h"
#include "start/inherited.h"
#include "start/nofile.h"
#include "start/options.h"
#include "start/pidfile.h"
#include "start/preflight.h"
#include "start/resolver.h"

static void check_ready_fd(const struct options *options)
{
	if (options->ready_fd >= 0 && fcntl(options->ready_fd, F_GETFD) < 0)
		fatal(EXIT_USAGE, "--ready-fd: %d: %m", options->ready_fd);
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
	capacity_check(config);
	return config;
}

static void apply_pidfile(const struct options *options, struct config *config)
{
	char *path = config_absolute_path(options->pid_path);

	if (path[0] != '/')
		fatal(EXIT_GENERIC, "%s: the current directory is gone", path);
	config_set_pidfile(config, path);
}

static void apply_options(const struct options *options, struct config *config)
{
	if (options->pid_path)
		apply_pidfile(options, config);
	if (options->debug)
		config->log_level = LOG_DEBUG;
}

/* Where relative paths led when the first begatd was started is known by now. */
static void apply_handover(const struct handover *old, struct options *options)
{
	options->config_path = old->config_path;
	options->ready_fd = -1;
	if (options->pid_path)
		options->pid_path = old->pid_path;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whoever looks for the daemon by its pid file must find it: it stays where it is. */
static void keep_pidfile(const struct handover *old, struct config *config)
{
	if (is_same(config->pidfile, old->pid_path))
		return;
	fprintf(stderr, "%s: warning: pidfile: a reload keeps %s; restart to change it\n",
		config->file, old->pid_path ? old->pid_path : "to none");
	config_set_pidfile(config, old->pid_path ? xstrdup(old->pid_path) : NULL);
}

static void keep_open(int fd)
{
	if (fd >= 0 && fd_set_cloexec(fd, false) < 0)
		fatal(EXIT_GENERIC, "descriptor %d: %m", fd);
}

static struct listener_set listeners;

/* A start that fails leaves nothing behind: for fatal(). */
static void close_listeners(void)
{
	listeners_close(&listeners);
}

static void open_listeners(const struct config *config)
{
	if (atexit(close_listeners) != 0)
		fatal(EXIT_GENERIC, "atexit: %m");
	listeners_plan(config, NULL, &listeners);
	listeners_open(&listeners);
}

static void become_master(int plan_fd, const struct cages *cages, const struct plan_global *global)
	__attribute__((noreturn));
static void become_master(int plan_fd, const struct cages *cages, const struct plan_global *global)
{
	const struct launch launch = {
		.plan_fd = plan_fd,
		.state_fd = -1,
		.talk_fd = -1,
		.back = { -1, -1, -1 },
	};
	const int others[] = { plan_fd,		  global->pid_fd,    global->ready_fd,
			       global->begatd_fd, global->master_fd, global->effective_fd };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		keep_open(others[i]);
	for (size_t i = 0; i < listeners.count; i++) {
		keep_open(listeners.all[i].fd);
		keep_open(listeners.all[i].sources_fd);
	}
	for (size_t i = 0; i < cages->nfds; i++)
		keep_open(cages->fds[i]);
	(void)launch_master(global->master_fd, &launch);
	fatal(EXIT_GENERIC, "%s: %m", binary_master_path());
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno != ENXIO && errno != ENOENT; /* not known counts as one */
	(void)close(fd);				  /* was only a question */
	return true;
}

static void warn_of_stderr(const struct options *options, const struct config *config)
{
	if (config->log == CONFIG_LOG_STDERR && !options->foreground)
		log_line(LOG_WARNING, "log = \"stderr\" goes nowhere in the background; use -n, or "
				      "another log");
}

/* Where the pid file is may be known only now. */
static void warn_of_control(const struct config *config)
{
	if (config->control_is_default && config->pidfile && config->control == NULL)
		fprintf(stderr,
			"%s: warning: control: there is no control socket, because its path, made "
			"from that of the pid file, would be too long; set control\n",
			config->file);
}

/* Names come from outside, so whoever looks them up has no right to anything. */
static void set_resolver(struct plan_global *global)
{
	global->resolver_uid = (uid_t)-1;
	global->resolver_gid = (gid_t)-1;
	if (geteuid() != 0)
		return;
	if (account_find_user("nobody", &global->resolver_uid) < 0)
		global->resolver_uid = 65534; /* what the kernel calls so: overflowuid, proc(5) */
	if (account_find_group("nogroup", &global->resolver_gid) < 0 &&
	    account_find_group("nobody", &global->resolver_gid) < 0)
		global->resolver_gid = 65534;
}

static struct plan_global make_global(const struct config *config, int effective_fd)
{
	struct plan_global global = {
		.pid_fd = -1,
		.ready_fd = -1,
		.effective_fd = effective_fd,
		.log_sink = (int)config->log,
		.log_level = config->log_level,
		.instances = config->instances,
		.stop_timeout_ms = config->stop_timeout_ms,
		.reload_timeout_ms = config->reload_timeout_ms,
	};

	set_resolver(&global);
	return global;
}

static int must(int fd, const char *what)
{
	if (fd < 0)
		fatal(EXIT_GENERIC, "%s: %m", what);
	return fd;
}

static void open_for_reload(struct plan_global *global)
{
	global->begatd_fd = must(binary_open_self(), "/proc/self/exe");
	global->master_fd = must(binary_open(binary_master_path()), binary_master_path());
}

static void start(const struct options *options, const struct config *config, int effective_fd,
		  const struct build_texts *texts)
{
	struct plan_global global = make_global(config, effective_fd);
	struct cages cages;
	char why[CGROUP_WHY];
	int plan_fd;

	global.detached = !options->foreground;
	global.ready_fd = options->foreground ? options->ready_fd : detach_start();
	if (chdir("/") < 0)
		fatal(EXIT_GENERIC, "/: %m");
	global.has_terminal = has_terminal();
	if (config->pidfile)
		global.pid_fd = pidfile_take(config->pidfile);
	nofile_start(config, &global);
	open_for_reload(&global);
	open_listeners(config);
	cages_begin(config, true); /* here nobody is left who could have been there before us */
	cages_open(config, &cages);
	if (cages_settle(config, &cages, why) < 0)
		fatal(EXIT_GENERIC, "cgroup: %s", why);
	plan_fd = must(build_plan(config, &listeners, &cages, &global, texts), "the plan");
	become_master(plan_fd, &cages, &global);
}

static void reload(const struct handover *old, struct config *config, int effective_fd,
		   struct build_texts *texts)
{
	struct plan_global global;

	keep_pidfile(old, config);
	warn_of_control(config);
	global = make_global(config, effective_fd);
	nofile_reload(config, old, &global);
	texts->begatd_path = old->begatd_path;
	preflight_run(old, config, &global, texts);
}

static void show_check(const struct options *options, const struct config *config)
{
	printf("%s: ok: %zu services, %zu listeners\n", config->file, config->nservices,
	       config_count_listeners(config));
	if (options->against)
		against_print(options->against, config, stdout);
}

static void show_security(const struct options *options, const struct config *config)
{
	if (options->json)
		security_print_json(config, stdout);
	else
		security_print(config, stdout);
}

/* What the file says by itself, without the options: so a later file can be compared with it. */
static int save_effective(const struct config *config)
{
	return must(difference_save(config), "the configuration in effect");
}

static void run(const struct options *options, const struct handover *old, struct config *config,
		struct build_texts *texts)
{
	int effective_fd = save_effective(config);

	apply_options(options, config);
	texts->debug_topics = options->topics;
	if (old) {
		reload(old, config, effective_fd, texts);
		return;
	}
	warn_of_stderr(options, config);
	warn_of_control(config);
	texts->begatd_path = binary_find_self(texts->argv[0]);
	start(options, config, effective_fd, texts);
}

int main(int argc, char **argv)
{
	struct options options;
	struct build_texts texts = { .environment = environ };
	int keep[PREFLIGHT_KEEPS + 2];
	struct handover *old;
	struct config *config;
	char **arguments;

	log_init("begatd");
	old = preflight_begin(&argc, argv);
	arguments = strv_dup(argv); /* getopt_long(3) sorts them */
	texts.argv = arguments;
	options_parse(argc, argv, &options);
	if (old)
		apply_handover(old, &options);
	check_ready_fd(&options);
	preflight_keeps(old, keep);
	keep[PREFLIGHT_KEEPS] = options.ready_fd;
	keep[PREFLIGHT_KEEPS + 1] = options.resolver_fd;
	inherited_reset(keep, PREFLIGHT_KEEPS + 2);
	if (options.resolver_fd >= 0)
		return resolver_run(options.resolver_fd, options.resolver_uid,
				    options.resolver_gid);
	config = load_config(&options);
	if (options.check) {
		show_check(&options, config);
	} else if (options.print) {
		apply_options(&options, config);
		config_print(config, stdout);
	} else if (options.security) {
		show_security(&options, config);
	} else {
		run(&options, old, config, &texts);
	}
	config_free(config);
	handover_free(old);
	strv_free(arguments);
	return options_flush();
}
