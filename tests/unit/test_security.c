/* SPDX-License-Identifier: ISC */
/* The score of services that are made up: each item by itself, and what closes it. */
#include "config.h"

#include <jansson.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/landlock.h"
#include "base/mem.h"
#include "cage/program.h"
#include "cage/guard.h"
#include "cage/security-reasons.h"
#include "cage/security.h"
#include "cage/syscalls.h"
#include "suite.h"

#define BIT(capability) (UINT64_C(1) << (capability))
#define ALL_FILES	(LANDLOCK_REFER - 1)
#define ALL_PORTS	(LANDLOCK_CONNECT | LANDLOCK_BIND)
#define ALL_SCOPES	(LANDLOCK_ABSTRACT_SOCKETS | LANDLOCK_SIGNALS)
#define READ		LANDLOCK_READ_FILE
#define EXECUTE		(LANDLOCK_READ_FILE | LANDLOCK_EXECUTE)
#define WRITE		(LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE)

static const struct kernel kernel = {
	.landlock = 6,
	.has_filters = true,
	.capabilities = BIT(41) - 1,
	.known_capabilities = BIT(41) - 1,
};

static char only_read[] = "read", *nothing[] = { only_read, NULL };
static struct service_limit memory_limit = { RLIMIT_AS, 1 << 20, 1 << 20 };

/* Whatever can be open, is; and closed, is closed. */
static struct service make_open(void)
{
	return (struct service){
		.name = (char *)"made-up",
		.identity = { .set = true, .user = (char *)"root", .group = (char *)"root" },
		.stderr_to = SERVICE_STDERR_CLIENT,
	};
}

static struct service make_closed(void)
{
	return (struct service){
		.name = (char *)"made-up",
		.identity = { .set = true,
			      .uid = 65534,
			      .gid = 65534,
			      .user = (char *)"nobody",
			      .group = (char *)"nogroup" },
		.umask = 022,
		.no_new_privileges = true,
	};
}

static struct cage cage_closed(void)
{
	return (struct cage){
		.limits = &memory_limit,
		.nlimits = 1,
		.set_capabilities = true,
		.private_network = true,
		.private_tmp = true,
		.private_pids = true,
		.deny_write_execute = true,
		.rules.handled = { ALL_FILES, ALL_PORTS, ALL_SCOPES },
		.system_calls = nothing,
		.tasks_max = 5,
	};
}

static unsigned score_on(const struct service *service, const struct cage *cage,
			 const struct kernel *machine)
{
	struct calls_memory memory = { 0 };
	struct security security;

	security_assess(service, cage, machine, &memory, &security);
	security_fini(&security);
	calls_fini(&memory);
	return security.score;
}

static unsigned score(const struct service *service, const struct cage *cage)
{
	return score_on(service, cage, &kernel);
}

static bool costs(const struct service *service, const struct cage *cage, const char *item)
{
	struct calls_memory memory = { 0 };
	struct security security;
	size_t i;

	for (i = 0; i < SECURITY_ITEMS && strcmp(security_items[i].name, item) != 0; i++)
		;
	ck_assert_msg(i < SECURITY_ITEMS, "%s", item);
	security_assess(service, cage, &kernel, &memory, &security);
	security_fini(&security);
	calls_fini(&memory);
	return security.costs[i];
}

/* The table */

/* 10.0 is what the manual page says, and a name that is there twice would be one key in JSON. */
START_TEST(weights_make_ten)
{
	unsigned sum = 0;

	for (size_t i = 0; i < SECURITY_ITEMS; i++) {
		sum += security_items[i].weight;
		ck_assert_uint_gt(security_items[i].weight, 0);
		ck_assert_ptr_nonnull(security_items[i].keys);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(security_items[i].name, security_items[j].name);
	}
	ck_assert_uint_eq(sum, 100);
}
END_TEST

/* No item can hide: all of them together are reached. */
START_TEST(open_is_ten)
{
	const struct service service = make_open();
	const struct cage cage = { 0 };

	ck_assert_uint_eq(score(&service, &cage), 100);
}
END_TEST

START_TEST(words)
{
	ck_assert_int_eq(security_word(0), SECURITY_TIGHT);
	ck_assert_int_eq(security_word(9), SECURITY_TIGHT);
	ck_assert_int_eq(security_word(10), SECURITY_GOOD);
	ck_assert_int_eq(security_word(29), SECURITY_GOOD);
	ck_assert_int_eq(security_word(30), SECURITY_FAIR);
	ck_assert_int_eq(security_word(69), SECURITY_FAIR);
	ck_assert_int_eq(security_word(70), SECURITY_EXPOSED);
	ck_assert_int_eq(security_word(100), SECURITY_EXPOSED);
}
END_TEST

/* What a service gains by one key, from everything open. */
START_TEST(one_key_closes_its_items)
{
	struct service service = make_open();
	struct cage cage = { 0 };

	service.no_new_privileges = true;
	ck_assert_uint_eq(score(&service, &cage), 90);
	service = make_open();
	service.umask = 022;
	ck_assert_uint_eq(score(&service, &cage), 99);
	service.umask = 002; /* is not enough */
	ck_assert_uint_eq(score(&service, &cage), 100);
	service = make_open();
	service.stderr_to = SERVICE_STDERR_LOG;
	ck_assert_uint_eq(score(&service, &cage), 99);
	service = make_open();
	cage.private_network = true;
	ck_assert_uint_eq(score(&service, &cage), 100 - 13);
	cage = (struct cage){ .private_tmp = true };
	ck_assert_uint_eq(score(&service, &cage), 98);
	cage = (struct cage){ .private_pids = true };
	ck_assert_uint_eq(score(&service, &cage), 98);
	cage = (struct cage){ .deny_write_execute = true };
	ck_assert_uint_eq(score(&service, &cage), 98);
	cage = (struct cage){ .tasks_max = 10 };
	ck_assert_uint_eq(score(&service, &cage), 98);
	cage = (struct cage){ .memory_max = 1 << 20 };
	ck_assert_uint_eq(score(&service, &cage), 99);
	cage = (struct cage){ .rules.handled.files = ALL_FILES };
	ck_assert_uint_eq(score(&service, &cage), 80);
	cage = (struct cage){ .rules.handled.ports = ALL_PORTS };
	ck_assert_uint_eq(score(&service, &cage), 93);
	cage = (struct cage){ .rules.handled.ports = LANDLOCK_CONNECT };
	ck_assert_uint_eq(score(&service, &cage), 96);
}
END_TEST

/* A program of nobody's without a key: what begat gives by itself. */
START_TEST(a_plain_program)
{
	struct service service = make_closed();
	const struct cage cage = { 0 };

	ck_assert_uint_eq(score(&service, &cage), 60);
	service.no_new_privileges = false;
	ck_assert_uint_eq(score(&service, &cage), 70);
}
END_TEST

/* Who */

START_TEST(root_keeps_what_it_has)
{
	struct service service = make_closed();
	struct cage cage = { 0 };
	struct kernel machine = kernel;

	service.identity.uid = 0;
	ck_assert_uint_eq(score(&service, &cage), 60 + 12 + 14);
	machine.capabilities = BIT(CAP_NET_BIND_SERVICE); /* in a container */
	ck_assert_uint_eq(score_on(&service, &cage, &machine), 60 + 12 + 4);
	cage.set_capabilities = true;
	ck_assert_uint_eq(score(&service, &cage), 60 + 12);
	cage.capabilities = BIT(CAP_DAC_OVERRIDE);
	ck_assert_uint_eq(score(&service, &cage), 60 + 12 + 14);
}
END_TEST

START_TEST(groups_of_root)
{
	gid_t groups[] = { 0, 4 };
	struct service service = make_closed();
	const struct cage cage = cage_closed();

	ck_assert(!costs(&service, &cage, "root-group"));
	service.identity.groups = groups;
	service.identity.ngroups = 2;
	ck_assert(costs(&service, &cage, "root-group"));
	service.identity.groups = groups + 1;
	service.identity.ngroups = 1;
	ck_assert(!costs(&service, &cage, "root-group"));
	service.identity.gid = 0;
	ck_assert(costs(&service, &cage, "root-group"));
}
END_TEST

/* Limits */

/* The soft one is the program's to raise: setrlimit(2). */
START_TEST(hard_limits_count)
{
	struct service_limit limit = { RLIMIT_NPROC, 10, RLIM_INFINITY };
	struct service service = make_closed();
	struct cage cage = { .limits = &limit, .nlimits = 1 };

	ck_assert(costs(&service, &cage, "processes"));
	limit.hard = 10;
	ck_assert(!costs(&service, &cage, "processes"));
	ck_assert(costs(&service, &cage, "memory"));
	service.identity.uid = 0; /* whom it does not hold */
	ck_assert(costs(&service, &cage, "processes"));
	limit.resource = RLIMIT_DATA;
	ck_assert(!costs(&service, &cage, "memory"));
}
END_TEST

/* Files */

static struct cage cage_with(struct rule *rules, size_t count)
{
	return (struct cage){ .rules = { rules, count, { ALL_FILES, ALL_PORTS, ALL_SCOPES } } };
}

START_TEST(paths)
{
	static const struct {
		const char *path;
		uint64_t rights;
		const char *costs[4];
	} table[] = {
		{ "/srv", READ, { NULL } },
		{ "/", READ, { "reads-all", NULL } },
		{ "/", EXECUTE, { "reads-all", "executes-all", NULL } },
		{ "/usr/bin", EXECUTE, { "executes-all", NULL } },
		{ "/usr/bin/git", EXECUTE, { NULL } },
		{ "/srv", WRITE, { NULL } },
		{ "/", WRITE, { "reads-all", "writes-system", "shared-tmp", NULL } },
		{ "/etc", WRITE, { "writes-system", NULL } },
		{ "/etc/motd", WRITE, { NULL } },
		{ "/tmp", WRITE, { "shared-tmp", NULL } },
		{ "/var/tmp/x", WRITE, { "shared-tmp", NULL } },
		{ "/tmpx", WRITE, { NULL } },
		{ "/srv", WRITE | EXECUTE, { "executes-written", NULL } },
	};
	static const char *const items[] = { "reads-all",	 "writes-system", "executes-all",
					     "executes-written", "host-files",	  "shared-tmp" };
	const struct service service = make_closed();

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct rule rule = { .path = (char *)table[i].path, .rights = table[i].rights };
		const struct cage cage = cage_with(&rule, 1);

		for (size_t j = 0; j < sizeof(items) / sizeof(*items); j++) {
			bool expected = false;

			for (const char *const *each = table[i].costs; *each; each++)
				expected |= strcmp(*each, items[j]) == 0;
			ck_assert_msg(costs(&service, &cage, items[j]) == expected, "%s %zu: %s",
				      table[i].path, i, items[j]);
		}
	}
}
END_TEST

/* Either may be beneath the other. */
START_TEST(written_and_executed)
{
	struct rule rules[] = {
		{ .path = (char *)"/srv/git", .rights = EXECUTE },
		{ .path = (char *)"/srv/git-data", .rights = WRITE },
	};
	const struct service service = make_closed();
	const struct cage cage = cage_with(rules, 2);

	ck_assert(!costs(&service, &cage, "executes-written"));
	rules[1].path = (char *)"/srv/git/data";
	ck_assert(costs(&service, &cage, "executes-written"));
	rules[1].path = (char *)"/srv";
	ck_assert(costs(&service, &cage, "executes-written"));
}
END_TEST

/* What a program cannot start without is no path of its service, and /dev/null is not written to;
 * a missing one that may be missing is none either. */
START_TEST(own_paths_do_not_count)
{
	char program[] = "/bin/sh", *exec[] = { program, NULL };
	struct service service = make_closed();
	struct calls_memory memory = { 0 };
	struct security security;
	struct cage cage = { .rules.handled = { ALL_FILES, 0, 0 } };

	service.exec = exec;
	program_add_rules(&cage.rules, "/bin/sh", NULL);
	security_assess(&service, &cage, &kernel, &memory, &security);
	ck_assert_uint_eq(security.paths.count, 0);
	ck_assert_uint_eq(security.paths.writable, 0);
	security_fini(&security);
	rules_add_path(&cage.rules, "/no/such/path", READ, true);
	rules_add_path(&cage.rules, "/not/there/either", READ, false);
	rules_add_path(&cage.rules, "/dev/null", WRITE | LANDLOCK_MAKE_CHAR, false);
	rules_add_path(&cage.rules, "/bin/sh", WRITE, false);
	security_assess(&service, &cage, &kernel, &memory, &security);
	ck_assert_uint_eq(security.paths.count, 3);
	ck_assert_uint_eq(security.paths.writable, 2);
	ck_assert_uint_eq(security.paths.executable, 1);
	security_fini(&security);
	rules_fini(&cage.rules);
	calls_fini(&memory);
}
END_TEST

/* Whoever can leave it gains nothing by it. */
START_TEST(chroot_holds_whom_it_holds)
{
	struct service service = make_closed();
	struct cage cage = { .chroot = "/srv", .set_capabilities = true };

	ck_assert(!costs(&service, &cage, "host-files"));
	ck_assert(!costs(&service, &cage, "shared-tmp"));
	cage.capabilities = BIT(CAP_SYS_CHROOT);
	ck_assert(costs(&service, &cage, "host-files"));
	ck_assert(costs(&service, &cage, "shared-tmp"));
}
END_TEST

/* The network */

START_TEST(ports)
{
	struct rule rules[] = {
		{ .port = 80, .rights = LANDLOCK_CONNECT },
		{ .port = 8000, .rights = LANDLOCK_BIND },
	};
	struct service service = make_closed();
	struct cage cage = cage_with(rules, 2);

	ck_assert(costs(&service, &cage, "connects"));
	ck_assert(costs(&service, &cage, "binds"));
	ck_assert(!costs(&service, &cage, "connects-all"));
	ck_assert(!costs(&service, &cage, "binds-all"));
	ck_assert(costs(&service, &cage, "other-sockets"));
	ck_assert(!costs(&service, &cage, "abstract-sockets"));
	cage.rules.count = 1;
	ck_assert(!costs(&service, &cage, "binds"));
	cage.rules.handled.ports = LANDLOCK_BIND;
	ck_assert(costs(&service, &cage, "connects-all"));
	cage.private_network = true;
	ck_assert(!costs(&service, &cage, "connects"));
	ck_assert(!costs(&service, &cage, "other-sockets"));
}
END_TEST

/* No Internet is no network, but a Unix socket without a path belongs to it. */
START_TEST(guards_take_the_network)
{
	struct service service = make_closed();
	struct cage cage = { .guards = GUARD_NAMESPACES };

	ck_assert(costs(&service, &cage, "other-sockets"));
	cage.guards = GUARD_TCP;
	ck_assert(costs(&service, &cage, "other-sockets"));
	ck_assert(costs(&service, &cage, "connects-all"));
	cage.guards = GUARD_UNIX;
	ck_assert(!costs(&service, &cage, "other-sockets"));
	ck_assert(!costs(&service, &cage, "connects-all"));
	ck_assert(!costs(&service, &cage, "connects"));
	ck_assert(!costs(&service, &cage, "binds-all"));
	ck_assert(!costs(&service, &cage, "binds"));
	ck_assert(costs(&service, &cage, "abstract-sockets"));
	cage.rules.handled.scopes = LANDLOCK_ABSTRACT_SOCKETS;
	ck_assert(!costs(&service, &cage, "abstract-sockets"));
	cage.rules.handled.scopes = 0;
	cage.private_network = true;
	ck_assert(!costs(&service, &cage, "abstract-sockets"));
}
END_TEST

/* System calls */

#ifdef HAVE_SECCOMP
START_TEST(closed_is_nothing)
{
	const struct service service = make_closed();
	const struct cage cage = cage_closed();

	ck_assert_uint_eq(score(&service, &cage), 0);
}
END_TEST

/* Of a service that only says which calls it makes. */
static bool costs_with(const char *item, const char *const *calls)
{
	const struct service service = make_closed();
	const struct cage cage = { .system_calls = (char **)calls };

	return costs(&service, &cage, item);
}

#define WITH(item, ...) costs_with(item, (const char *const[]){ __VA_ARGS__, NULL })

START_TEST(sets_that_are_left)
{
	ck_assert(!WITH("no-filter", "read"));
	ck_assert(WITH("no-filter", "@all"));
	ck_assert(WITH("calls-mount", "@all"));
	ck_assert(WITH("calls-mount", "read", "umount2"));
	ck_assert(!WITH("calls-mount", "read"));
	ck_assert(!WITH("calls-mount", "~@mount"));
	ck_assert(WITH("calls-module", "~@mount"));
	ck_assert(WITH("calls-debug", "read", "ptrace"));
	ck_assert(WITH("calls-privileged", "@system-service"));
	ck_assert(!WITH("calls-privileged", "@system-service", "~@privileged"));
	ck_assert(WITH("calls-obsolete", "~@cpu-emulation"));
	ck_assert(!WITH("calls-obsolete", "~@cpu-emulation", "~@obsolete"));
}
END_TEST

/* What nothing is left for needs no rule; and io_uring does everything. */
START_TEST(calls_decide_what_can_be_done)
{
	ck_assert(!WITH("reads-all", "read"));
	ck_assert(WITH("reads-all", "openat"));
	ck_assert(WITH("reads-all", "io_uring_setup"));
	ck_assert(!WITH("writes-system", "read"));
	ck_assert(WITH("writes-system", "unlinkat"));
	ck_assert(!WITH("executes-all", "openat"));
	ck_assert(WITH("executes-all", "execve"));
	ck_assert(!WITH("other-sockets", "recvfrom", "sendto"));
	ck_assert(WITH("other-sockets", "socket"));
	ck_assert(WITH("connects-all", "connect")); /* a socket can be led elsewhere */
	ck_assert(WITH("other-sockets", "io_uring_setup"));
	ck_assert(!WITH("signals", "read"));
	ck_assert(WITH("signals", "tgkill"));
	ck_assert(!WITH("processes", "read"));
	ck_assert(WITH("processes", "clone3"));
	ck_assert(!WITH("memory-execute", "read"));
	ck_assert(WITH("memory-execute", "mmap"));
}
END_TEST

/* A thousand services with one list are one look at it. */
START_TEST(a_list_is_looked_at_once)
{
	struct calls_memory memory = { 0 };
	char first[] = "read", second[] = "read", other[] = "write";
	char *longer[] = { first, other, NULL };
	char *lists[][2] = { { first, NULL }, { second, NULL }, { other, NULL } };
	const struct calls *calls = calls_find(&memory, lists[0]);

	ck_assert_uint_eq(calls->count, 1);
	ck_assert_ptr_eq(calls_find(&memory, lists[1]), calls);
	ck_assert_ptr_ne(calls_find(&memory, lists[2]), calls);
	ck_assert_ptr_ne(calls_find(&memory, NULL), calls);
	ck_assert_ptr_eq(calls_find(&memory, NULL), calls_find(&memory, NULL));
	ck_assert_ptr_eq(calls_find(&memory, lists[0]), calls);
	ck_assert_uint_eq(calls_find(&memory, longer)->count, 2);
	ck_assert_uint_eq(memory.count, 4);
	calls_fini(&memory);
}
END_TEST
#endif

/* Reasons */

/* All of them in one line. */
static char *explain(const struct service *service, const struct cage *cage,
		     const struct kernel *machine)
{
	struct calls_memory memory = { 0 };
	struct security security;
	char **texts = NULL, *line = xstrdup(""), *longer;
	size_t ntexts = 0;

	security_assess(service, cage, machine, &memory, &security);
	reasons_list(&security, &texts, &ntexts);
	for (size_t i = 0; i < ntexts; i++) {
		longer = xasprintf("%s%s%s", line, i ? "; " : "", texts[i]);
		free(line);
		line = longer;
	}
	strv_free(texts);
	security_fini(&security);
	calls_fini(&memory);
	return line;
}

#define EXPLAINS(service, cage, machine, text)                                                     \
	do {                                                                                       \
		char *line = explain(service, cage, machine);                                      \
                                                                                                   \
		ck_assert_str_eq(line, text);                                                      \
		free(line);                                                                        \
	} while (0)

/* What costs most comes first, an open area is told as one, and of many the last ones are counted:
 * together they are the score. */
START_TEST(reasons_make_the_score)
{
	const struct service service = make_open();
	const struct cage cage = { 0 };

	EXPLAINS(&service, &cage, &kernel,
		 "2.8 runs as root, with capabilities (user, capabilities); "
		 "2.1 no filter of system calls (system-calls); "
		 "2.0 every file is within its reach (read-only, read-write, execute); "
		 "1.3 the whole network is within its reach (private-network, or connect, bind); "
		 "1.8 in 6 more");
}
END_TEST

/* No key is named that the kernel has nothing for. */
START_TEST(reasons_know_the_kernel)
{
	const struct service service = make_closed();
	struct cage cage = { .private_pids = true,
			     .deny_write_execute = true,
			     .private_network = true,
			     .tasks_max = 1,
			     .memory_max = 1 };
	struct kernel machine = { .landlock = 3, .has_filters = true };

	EXPLAINS(&service, &cage, &machine,
		 "2.1 no filter of system calls (system-calls); "
		 "1.9 every file is within its reach (read-only, read-write, execute)");
	machine = (struct kernel){ .landlock = 0 };
	EXPLAINS(&service, &cage, &machine,
		 "2.1 no filter of system calls, which this kernel or this build does not have; "
		 "1.9 every file is within its reach, as this kernel has no Landlock (chroot)");
	cage.chroot = "/srv";
	EXPLAINS(&service, &cage, &machine,
		 "2.1 no filter of system calls, which this kernel or this build does not have; "
		 "1.4 every file of its chroot is within its reach");
}
END_TEST

#ifdef HAVE_SECCOMP
/* The sets that a filter leaves are one reason: they are closed by one key. */
START_TEST(reasons_list_the_sets)
{
	static const char *const calls[] = { "read", "mount", "ptrace", NULL };
	const struct service service = make_closed();
	struct cage cage = cage_closed();

	cage.system_calls = (char **)calls;
	EXPLAINS(&service, &cage, &kernel,
		 "0.4 the filter leaves calls of @mount, @debug (system-calls)");
}
END_TEST
#endif

/* What is printed */

/* A program that is written as in a configuration. */
static struct service make_program(const char *name, char **exec)
{
	struct service service = make_closed();

	service.name = (char *)name;
	service.origin.file = (char *)"/etc/begat.conf";
	service.origin.line = 3;
	service.exec = exec;
	return service;
}

static char *print(void (*printer)(const struct config *, FILE *), struct service **services,
		   size_t count)
{
	const struct config config = { .services = services, .nservices = count };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	printer(&config, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(a_line_for_each_service)
{
	char program[] = "/bin/cat", *exec[] = { program, NULL };
	struct service plain = make_program("plain", exec), off = make_program("off", exec);
	struct service *services[] = { &off, &plain };
	char *text, *line;

	off.disable = true;
	text = print(security_print, services, 2);
	line = strtok(text, "\n");
	ck_assert_str_eq(line, "SERVICE  SCORE     USER    CAPABILITIES  CALLS  FILES  NETWORK");
	line = strtok(NULL, "\n");
	ck_assert_str_eq(line, "plain    6.0 fair  nobody  none          all    all    all");
	line = strtok(NULL, "\n");
	ck_assert_ptr_nonnull(strstr(line, "2.1 no filter of system calls"));
	ck_assert_ptr_nonnull(strstr(line, "; 1.3 the whole network is within its reach"));
	ck_assert_ptr_nonnull(strstr(line, "; 0.5 in 3 more"));
	ck_assert_ptr_null(strtok(NULL, "\n"));
	free(text);
}
END_TEST

static const json_t *item_of(const json_t *service, const char *name)
{
	const json_t *items = json_object_get(service, "items");

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *each = json_array_get(items, i);

		if (strcmp(json_string_value(json_object_get(each, "name")), name) == 0)
			return each;
	}
	ck_abort_msg("%s", name);
}

static const json_t *guards_of(const json_t *service)
{
	return json_object_get(json_object_get(service, "system-calls"), "guards");
}

/* Where there is no list there may be a filter all the same. */
START_TEST(json_has_guards)
{
	char program[] = "/bin/cat", *exec[] = { program, NULL };
	struct service plain = make_program("plain", exec), *services[] = { &plain };
	const json_t *guards;
	json_t *all;
	char *text;

	plain.cage.connect.set = true;
	text = print(security_print_json, services, 1);
	all = json_loads(text, 0, NULL);
	guards = guards_of(json_array_get(all, 0));
	ck_assert(json_is_array(guards));
	if (kernel_get()->has_filters)
		ck_assert_str_eq(json_string_value(json_array_get(guards, 0)), "tcp");
	ck_assert_uint_eq(json_array_size(guards), kernel_get()->has_filters);
	json_decref(all);
	free(text);
}
END_TEST

START_TEST(json_has_all_of_it)
{
	static const char *const keys[] = { "service",	    "file",
					    "line",	    "handler",
					    "program",	    "score",
					    "word",	    "identity",
					    "capabilities", "no-new-privileges",
					    "system-calls", "files",
					    "network",	    "private-pids",
					    "items",	    "memory-deny-write-execute" };
	char program[] = "/srv/\xe9", *exec[] = { program, NULL }; /* no UTF-8 */
	struct service plain = make_program("plain", exec), *services[] = { &plain };
	char *text = print(security_print_json, services, 1);
	json_t *all = json_loads(text, 0, NULL);
	const json_t *service = json_array_get(all, 0);

	ck_assert_uint_eq(json_array_size(all), 1);
	ck_assert_uint_eq(json_object_size(service), sizeof(keys) / sizeof(*keys));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		ck_assert_msg(json_object_get(service, keys[i]) != NULL, "%s", keys[i]);
	ck_assert_ptr_nonnull(strstr(text, "\"score\": 6.0,"));
	ck_assert_ptr_nonnull(strstr(text, "\"weight\": 0.4,"));
	ck_assert_str_eq(json_string_value(json_object_get(service, "program")), "/srv/\u00e9");
	ck_assert(json_is_null(json_object_get(service, "handler")));
	ck_assert_uint_eq(json_array_size(guards_of(service)), 0);
	ck_assert_uint_eq(json_array_size(json_object_get(service, "items")), SECURITY_ITEMS);
	ck_assert(json_real_value(json_object_get(item_of(service, "root"), "cost")) < 0.01);
	ck_assert(json_real_value(json_object_get(item_of(service, "root"), "weight")) > 1.19);
	ck_assert(json_real_value(json_object_get(item_of(service, "reads-all"), "cost")) > 0.39);
	json_decref(all);
	free(text);
}
END_TEST

#ifdef HAVE_SECCOMP
SUITE("security", weights_make_ten, open_is_ten, words, one_key_closes_its_items, a_plain_program,
      root_keeps_what_it_has, groups_of_root, hard_limits_count, paths, written_and_executed,
      own_paths_do_not_count, chroot_holds_whom_it_holds, ports, guards_take_the_network,
      closed_is_nothing, sets_that_are_left, calls_decide_what_can_be_done,
      a_list_is_looked_at_once, reasons_make_the_score, reasons_know_the_kernel,
      reasons_list_the_sets, a_line_for_each_service, json_has_guards, json_has_all_of_it)
#else
SUITE("security", weights_make_ten, open_is_ten, words, one_key_closes_its_items, a_plain_program,
      root_keeps_what_it_has, groups_of_root, hard_limits_count, paths, written_and_executed,
      own_paths_do_not_count, chroot_holds_whom_it_holds, ports, guards_take_the_network,
      reasons_make_the_score, reasons_know_the_kernel, a_line_for_each_service, json_has_guards,
      json_has_all_of_it)
#endif
