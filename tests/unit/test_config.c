/* SPDX-License-Identifier: ISC */
/* Loading and printing whole configurations; the messages are in tests/config/. */
#include "config.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config.h"
#include "folder.h"
#include "suite.h"

static struct config *load(const char *name)
{
	struct config_problems problems;
	struct config *config = config_load(name, &problems);

	ck_assert_msg(config != NULL, "%s", problems.count ? problems.lines[0] : "no reason");
	ck_assert_uint_eq(problems.count, 0);
	config_problems_free(&problems);
	return config;
}

static struct config *load_text(const char *text)
{
	write_file("conf", text);
	return load("conf");
}

static void check_error(const char *text, const char *expected)
{
	struct config_problems problems;

	write_file("conf", text);
	ck_assert_ptr_null(config_load("conf", &problems));
	ck_assert_uint_eq(problems.count, 1);
	ck_assert_str_eq(problems.lines[0], expected);
	config_problems_free(&problems);
}

static char *print(const struct config *config)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	config_print(config, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* It stands beside the pid file unless it is set, and follows it: one for each daemon. */
static void check_control(const char *keys, const char *path)
{
	char *text = xasprintf("%s\nservice a { listen = 'tcp:7001' handler = echo }\n", keys);
	struct config *config = load_text(text);

	free(text);
	if (path)
		ck_assert_str_eq(config->control, path);
	else
		ck_assert_ptr_null(config->control);
	config_free(config);
}

/* What begatd -T prints loads to what it prints. */
static void check_fixpoint(const struct config *config)
{
	char *first = print(config), *second;
	struct config *again;

	write_file("dump", first);
	again = load("dump");
	second = print(again);
	ck_assert_str_eq(first, second);
	config_free(again);
	free(first);
	free(second);
}

START_TEST(defaults)
{
	struct config *config;
	const struct service *service;
	char *path;

	enter_directory();
	config = load_text("\nservice a { listen = 'tcp:7001' handler = echo }\n"
			   "service b { listen = 'tcp:7002' exec = '/bin/true' }\n");
	path = xasprintf("%s/conf", directory);
	ck_assert_str_eq(config->file, path);
	ck_assert_uint_eq(config->nfiles, 1);
	ck_assert_int_eq(config->log, CONFIG_LOG_SYSLOG);
	ck_assert_int_eq(config->log_level, LOG_INFO);
	ck_assert_uint_eq(config->instances, 10000);
	ck_assert_int_eq(config->stop_timeout_ms, 30000);
	ck_assert(config->control_is_default && config->control_gid == (gid_t)-1);
	ck_assert_uint_eq(config->nservices, 2);
	service = config->services[0];
	ck_assert_str_eq(service->name, "a");
	ck_assert_str_eq(service->origin.file, "conf");
	ck_assert_int_eq(service->origin.line, 2);
	ck_assert(!service->disable && !service->crlf && service->no_new_privileges);
	ck_assert_int_eq(service->backlog, 4096);
	ck_assert(service->socket_uid == (uid_t)-1 && service->socket_gid == (gid_t)-1);
	ck_assert_uint_eq(service->socket_mode, 0600);
	ck_assert_uint_eq(service->umask, 022);
	ck_assert_str_eq(service->handler->name, "echo");
	ck_assert_ptr_null(service->exec);
	ck_assert_ptr_null(service->banner);
	ck_assert_int_eq(service->stderr_to, SERVICE_STDERR_LOG);
	ck_assert_str_eq(service->directory, "/");
	ck_assert_ptr_null(service->env[0]);
	ck_assert_ptr_null(service->pass_env[0]);
	ck_assert_uint_eq(service->instances, 100);
	ck_assert_int_eq(service->first_byte_ms, 60000);
	ck_assert_int_eq(service->idle_ms, 300000);
	ck_assert_int_eq(service->max_time_ms, 3600000);
	ck_assert_int_eq(service->kill_grace_ms, 5000);
	service = config->services[1];
	ck_assert_ptr_null(service->handler);
	ck_assert_str_eq(service->exec[0], "/bin/true");
	ck_assert_ptr_null(service->exec[1]);
	ck_assert_int_eq(service->max_time_ms, 0);
	ck_assert_int_eq(service->idle_ms, 0);
	check_fixpoint(config);
	config_free(config);
	free(path);
	leave_directory();
}
END_TEST

/* Without XDG_RUNTIME_DIR there is no safe place for an ordinary user's pid file. */
START_TEST(default_pidfile)
{
	struct config *config;

	enter_directory();
	setenv("XDG_RUNTIME_DIR", "/run/user/x", 1);
	config = load_text("service a { listen = 'tcp:7001' handler = echo }\n");
	ck_assert_str_eq(config->pidfile,
			 geteuid() ? "/run/user/x/begat/begat.pid" : BEGAT_PIDFILE);
	config_free(config);
	unsetenv("XDG_RUNTIME_DIR");
	config = load_text("service a { listen = 'tcp:7001' handler = echo }\n");
	ck_assert_pstr_eq(config->pidfile, geteuid() ? NULL : BEGAT_PIDFILE);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

/* It is beside the pid file unless it is set, so that each daemon has one of its own. */
START_TEST(control_goes_with_the_pid_file)
{
	struct config *config;
	char *path = xasprintf("/%0101d.sock", 0), *keys = xasprintf("pidfile = '/%0101d.pid'", 0);

	enter_directory();
	check_control("pidfile = '/run/x.pid'", "/run/x.sock");
	check_control("pidfile = '/run/x'", "/run/x.sock");
	check_control("pidfile = '/run/.pid/x.pid.old'", "/run/.pid/x.pid.old.sock");
	check_control("pidfile = '/run/x.pid' control = '/tmp/y'", "/tmp/y");
	check_control("pidfile = '/run/x.pid' control = none", NULL);
	check_control(keys, path);    /* 107 bytes, which is the most */
	keys[strlen(keys) - 5] = '0'; /* no suffix any more */
	check_control(keys, NULL);
	config = load_text("pidfile = '/run/x.pid'\n"
			   "service a { listen = 'tcp:7001' handler = echo }\n");
	config_set_pidfile(config, xstrdup("/run/y.pid"));
	ck_assert_str_eq(config->control, "/run/y.sock");
	config_set_pidfile(config, NULL);
	ck_assert_ptr_null(config->control);
	config_free(config);
	free(keys);
	free(path);
	leave_directory();
}
END_TEST

START_TEST(identity_of_root)
{
	const struct passwd *nobody = getpwnam("nobody");
	const struct service_identity *who;
	struct config *config;
	uid_t uid;

	if (geteuid() != 0 || nobody == NULL)
		return;
	uid = nobody->pw_uid;
	enter_directory();
	config = load_text("group = daemon\ndefaults { groups = { daemon, '0', root } }\n"
			   "service a { listen = 'tcp:7001' handler = echo }\n"
			   "service b { listen = 'tcp:7002' handler = echo user = root }\n"
			   "service c { listen = 'tcp:7003' handler = echo groups = {} }\n"
			   "service d { listen = 'tcp:7004' handler = echo user = '12345' "
			   "group = '54321' }\n");
	who = &config->services[0]->identity;
	ck_assert(who->set && who->uid == uid);
	ck_assert_str_eq(who->user, "nobody");
	ck_assert_str_eq(who->group, "daemon");
	ck_assert(who->gid == getgrnam("daemon")->gr_gid);
	ck_assert_uint_eq(who->ngroups, 2); /* sorted, each once */
	ck_assert(who->groups[0] == 0 && who->groups[1] == who->gid);
	who = &config->services[1]->identity;
	ck_assert(who->set && who->uid == 0);
	/* An outer user's group is none for an inner user. */
	ck_assert_uint_eq(who->gid, 0);
	ck_assert_uint_eq(config->services[2]->identity.ngroups, 0);
	who = &config->services[3]->identity;
	ck_assert(who->uid == 12345 && who->gid == 54321);
	ck_assert_str_eq(who->user, "12345");
	ck_assert_str_eq(who->group, "54321");
	ck_assert_str_eq(who->home, "/");
	check_fixpoint(config);
	config_free(config);
	check_error("service a { listen = 'tcp:1' handler = echo user = '12345' }",
		    "conf:1: user: 12345 is not in the user database; set \"group\" too");
	check_error("service a { listen = 'tcp:1' handler = echo user = '4294967295' }",
		    "conf:1: user: there is no user \"4294967295\"");
	check_error("service a { listen = 'tcp:1' handler = echo user = '-1' }",
		    "conf:1: user: there is no user \"-1\"");
	check_error("service a { listen = 'tcp:1' handler = echo groups = { a-b-c } }",
		    "conf:1: groups: there is no group \"a-b-c\"");
	leave_directory();
}
END_TEST

START_TEST(identity_of_ordinary_user)
{
	const struct service_identity *who;
	struct config *config;
	char *text;

	if (geteuid() == 0)
		ck_assert_int_eq(setgid(23456) + setuid(12345), 0);
	enter_directory();
	text = xasprintf("user = '%u' service a { listen = 'tcp:7001' handler = echo }", geteuid());
	config = load_text(text);
	who = &config->services[0]->identity;
	ck_assert(!who->set && who->uid == geteuid() && who->gid == getegid());
	ck_assert_ptr_nonnull(who->home);
	check_fixpoint(config);
	config_free(config);
	free(text);
	check_error("user = root\nservice a { listen = 'tcp:7001' handler = echo }",
		    "conf:1: user: only root can run a service as \"root\"");
	check_error("service a { listen = 'tcp:7001' handler = echo\ngroup = root }",
		    "conf:2: group: only root can run a service as \"root\"");
	check_error("service a { listen = 'tcp:7001' handler = echo\ngroups = {} }",
		    "conf:2: groups: only root can set them");
	check_error("service a { listen = 'tcp:7001' handler = echo\nsocket-user = root }",
		    "conf:2: socket-user: only root can give a socket away");
	leave_directory();
}
END_TEST

/* Values come in the table's order, the commands after them. */
START_TEST(options)
{
	const struct begat_option *option;
	const struct service *service;
	struct config *config;
	size_t index = 0;

	enter_directory();
	config = load_text(
		"service a { listen = 'tcp:7001' handler = shell options = {\n"
		"'command.a=/bin/echo  x \"y z\"', 'prompt=> ', 'command.b=/bin/true' } }");
	service = config->services[0];
	for (option = service->handler->options; option->name; option++) {
		if (option->type == BEGAT_OPTION_COMMAND)
			continue;
		ck_assert_uint_lt(index, service->nvalues);
		ck_assert_str_eq(service->values[index].name, option->name);
		if (strcmp(option->name, "prompt") == 0)
			ck_assert_str_eq(service->values[index].string, "> ");
		index++;
	}
	ck_assert_uint_eq(service->nvalues, index + 2);
	ck_assert_str_eq(service->values[index].name, "command.a");
	ck_assert_str_eq(service->values[index].argv[0], "/bin/echo");
	ck_assert_str_eq(service->values[index].argv[1], "x");
	ck_assert_str_eq(service->values[index].argv[2], "y z");
	ck_assert_ptr_null(service->values[index].argv[3]);
	ck_assert_str_eq(service->values[index + 1].name, "command.b");
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

static char *word_of(int byte)
{
	return xasprintf("%c$%c{\\%c'\"", byte, byte, byte);
}

static void check_bytes(int first, int last)
{
	FILE *file = fopen("conf", "w");
	struct config *config;

	ck_assert_ptr_nonnull(file);
	fputs("service a { listen = 'tcp:7001' exec = { '/bin/echo'", file);
	for (int byte = first; byte <= last; byte++)
		fprintf(file, ",\n\"\\x%02x$\\x%02x{\\\\\\x%02x'\\\"\"", byte, byte, byte);
	fputs("} }\n", file);
	ck_assert_int_eq(fclose(file), 0);
	config = load("conf");
	for (int byte = first; byte <= last; byte++) {
		char *expected = word_of(byte);

		ck_assert_str_eq(config->services[0]->exec[byte - first + 1], expected);
		free(expected);
	}
	check_fixpoint(config);
	config_free(config);
}

/* Every byte that can be written comes back from the dump, beside all that is special. */
START_TEST(every_byte_survives)
{
	enter_directory();
	check_bytes(2, 127);
	check_bytes(128, 255);
	leave_directory();
}
END_TEST

/* A dump must not grow over the limit of a file because of ranges. */
START_TEST(ranges_stay_ranges)
{
	struct config *config;
	char *text;

	enter_directory();
	config = load_text("service a { listen = { 'tcp:1-65535', 'tcp4:0', 'unix:/a' } "
			   "handler = echo }\n");
	ck_assert_uint_eq(config->services[0]->nlisten, 65537);
	text = print(config);
	ck_assert_ptr_nonnull(strstr(text, "{ \"tcp:1-65535\", \"tcp4:0\", \"unix:/a\" }"));
	check_fixpoint(config);
	config_free(config);
	free(text);
	leave_directory();
}
END_TEST

/* The names of origins belong to the configuration, and the order is that of the files. */
START_TEST(several_files)
{
	struct config *config;

	enter_directory();
	write_file("b.inc", "service b { listen = 'tcp:7002'\nhandler = echo }");
	config = load_text("include('*.inc')\nservice a { listen = 'tcp:7001' handler = echo }");
	ck_assert_uint_eq(config->nfiles, 2);
	ck_assert_str_eq(config->files[1], "b.inc");
	ck_assert_str_eq(config->services[0]->name, "a");
	ck_assert_str_eq(config->services[1]->name, "b");
	ck_assert_ptr_eq(config->services[1]->listen[0].origin.file, config->files[1]);
	ck_assert_int_eq(config->services[1]->listen[0].origin.line, 1);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

/* A failed load leaves nothing behind that disturbs the next one (design 4.2: libconfuse's include
 * is dead after ten). */
START_TEST(loading_again_and_again)
{
	enter_directory();
	write_file("bad.inc", "service b {");
	write_file("good.inc", "service c { listen = 'tcp:7003' handler = echo }");
	for (int i = 0; i < 50; i++) {
		check_error("include('bad.inc') service a { listen = 'tcp:7001' handler = echo }",
			    "bad.inc:1: \"{\" is never closed");
		config_free(load_text("include('good.inc')"));
	}
	leave_directory();
}
END_TEST

/* 1,000 services with 100,000 prefixes in "defaults" are one list and not a thousand. */
START_TEST(lists_are_shared)
{
	struct config *config;
	const struct service *first, *second, *other;

	enter_directory();
	config = load_text(
		"defaults { only-from = 10.0.0.0/8 no-access = 10.1.0.0/16\n"
		"	access-times = '08:00-18:00' }\n"
		"service a { listen = 'tcp:7001' handler = echo }\n"
		"service b { listen = 'tcp:7002' handler = echo only-from = 10.0.0.0/8 }\n"
		"service c { listen = 'tcp:7003' handler = echo }");
	first = config->services[0];
	other = config->services[1];
	second = config->services[2];
	ck_assert_ptr_nonnull(first->admission.only_from);
	ck_assert_ptr_nonnull(first->admission.no_access);
	ck_assert_ptr_null(first->admission.proxies);
	ck_assert_ptr_nonnull(first->admission.times);
	ck_assert_mem_eq(&first->admission, &second->admission,
			 offsetof(struct service_admission, times));
	ck_assert_ptr_eq(first->admission.times, second->admission.times);
	ck_assert_ptr_ne(first->admission.only_from, other->admission.only_from);
	ck_assert_ptr_eq(first->admission.no_access, other->admission.no_access);
	ck_assert_uint_eq(config->npeers, 3);
	ck_assert_uint_eq(config->nschedules, 1);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

/* However many warnings there are, the error is among what is said. */
START_TEST(errors_before_warnings)
{
	struct config_problems problems;
	bool found = false;
	FILE *file;

	enter_directory();
	file = fopen("conf", "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 1; i <= 300; i++)
		fprintf(file, "service a%d { listen = 'tcp:%d' handler = echo per-source = 101 }\n",
			i, i);
	fprintf(file, "service b { listen = 'tcp:301' handler = echo rate = 0/h }\n");
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_ptr_null(config_load("conf", &problems));
	ck_assert_uint_eq(problems.warnings, 199);
	for (size_t i = 0; i < problems.count; i++)
		found |= strncmp(problems.lines[i], "conf:301: rate: \"0/h\": 0 is not ", 32) == 0;
	ck_assert(found);
	config_problems_free(&problems);
	leave_directory();
}
END_TEST

/* Who reads a configuration of root's must not be made to wait for it. */
START_TEST(thousand_services)
{
	struct config *config;
	FILE *file;

	enter_directory();
	file = fopen("conf", "w");
	ck_assert_ptr_nonnull(file);
	for (int i = 1; i <= 1000; i++)
		fprintf(file,
			"service s%d { listen = { 'tcp:%d', 'unix:/run/%d' } handler = echo }\n", i,
			i, i);
	ck_assert_int_eq(fclose(file), 0);
	config = load("conf");
	ck_assert_uint_eq(config->nservices, 1000);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

/* The cage: messages and what the kernel must have for each key are in tests/config/. */

static bool is_empty(const struct service_cage *cage)
{
	static const struct service_cage none;

	return memcmp(cage, &none, sizeof(none)) == 0;
}

/* What is not said is not set, and what a service says replaces what the defaults say. */
START_TEST(cage_is_what_was_said)
{
	struct config *config;

	enter_directory();
	config = load_text(
		"defaults { nice = 5 limits = 'core=0' on-master-death = die }\n"
		"service a { listen = 'tcp:7001' handler = echo }\n"
		"service b { listen = 'tcp:7002' exec = '/bin/true' nice = 0 limits = {}\n"
		"	on-master-death = finish chroot = '/' private-network = false }\n");
	ck_assert(config->services[0]->cage.set_nice && config->services[0]->cage.nice == 5);
	ck_assert(config->services[0]->cage.die_with_master);
	ck_assert_uint_eq(config->services[0]->cage.nlimits, 1);
	ck_assert(!config->services[0]->cage.set_private_network);
	ck_assert(config->services[1]->cage.set_nice && config->services[1]->cage.nice == 0);
	ck_assert(config->services[1]->cage.set_private_network);
	ck_assert_uint_eq(config->services[1]->cage.nlimits, 0);
	ck_assert_ptr_null(config->services[1]->cage.chroot);
	check_fixpoint(config);
	config_free(config);
	config = load_text("service a { listen = 'tcp:7001' handler = echo }\n"
			   "service b { listen = 'tcp:7002' exec = '/bin/true' }\n");
	ck_assert(is_empty(&config->services[0]->cage) && is_empty(&config->services[1]->cage));
	config_free(config);
	leave_directory();
}
END_TEST

static void check_limit(const struct service_cage *cage, int resource, uint64_t soft, uint64_t hard)
{
	for (size_t i = 0; i < cage->nlimits; i++) {
		if (cage->limits[i].resource != resource)
			continue;
		ck_assert_uint_eq(cage->limits[i].soft, soft);
		ck_assert_uint_eq(cage->limits[i].hard, hard);
		return;
	}
	ck_abort_msg("there is no limit %d", resource);
}

/* The kernel wants bytes, seconds or microseconds, and has an infinity of its own. */
START_TEST(limits_are_in_units_of_the_kernel)
{
	const struct service_cage *cage;
	struct config *config;

	enter_directory();
	config = load_text(
		"service a { listen = 'tcp:7001' handler = echo disable = true limits = {\n"
		"'stack=8m:infinity', 'cpu=1h30m', 'rttime=1s5ms', 'nproc=5', 'as=64k' } }");
	cage = &config->services[0]->cage;
	ck_assert_uint_eq(cage->nlimits, 5);
	for (size_t i = 1; i < cage->nlimits; i++)
		ck_assert_int_lt(cage->limits[i - 1].resource, cage->limits[i].resource);
	check_limit(cage, RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
	check_limit(cage, RLIMIT_CPU, 5400, 5400);
	check_limit(cage, RLIMIT_RTTIME, 1005000, 1005000);
	check_limit(cage, RLIMIT_NPROC, 5, 5);
	check_limit(cage, RLIMIT_AS, 65536, 65536);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

/* Sorted, whatever the order and the form; all of them take no time by their square. */
START_TEST(ports_are_a_set)
{
	const struct service_cage *cage;
	struct config *config;

	enter_directory();
	config = load_text("service a { listen = 'tcp:7001' handler = echo disable = true\n"
			   "connect = { 65535, 8000-8002, http, 22, 8003 } bind = { 0-65535 } }\n"
			   "service b { listen = 'tcp:7002' handler = echo disable = true\n"
			   "connect = {} }");
	cage = &config->services[0]->cage;
	ck_assert_uint_eq(cage->connect.count, 7);
	ck_assert_uint_eq(cage->connect.all[0], 22);
	ck_assert_uint_eq(cage->connect.all[1], 80);
	for (size_t i = 2; i < 6; i++)
		ck_assert_uint_eq(cage->connect.all[i], 7998 + i);
	ck_assert_uint_eq(cage->connect.all[6], 65535);
	ck_assert_uint_eq(cage->bind.count, 65536);
	cage = &config->services[1]->cage;
	ck_assert(cage->connect.set && cage->connect.count == 0 && !cage->bind.set);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

/* Capabilities of the defaults are for programs; a handler never has any. */
START_TEST(capabilities_of_programs)
{
	const struct service_cage *cage;
	struct config *config;

	if (geteuid() != 0)
		return;
	enter_directory();
	config = load_text(
		"defaults { capabilities = { '5', '0' } }\n"
		"service a { listen = 'tcp:7001' handler = echo }\n"
		"service b { listen = 'tcp:7002' exec = '/bin/true' }\n"
		"service c { listen = 'tcp:7003' exec = '/bin/true' capabilities = {} }\n");
	ck_assert(!config->services[0]->cage.set_capabilities);
	cage = &config->services[1]->cage;
	ck_assert(cage->set_capabilities && cage->capabilities == (1 << 5 | 1 << 0));
	cage = &config->services[2]->cage;
	ck_assert(cage->set_capabilities && cage->capabilities == 0);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

static void become_ordinary(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(setgid(23456) + setuid(12345), 0);
}

#define WANTED                                                                                     \
	"service a { listen = 'tcp:7001' exec = '/bin/true'\nprivate-network = true\nchroot = "    \
	"'/usr'\n"                                                                                 \
	"capabilities = '5'\nnice = -20\nlimits = { 'core=0', 'nofile=infinity',\n'nproc=5' }\n"

/* Nothing later may try what cannot be had. */
START_TEST(best_effort_leaves_out)
{
	struct config_problems problems;
	const struct service_cage *cage;
	struct config *config;

	become_ordinary();
	enter_directory();
	write_file("conf", WANTED "sandbox = best-effort }");
	config = config_load("conf", &problems);
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(problems.count, 5);
	ck_assert_uint_eq(problems.warnings, 5);
	for (size_t i = 0; i < problems.count; i++)
		ck_assert_int_eq(problems.lines[i][strlen("conf:")], '2' + (int)i);
	config_problems_free(&problems);
	cage = &config->services[0]->cage;
	ck_assert(!cage->private_network && cage->capabilities == 0 && !cage->set_nice);
	ck_assert_ptr_null(cage->chroot);
	ck_assert_uint_eq(cage->nlimits, 2);
	check_limit(cage, RLIMIT_CORE, 0, 0);
	check_limit(cage, RLIMIT_NPROC, 5, 5);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

/* "require" is the default, and where the service is off it is all the same. */
START_TEST(require_is_an_error)
{
	struct config_problems problems;

	become_ordinary();
	enter_directory();
	write_file("conf", WANTED "}");
	ck_assert_ptr_null(config_load("conf", &problems));
	ck_assert_uint_eq(problems.count, 5);
	ck_assert_uint_eq(problems.warnings, 0);
	config_problems_free(&problems);
	config_free(load_text(WANTED "disable = true }"));
	leave_directory();
}
END_TEST

/* Standing workers, redirects and tcpmux; the messages are in tests/config/. */

static const struct {
	const char *keys, *stands; /* by listener */
	bool wholly;
} standings[] = {
	{ "listen = 'tcp:7001' handler = daytime", "-", false },
	{ "listen = 'udp:7001' handler = daytime", "s", true },
	{ "listen = { 'tcp:7001', 'udp:7001' } handler = daytime", "-s", false },
	{ "listen = { 'tcp:7001', 'udp:7001' } handler = daytime wait = yes", "ss", true },
	{ "listen = { 'unix:@a', 'tcp6:7001' } exec = '/bin/true' wait = yes", "ss", true },
	{ "listen = 'udp:7001' exec = '/bin/true' wait = yes", "s", true },
	{ "listen = 'udp:7001' redirect = 'udp:192.0.2.1:53'", "s", true },
	{ "listen = { 'fifo:/a', 'udp:7001', 'unix:/b' } handler = daytime", "-s-", false },
	{ "handler = echo tcpmux = yes", "", false },
};

/* Who has the socket: a datagram's listener always lends it, a stream's when it shall, and a FIFO
 * never. */
START_TEST(listeners_that_stand)
{
	const char *stands = standings[_i].stands;
	char *text = xasprintf("service a { %s }\n"
			       "service mux { listen = 'tcp:1' handler = tcpmux }\n"
			       "service b { handler = echo tcpmux = yes }\n",
			       standings[_i].keys);
	struct config *config;
	const struct service *service;

	enter_directory();
	config = load_text(text);
	service = config->services[0];
	ck_assert_uint_eq(service->nlisten, strlen(stands));
	for (size_t i = 0; i < service->nlisten; i++)
		ck_assert_msg(service_listen_stands(service, &service->listen[i]) ==
				      (stands[i] == 's'),
			      "%s: %zu", standings[_i].keys, i);
	ck_assert(service_stands(service) == (strchr(stands, 's') != NULL));
	ck_assert(service_stands_wholly(service) == standings[_i].wholly);
	check_fixpoint(config);
	config_free(config);
	free(text);
	leave_directory();
}
END_TEST

static void check_reply(const char *keys, unsigned max, unsigned factor, unsigned count,
			int64_t period_ms)
{
	char *text = xasprintf("service a { %s }\n", keys);
	struct config *config = load_text(text);
	const struct service *service = config->services[0];

	ck_assert_uint_eq(service->reply_max, max);
	ck_assert_uint_eq(service->reply_factor, factor);
	ck_assert_uint_eq(service->reply_rate.count, count);
	ck_assert_int_eq(service->reply_rate.period_ms, period_ms);
	check_fixpoint(config);
	config_free(config);
	free(text);
}

/* Whoever forgets all of them is no amplifier.  A redirect passes on what would come anyway. */
START_TEST(answers_to_datagrams_are_limited)
{
	enter_directory();
	check_reply("listen = 'udp:7001' handler = time", 512, 4, 100, 1000);
	check_reply("listen = { 'tcp:7001', 'udp:7001' } handler = time", 512, 4, 100, 1000);
	check_reply("listen = 'udp:7001' handler = time reply-max = 65507 reply-factor = 0\n"
		    "rate-per-source = none",
		    65507, 0, 0, 0);
	check_reply("listen = 'udp:7001' handler = time rate-per-source = '5/m'", 512, 4, 5, 60000);
	check_reply("listen = 'tcp:7001' handler = time", 512, 4, 0, 0);
	check_reply("listen = 'udp:7001' redirect = 'udp:192.0.2.1:53'", 512, 4, 0, 0);
	check_reply("listen = 'udp:7001' exec = '/bin/true'", 512, 4, 0, 0);
	leave_directory();
}
END_TEST

/* The defaults are for services in general: what cannot hold is left out, and who comes in is said
 * aloud. */
START_TEST(defaults_in_vain)
{
	struct config_problems problems;
	const struct service *service;
	struct config *config;

	enter_directory();
	write_file("conf",
		   "defaults { only-from = '192.0.2.0/24' no-access = '192.0.2.7' ban = '1m'\n"
		   "banner = 'x' banner-fail = 'x' per-source = 2 rate-per-source = '5/s'\n"
		   "crlf = yes stderr = client max-time = '5m' }\n"
		   "service a { listen = 'udp:7001' exec = '/bin/true' }\n"
		   "service b { listen = 'udp:7002' handler = time }\n");
	config = config_load("conf", &problems);
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(problems.count, 2);
	ck_assert_uint_eq(problems.warnings, 2);
	config_problems_free(&problems);
	service = config->services[0];
	ck_assert_ptr_null(service->admission.only_from);
	ck_assert_ptr_null(service->admission.no_access);
	ck_assert_ptr_null(service->admission.banner_fail);
	ck_assert_ptr_null(service->banner);
	ck_assert_uint_eq(service->admission.per_source, 0);
	ck_assert_uint_eq(service->admission.source_rate.count, 0);
	ck_assert_int_eq(service->admission.ban_ms, 0);
	ck_assert_uint_eq(service->admission.ban_after.count, 0);
	ck_assert(!service->crlf && service->stderr_to == SERVICE_STDERR_LOG);
	ck_assert_int_eq(service->max_time_ms, 300000); /* it can be ended like any program */
	service = config->services[1];
	ck_assert_ptr_nonnull(service->admission.only_from);
	ck_assert_ptr_nonnull(service->admission.no_access);
	ck_assert_uint_eq(service->admission.per_source, 2);
	ck_assert_uint_eq(service->reply_rate.count, 5);
	ck_assert_int_eq(service->admission.ban_ms, 0);
	ck_assert_ptr_null(service->banner);
	ck_assert_int_eq(service->max_time_ms, 0);
	ck_assert_int_eq(service->first_byte_ms, 0);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

static const struct begat_value *find_value(const struct service *service, const char *name)
{
	for (size_t i = 0; i < service->nvalues; i++)
		if (strcmp(service->values[i].name, name) == 0)
			return &service->values[i];
	ck_abort_msg("there is no value %s", name);
}

/* The handler finds its options as if they had been options, and the targets as one command. */
START_TEST(redirects)
{
	const struct service *service;
	struct config *config;
	char *const *targets;

	enter_directory();
	config =
		load_text("defaults { connect-timeout = '2s' send-proxy = v2 handler = echo }\n"
			  "service a { listen = 'tcp:7001'\n"
			  "redirect = { 'tcp:192.0.2.1:80', 'tcp:EXAMPLE.com:8080' } }\n"
			  "service b { listen = 'udp:7001' redirect = 'udp:192.0.2.1:53' }\n"
			  "service c { listen = 'tcp:7002' redirect = 'unix:/a' send-proxy = none\n"
			  "connect-timeout = '1h' }\n"
			  "service d { listen = 'tcp:7003' }\n");
	service = config->services[0];
	ck_assert_str_eq(service->handler->name, "redirect");
	ck_assert_int_eq(find_value(service, "connect-timeout")->number, 2000);
	ck_assert_str_eq(find_value(service, "send-proxy")->string, "v2");
	targets = service_targets(service);
	ck_assert_ptr_eq(targets, find_value(service, "target")->argv);
	ck_assert_str_eq(targets[0], "tcp:192.0.2.1:80");
	ck_assert_str_eq(targets[1], "tcp:example.com:8080");
	ck_assert_ptr_null(targets[2]);
	ck_assert_int_eq(service->max_time_ms, 0);
	ck_assert_int_eq(service->first_byte_ms, 0);
	ck_assert_int_eq(service->idle_ms, 300000);
	service = config->services[1];
	ck_assert_str_eq(find_value(service, "send-proxy")->string, "none");
	service = config->services[2];
	ck_assert_int_eq(find_value(service, "connect-timeout")->number, 3600000);
	ck_assert_str_eq(find_value(service, "send-proxy")->string, "none");
	service = config->services[3];
	ck_assert_str_eq(service->handler->name, "echo");
	ck_assert_ptr_null(service_targets(service)[0]);
	check_fixpoint(config);
	config_free(config);
	leave_directory();
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, defaults);
	tcase_add_test(tests, default_pidfile);
	tcase_add_test(tests, control_goes_with_the_pid_file);
	tcase_add_test(tests, identity_of_root);
	tcase_add_test(tests, identity_of_ordinary_user);
	tcase_add_test(tests, options);
	tcase_add_test(tests, every_byte_survives);
	tcase_add_test(tests, ranges_stay_ranges);
	tcase_add_test(tests, several_files);
	tcase_add_test(tests, loading_again_and_again);
	tcase_add_test(tests, lists_are_shared);
	tcase_add_test(tests, errors_before_warnings);
	tcase_add_test(tests, thousand_services);
	tcase_add_test(tests, cage_is_what_was_said);
	tcase_add_test(tests, limits_are_in_units_of_the_kernel);
	tcase_add_test(tests, ports_are_a_set);
	tcase_add_test(tests, capabilities_of_programs);
	tcase_add_test(tests, best_effort_leaves_out);
	tcase_add_test(tests, require_is_an_error);
	tcase_add_loop_test(tests, listeners_that_stand, 0,
			    sizeof(standings) / sizeof(standings[0]));
	tcase_add_test(tests, answers_to_datagrams_are_limited);
	tcase_add_test(tests, defaults_in_vain);
	tcase_add_test(tests, redirects);
	return suite_finish("config", tests);
}
