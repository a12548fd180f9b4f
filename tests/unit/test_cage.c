/* SPDX-License-Identifier: ISC */
/* cage: what a service's workers keep, out of what was said and what they have by themselves. */
#include "config.h"

#include "cage/cage.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/builtin.h"
#include "cage/guard.h"
#include "config/peers.h"
#include "caging.h"
#include "folder.h"
#include "suite.h"

static void become_nobody(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

static struct cage make(const struct service *service)
{
	struct cage cage;

	cage_make(service, &cage);
	return cage;
}

static uint64_t rights_of_port(const struct cage *cage, uint16_t port)
{
	for (size_t i = 0; i < cage->rules.count; i++)
		if (cage->rules.all[i].path == NULL && cage->rules.all[i].port == port)
			return cage->rules.all[i].rights;
	return 0;
}

/* What nobody gets who serves a client. */
static const char never[] = "ptrace mount bpf init_module kexec_load reboot setuid setresuid "
			    "setgroups capset keyctl chroot swapon settimeofday perf_event_open "
			    "open_by_handle_at";

/* What a handler without commands does not get either. */
static const char never_alone[] =
	"execve fork clone clone3 vfork socket socketpair bind listen connect accept4 unlink "
	"unlinkat rename mkdir chmod chown truncate symlink kill process_vm_readv"
#ifndef ENABLE_SANITIZERS /* which look at themselves */
	" ioctl personality prctl tgkill"
#endif
	;

/* Those who have to: ident asks the kernel, a redirect goes elsewhere. */
static const struct {
	const char *handler, *calls;
} exceptions[] = {
	{ "ident", "socket" },
	{ "redirect", "socket socketpair connect" },
};

static bool is_among(const char *names, const char *wanted)
{
	const size_t length = strlen(wanted);

	for (; *names; names += strspn(names, " ")) {
		if (strcspn(names, " ") == length && strncmp(names, wanted, length) == 0)
			return true;
		names += strcspn(names, " ");
	}
	return false;
}

static void expect_each(const struct cage *cage, const char *names, const char *allowed)
{
	char *copy = xstrdup(names), *rest = copy, *name;

	while ((name = strsep(&rest, " ")))
		expect_call(cage, name, is_among(allowed, name));
	free(copy);
}

static void expect_none(const struct cage *cage, const char *names)
{
	expect_each(cage, names, "");
}

static void expect_alone(const struct cage *cage, const struct begat_handler *handler)
{
	const char *allowed = "";

	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		if (strcmp(exceptions[i].handler, handler->name) == 0)
			allowed = exceptions[i].calls;
	expect_each(cage, never_alone, allowed);
}

/* Handlers */

/* The promise of the whole: not a word of configuration. */
START_TEST(handlers_are_caged_without_a_word)
{
	for (size_t i = 0; handler_at(i); i++) {
		struct service service = handler(handler_at(i)->name);
		struct cage cage = make(&service);

		ck_assert_uint_eq(cage.rules.handled.files, all_files());
		ck_assert_uint_eq(cage.rules.handled.ports, all_ports());
		ck_assert_uint_eq(cage.rules.handled.scopes,
				  kernel_landlock_scopes(kernel_get()->landlock));
		for (size_t j = 0; j < cage.rules.count; j++) {
			ck_assert_ptr_nonnull(cage.rules.all[j].path);
			ck_assert_uint_eq(cage.rules.all[j].rights,
					  LANDLOCK_READ_FILE | LANDLOCK_READ_DIR);
		}
		ck_assert_uint_eq(cage.capabilities, 0);
		ck_assert(!cage.private_network && !cage.private_tmp && !cage.cgroup);
		expect_none(&cage, never);
		expect_alone(&cage, service.handler);
		expect_call(&cage, "sendto", true);
		expect_call(&cage, "recvfrom", true);
		expect_call(&cage, "exit_group", true);
		cage_fini(&cage);
	}
}
END_TEST

static void expect_one_file(const char *name, const char *option)
{
	struct service service = handler(name);
	struct cage cage;

	set_option(&service, option, "/srv/file");
	cage = make(&service);
	ck_assert_uint_eq(cage.rules.count, 1);
	ck_assert_uint_eq(rights_of(&cage, "/srv/file"), LANDLOCK_READ_FILE | LANDLOCK_READ_DIR);
	expect_call(&cage, "openat", true);
	cage_fini(&cage);
}

START_TEST(handlers_reach_the_files_that_they_declare)
{
	static const char *const none[] = { "daytime", "time",	   "echo",  "discard",
					    "chargen", "redirect", "tcpmux" };
	static const char *const quoting[] = { "fortune", "qotd" };
	const uint64_t read = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR;
	struct service service;
	struct cage cage;

	if (!has_landlock())
		return;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		service = handler(none[i]);
		cage = make(&service);
		ck_assert_uint_eq(cage.rules.count, 0);
		cage_fini(&cage);
	}
	for (size_t i = 0; i < sizeof(quoting) / sizeof(*quoting); i++) {
		service = handler(quoting[i]);
		set_option(&service, "database", "/srv/fortunes");
		cage = make(&service);
		ck_assert_uint_eq(cage.rules.count, 2);
		ck_assert_uint_eq(rights_of(&cage, "/srv/fortunes"), read);
		ck_assert_uint_eq(rights_of(&cage, "/srv/fortunes.dat"), read);
		ck_assert(cage.rules.all[0].optional && cage.rules.all[1].optional);
		expect_call(&cage, "openat", true);
		cage_fini(&cage);
	}
	expect_one_file("motd", "file");
	expect_one_file("ident", "passwd");
	service = handler("users");
	cage = make(&service);
	ck_assert_uint_eq(cage.rules.count, 1);
	ck_assert_uint_eq(rights_of(&cage, "/run/utmp"), read);
	cage_fini(&cage);
	service = handler("shell");
	set_option(&service, "motd", "/srv/motd");
	cage = make(&service);
	ck_assert_uint_eq(rights_of(&cage, "/srv/motd"), read);
	ck_assert_uint_eq(rights_of(&cage, "/run/utmp"), read);
	ck_assert_uint_eq(rights_of(&cage, "/bin"), 0);
	cage_fini(&cage);
	set_option(&service, "motd", NULL); /* not set, and without a default */
	cage = make(&service);
	ck_assert_uint_eq(rights_of(&cage, "/srv/motd"), 0);
	cage_fini(&cage);
}
END_TEST

/* By the names of the host, as the ruleset is made outside of it. */
START_TEST(handlers_reach_their_files_in_a_root)
{
	static char root[] = "/srv/jail";
	struct service service = handler("fortune");
	struct cage cage;

	if (!has_landlock())
		return;
	service.cage.chroot = root;
	set_option(&service, "database", "/fortunes");
	cage = make(&service);
	ck_assert_ptr_eq(cage.chroot, root);
	ck_assert_uint_eq(cage.rules.count, 2);
	ck_assert_uint_ne(rights_of(&cage, "/srv/jail/fortunes"), 0);
	ck_assert_uint_ne(rights_of(&cage, "/srv/jail/fortunes.dat"), 0);
	cage_fini(&cage);
}
END_TEST

START_TEST(commands_get_what_programs_need)
{
	struct service service = handler("shell");
	struct cage cage;

	add_command(&service, "/bin/true");
	cage = make(&service);
	ck_assert_int_eq(cage.private_network, geteuid() == 0 && kernel_has_namespaces());
	if (has_landlock()) {
		ck_assert_uint_eq(rights_of(&cage, "/bin/true"),
				  LANDLOCK_READ_FILE | LANDLOCK_READ_DIR | LANDLOCK_EXECUTE);
		ck_assert(rights_of(&cage, "/dev/null") & LANDLOCK_WRITE_FILE);
		ck_assert_uint_eq(rights_of(&cage, "/"), 0);
	}
	ck_assert_uint_eq(cage.capabilities, 0);
	expect_call(&cage, "execve", true);
	expect_call(&cage, "clone", true);
	expect_call(&cage, "pipe2", true);
	expect_call(&cage, "unlink", true); /* Landlock sees to these */
	expect_none(&cage, never);
	cage_fini(&cage);
	service.cage.set_private_network = true; /* and false */
	cage = make(&service);
	ck_assert(!cage.private_network);
	cage_fini(&cage);
}
END_TEST

/* Who is not root makes no namespace. */
START_TEST(commands_of_an_ordinary_user_have_no_network_of_their_own)
{
	struct service service;
	struct cage cage;

	become_nobody();
	service = handler("shell");
	add_command(&service, "/bin/true");
	cage = make(&service);
	ck_assert(!cage.private_network && !cage.set_capabilities);
	ck_assert_uint_eq(cage.rules.handled.files, all_files());
	cage_fini(&cage);
}
END_TEST

/* What an administrator adds to a handler does not take away what it has. */
START_TEST(settings_come_on_top_of_a_handler)
{
	static uint16_t connect[] = { 80, 443 }, bind[] = { 443 };
	const uint64_t file = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR;
	struct service service = handler("fortune");
	struct cage cage;

	service.cage.read_only = LIST("/a", "/b");
	service.cage.read_write = LIST("/w");
	service.cage.execute = LIST("/b");
	service.cage.connect = (struct service_ports){ true, connect, 2 };
	service.cage.bind = (struct service_ports){ true, bind, 1 };
	set_option(&service, "database", "/srv/fortunes");
	cage = make(&service);
	if (has_landlock()) {
		ck_assert_uint_eq(rights_of(&cage, "/a"), file);
		ck_assert_uint_eq(rights_of(&cage, "/b"), file | LANDLOCK_EXECUTE);
		ck_assert_uint_eq(rights_of(&cage, "/w"), rights_to_write & all_files());
		ck_assert_uint_eq(rights_of(&cage, "/srv/fortunes"), file);
	}
	ck_assert_uint_eq(cage.rules.handled.ports, all_ports());
	ck_assert_uint_eq(rights_of_port(&cage, 80), LANDLOCK_CONNECT & all_ports());
	ck_assert_uint_eq(rights_of_port(&cage, 443), all_ports());
	expect_call(&cage, "sendto", true);
	cage_fini(&cage);
}
END_TEST

START_TEST(said_system_calls_replace_those_of_a_handler)
{
	struct service service = handler("daytime");
	struct cage cage;

	service.cage.system_calls = LIST("@basic-io", "getpid");
	cage = make(&service);
	expect_call(&cage, "getpid", true);
	expect_call(&cage, "read", true);
	expect_call(&cage, "sendto", false);
	cage_fini(&cage);
	service.cage.system_calls = LIST("@all");
	cage = make(&service);
	ck_assert_ptr_null(cage.system_calls);
	ck_assert_uint_eq(cage.rules.handled.files, all_files());
	cage_fini(&cage);
	service.cage.system_calls = LIST("@all", "~getpid"); /* not all of them */
	cage = make(&service);
	expect_call(&cage, "getpid", false);
	expect_call(&cage, "sendto", true);
	cage_fini(&cage);
}
END_TEST

/* Only where a proxy says who the client is has the worker to ask the master about it. */
START_TEST(a_proxys_client_is_asked_for)
{
	static const struct peers peers;
	struct service service = handler("daytime");
	struct cage cage = make(&service);

	expect_none(&cage, "sendmsg recvmsg");
	cage_fini(&cage);
	service.admission.proxies = &peers;
	cage = make(&service);
	expect_call(&cage, "sendmsg", true);
	expect_call(&cage, "recvmsg", true);
	expect_none(&cage, never);
	expect_none(&cage, never_alone);
	cage_fini(&cage);
}
END_TEST

/* What is called to stand, as the worker of one client does not. */
static const char to_stand[] = "accept4 recvmmsg sendmmsg recvmsg sendmsg"
#ifndef ENABLE_SANITIZERS
			       " madvise"
#endif
	;

static void expect_standing(struct service *service, int type, bool waits, bool expected)
{
	struct service_listen listen[] = { { .address = { .type = 0 } },
					   { .address = { .type = type } } };
	struct cage cage;

	service->listen = listen;
	service->nlisten = 2;
	service->waits = waits;
	cage = make(service);
	expect_each(&cage, to_stand, expected ? to_stand : "");
	expect_none(&cage, never);
	cage_fini(&cage);
}

/* One listener that is handed over is enough. */
START_TEST(standing_workers_have_what_they_need)
{
	struct service service = handler("daytime");
	struct cage cage;

	expect_standing(&service, SOCK_STREAM, false, false);
	expect_standing(&service, SOCK_STREAM, true, true);
	expect_standing(&service, SOCK_SEQPACKET, false, false);
	expect_standing(&service, SOCK_DGRAM, false, true);
	expect_standing(&service, SOCK_DGRAM, true, true);
	expect_standing(&service, 0, true, false); /* FIFOs: their keeper is in no cage */
	service.cage.system_calls = LIST("@basic-io");
	expect_standing(&service, SOCK_DGRAM, true, false); /* what was said is all */
	service.cage.system_calls = NULL;
	expect_standing(&service, SOCK_DGRAM, true, true);
	service.nlisten = 0; /* of tcpmux alone */
	cage = make(&service);
	expect_none(&cage, to_stand);
	cage_fini(&cage);
}
END_TEST

/* The resolver is asked by a worker whose client is to be called by name, and by no other. */
START_TEST(names_are_asked_for)
{
	static char name[] = "Hello %n", address[] = "100%%n of %h";
	static const char calls[] = "socketpair sendmsg recvmsg";
	struct service service = handler("daytime");
	struct cage cage = make(&service);

	expect_none(&cage, calls);
	cage_fini(&cage);
	service.banner = address;
	cage = make(&service);
	expect_none(&cage, calls);
	cage_fini(&cage);
	service.banner = name;
	cage = make(&service);
	expect_each(&cage, calls, calls);
	expect_none(&cage, never);
	expect_none(&cage, "socket connect execve clone");
	cage_fini(&cage);
	service.cage.system_calls = LIST("@basic-io");
	cage = make(&service);
	expect_none(&cage, calls);
	cage_fini(&cage);
}
END_TEST

/* libc takes the rules of a zone for the name of a file at first. */
START_TEST(zones_may_be_looked_for)
{
	struct service service = handler("daytime");
	struct cage cage = make(&service);

	expect_none(&cage, "statx");
	cage_fini(&cage);
	set_option(&service, "timezone", "CET-1CEST,M3.5.0,M10.5.0/3");
	cage = make(&service);
	expect_each(&cage, "openat statx getpeername", "openat statx");
	ck_assert_uint_eq(cage.rules.count, 0); /* and finds none */
	cage_fini(&cage);
	service.cage.system_calls = LIST("@basic-io");
	cage = make(&service);
	expect_none(&cage, "statx");
	cage_fini(&cage);
}
END_TEST

/* Redirects */

static struct service redirect(const char *const *targets)
{
	struct service service = handler("redirect");

	service.values[service.nvalues].name = "target";
	service.values[service.nvalues++].argv = keep_list(targets);
	return service;
}

#define REDIRECT(...) redirect((const char *const[]){ __VA_ARGS__, NULL })

/* Its targets are the only ports that there are, and no programs though they are a list. */
START_TEST(redirects_reach_their_targets)
{
	const uint64_t connect = LANDLOCK_CONNECT & all_ports();
	struct service service = REDIRECT("tcp:host.example:80", "tcp:[2001:db8::1]:443",
					  "tcp:192.0.2.1:80", "tcp:192.0.2.1:65535");
	struct cage cage = make(&service);

	ck_assert_uint_eq(cage.rules.handled.files, all_files());
	ck_assert_uint_eq(cage.rules.handled.ports, all_ports());
	ck_assert_uint_eq(cage.rules.handled.scopes,
			  kernel_landlock_scopes(kernel_get()->landlock));
	ck_assert_uint_eq(rights_of_port(&cage, 80), connect);
	ck_assert_uint_eq(rights_of_port(&cage, 443), connect);
	ck_assert_uint_eq(rights_of_port(&cage, 65535), connect);
	ck_assert_uint_eq(cage.rules.count, connect ? 3 : 0);
	ck_assert(!cage.private_network &&
		  cage.deny_write_execute == kernel_get()->has_deny_write_execute);
	expect_none(&cage, never);
	expect_alone(&cage, service.handler);
	expect_call(&cage, "splice", true);
	cage_fini(&cage);
}
END_TEST

/* Landlock knows no port of UDP, and one of TCP with its number is not meant. */
START_TEST(redirects_of_datagrams_have_no_port)
{
	struct service service = REDIRECT("udp:192.0.2.1:53", "udp:host.example:53");
	struct cage cage = make(&service);

	ck_assert_uint_eq(cage.rules.handled.ports, all_ports());
	ck_assert_uint_eq(cage.rules.count, 0);
	cage_fini(&cage);
}
END_TEST

/* Names of Unix sockets are no files: there is one switch for all of them. */
START_TEST(redirects_reach_unix_sockets)
{
	const uint64_t scopes = kernel_landlock_scopes(kernel_get()->landlock);
	struct service service = REDIRECT("tcp:192.0.2.1:80", "unix:@name");
	struct cage cage = make(&service);

	ck_assert_uint_eq(cage.rules.handled.scopes, scopes & ~(uint64_t)LANDLOCK_ABSTRACT_SOCKETS);
	ck_assert_uint_eq(rights_of_port(&cage, 80), LANDLOCK_CONNECT & all_ports());
	cage_fini(&cage);
	service = REDIRECT("unix:/run/x:80");
	cage = make(&service);
	ck_assert_uint_eq(cage.rules.handled.ports, all_ports());
	ck_assert_uint_eq(cage.rules.count, 0);
	cage_fini(&cage);
}
END_TEST

/* Without no_new_privs the kernel takes neither rules nor filters from an ordinary user, and every
 * worker would fail. */
START_TEST(no_walls_that_need_no_new_privileges)
{
	struct service service = handler("shell");
	struct cage cage;

	service.no_new_privileges = false;
	add_command(&service, "/bin/true");
	cage = make(&service);
	ck_assert(has_nothing(&cage));
	ck_assert_int_eq(cage.private_network, geteuid() == 0 && kernel_has_namespaces());
	cage_fini(&cage);
}
END_TEST

/* Programs */

START_TEST(programs_are_not_caged_without_a_word)
{
	struct service service = program("/bin/true");
	struct cage cage;

	service.crlf = true;
	service.banner = service.name;
	cage = make(&service);
	ck_assert(has_nothing(&cage));
	ck_assert(!cage.set_capabilities && !cage.set_nice && !cage.private_network);
	cage_fini(&cage);
}
END_TEST

/* One key for files denies all others, but not the network. */
START_TEST(programs_with_files_only)
{
	struct service service = program("/bin/true");
	struct service_cage *const said = &service.cage;
	char ***const keys[] = { &said->read_only, &said->read_write, &said->execute };
	const uint64_t rights[] = { rights_to_read, rights_to_write, rights_to_execute };

	for (size_t i = 0; has_landlock() && i < sizeof(keys) / sizeof(*keys); i++) {
		struct cage cage;

		*keys[i] = LIST("/srv");
		cage = make(&service);
		ck_assert_uint_eq(cage.rules.handled.files, all_files());
		ck_assert_uint_eq(cage.rules.handled.ports, 0);
		ck_assert_uint_eq(rights_of(&cage, "/srv"), rights[i] & all_files());
		ck_assert(rights_of(&cage, "/bin/true") & LANDLOCK_EXECUTE);
		ck_assert(rights_of(&cage, "/dev/null") & LANDLOCK_WRITE_FILE);
		ck_assert_uint_eq(rights_of(&cage, "/etc/shadow"), 0);
		ck_assert_ptr_null(cage.system_calls);
		cage_fini(&cage);
		*keys[i] = LIST(NULL); /* nothing but what it needs */
		cage = make(&service);
		ck_assert_uint_eq(cage.rules.handled.files, all_files());
		ck_assert(rights_of(&cage, "/bin/true") & LANDLOCK_EXECUTE);
		cage_fini(&cage);
		*keys[i] = NULL;
	}
}
END_TEST

/* One key for ports denies those of its kind, and no files. */
START_TEST(programs_with_ports_only)
{
	static uint16_t ports[] = { 1, 65535 };
	struct service service = program("/bin/true");
	struct cage cage;

	service.cage.connect = (struct service_ports){ true, ports, 2 };
	cage = make(&service);
	ck_assert_uint_eq(cage.rules.handled.files, 0);
	ck_assert_uint_eq(cage.rules.handled.scopes, 0);
	ck_assert_uint_eq(cage.rules.handled.ports, LANDLOCK_CONNECT & all_ports());
	ck_assert_uint_eq(cage.rules.count, all_ports() ? 2 : 0);
	ck_assert_uint_eq(rights_of_port(&cage, 65535), LANDLOCK_CONNECT & all_ports());
	cage_fini(&cage);
	service.cage.connect.count = 0; /* none at all */
	cage = make(&service);
	ck_assert_uint_eq(cage.rules.handled.ports, LANDLOCK_CONNECT & all_ports());
	ck_assert_uint_eq(cage.rules.count, 0);
	cage_fini(&cage);
	service.cage.connect.set = false;
	service.cage.bind = (struct service_ports){ true, ports, 1 };
	cage = make(&service);
	ck_assert_uint_eq(cage.rules.handled.ports, LANDLOCK_BIND & all_ports());
	ck_assert_uint_eq(rights_of_port(&cage, 1), LANDLOCK_BIND & all_ports());
	cage_fini(&cage);
}
END_TEST

static struct cage make_with_calls(struct service *service, bool crlf, bool banner, bool proxies)
{
	static const struct peers peers;

	service->crlf = crlf;
	service->banner = banner ? service->name : NULL;
	service->admission.proxies = proxies ? &peers : NULL;
	return make(service);
}

/* The last thing that we do is to become the program, or to end: a banner, line ends and a proxy's
 * client are seen to before its filter is there, and widen nobody's list. */
START_TEST(only_the_exec_is_added)
{
	struct service service = program("/bin/true");
	struct cage cage;

	service.cage.system_calls = LIST("getpriority");
	for (int way = 0; way < 8; way++) {
		cage = make_with_calls(&service, way & 1, way & 2, way & 4);
		expect_call(&cage, "getpriority", true);
		expect_call(&cage, "execve", true);
		expect_call(&cage, "exit_group", true);
		if (kernel_get()->has_filters)
			ck_assert_uint_eq(syscalls_count(cage.system_calls), 3);
		cage_fini(&cage);
	}
}
END_TEST

/* What the administrator takes away is gone: code of ours once needed kill(2) for crlf. */
START_TEST(a_call_that_is_denied_stays_denied)
{
	struct service service = program("/bin/true");
	struct cage cage;

	service.cage.system_calls = LIST("~kill", "~sendto", "~wait4", "~rt_sigprocmask");
	cage = make_with_calls(&service, true, true, true);
	expect_none(&cage, "kill sendto wait4 rt_sigprocmask");
	expect_call(&cage, "tgkill", true);
	cage_fini(&cage);
}
END_TEST

START_TEST(all_system_calls_are_no_filter)
{
	struct service service = program("/bin/true");
	struct cage cage;

	service.cage.system_calls = LIST("@all");
	cage = make_with_calls(&service, true, true, true);
	ck_assert_ptr_null(cage.system_calls);
	cage_fini(&cage);
}
END_TEST

/* A list of what is taken away stays one, whatever is added to it. */
START_TEST(calls_can_be_taken_away)
{
	struct service service = program("/bin/true");
	struct cage cage;

	service.cage.system_calls = LIST("~@mount", "~execve");
	cage = make_with_calls(&service, true, true, true);
	expect_call(&cage, "mount", false);
	expect_call(&cage, "execve", true); /* or there would be no program */
	expect_call(&cage, "ptrace", true);
	cage_fini(&cage);
}
END_TEST

/* UINT64_MAX: there is none.  Hard and soft are the same in all that are here. */
static uint64_t limit_of(const struct cage *cage, int resource)
{
	uint64_t found = UINT64_MAX;

	for (size_t i = 0; i < cage->nlimits; i++) {
		if (cage->limits[i].resource != resource)
			continue;
		ck_assert_uint_eq(found, UINT64_MAX); /* each is there once */
		ck_assert_uint_eq(cage->limits[i].soft, cage->limits[i].hard);
		found = cage->limits[i].hard;
	}
	return found;
}

static void expect_limit(const struct cage *cage, int resource, uint64_t expected)
{
	ck_assert_msg(limit_of(cage, resource) == expected, "limit %d: %ju", resource,
		      (uintmax_t)limit_of(cage, resource));
}

/* Sanitizers need more memory than anybody would give. */
#ifdef ENABLE_SANITIZERS
#define DATA(mebibytes) UINT64_MAX
#else
#define DATA(mebibytes) ((uint64_t)(mebibytes) << 20)
#endif

static size_t handler_limits(void)
{
	return DATA(64) == UINT64_MAX ? 2 : 3;
}

/* A core has the master's memory in it, and nobody's handler writes files or eats memory. */
START_TEST(handlers_have_limits_without_a_word)
{
	struct service services[] = { handler("echo"), handler("shell") };
	struct cage cage;

	add_command(&services[1], "/bin/true");
	cage = make(&services[0]);
	ck_assert_uint_eq(cage.nlimits, handler_limits());
	expect_limit(&cage, RLIMIT_CORE, 0);
	expect_limit(&cage, RLIMIT_FSIZE, 0);
	expect_limit(&cage, RLIMIT_DATA, DATA(64));
	cage_fini(&cage);
	cage = make(&services[1]);
	ck_assert_uint_eq(cage.nlimits, handler_limits());
	expect_limit(&cage, RLIMIT_CORE, 0);
	expect_limit(&cage, RLIMIT_NPROC, 4096);
	expect_limit(&cage, RLIMIT_DATA, DATA(512));
	cage_fini(&cage);
}
END_TEST

/* Higher ones too: who says a limit has said it. */
START_TEST(limits_that_are_said_are_kept)
{
	struct service_limit limits[] = { { RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY },
					  { RLIMIT_DATA, 1 << 30, 1 << 30 },
					  { RLIMIT_NPROC, 5000, 5000 },
					  { RLIMIT_NOFILE, 50, 50 } };
	struct service service = handler("shell"), other = program("/bin/true");
	struct cage cage;

	add_command(&service, "/bin/true");
	service.cage.limits = other.cage.limits = limits;
	service.cage.nlimits = other.cage.nlimits = 4;
	cage = make(&service);
	ck_assert_uint_eq(cage.nlimits, 4);
	expect_limit(&cage, RLIMIT_DATA, 1 << 30);
	expect_limit(&cage, RLIMIT_NPROC, 5000);
	expect_limit(&cage, RLIMIT_NOFILE, 50);
	cage_fini(&cage);
	cage = make(&other); /* to which nothing is added */
	ck_assert_uint_eq(cage.nlimits, 4);
	ck_assert_mem_eq(cage.limits, limits, sizeof(limits));
	cage_fini(&cage);
}
END_TEST

/* Guards */

static void expect_guards(const struct service *service, unsigned expected)
{
	struct cage cage = make(service);

	ck_assert_uint_eq(cage.guards, kernel_get()->has_filters ? expected : 0);
	cage_fini(&cage);
}

START_TEST(ports_are_guarded_from_other_names)
{
	static uint16_t port = 80;
	struct service service = program("/bin/true");

	expect_guards(&service, 0);
	service.cage.read_only = LIST("/etc");
	expect_guards(&service, 0);
	service.cage.connect.set = true;
	expect_guards(&service, GUARD_TCP);
	service.cage.connect.set = false;
	service.cage.bind = (struct service_ports){ true, &port, 1 };
	expect_guards(&service, GUARD_TCP);
}
END_TEST

/* Those whose own calls make sockets: MPTCP, and there would be more than the targets' ports. */
START_TEST(sockets_of_handlers_are_guarded)
{
	struct service services[] = { REDIRECT("tcp:192.0.2.1:80"), handler("ident") };

	for (size_t i = 0; i < 2; i++) {
		expect_guards(&services[i], GUARD_TCP);
		services[i].cage.system_calls = LIST("@all");
		expect_guards(&services[i], 0);
		services[i].cage.system_calls = NULL;
		services[i].no_new_privileges = false;
		expect_guards(&services[i], 0);
	}
}
END_TEST

START_TEST(commands_are_guarded)
{
	static uint16_t port = 80;
	struct service service = handler("shell");
	struct cage cage;

	expect_guards(&service, 0); /* none of its calls makes a socket or a process */
	add_command(&service, "/bin/true");
	cage = make(&service);
	cage_fini(&cage);
	expect_guards(&service,
		      GUARD_NAMESPACES | (cage.private_network ? 0 : (unsigned)GUARD_UNIX));
	/* the network of all others, of which Landlock leaves no TCP */
	service.cage.set_private_network = true;
	expect_guards(&service, GUARD_NAMESPACES | GUARD_TCP);
	service.cage.private_network = true;
	expect_guards(&service, GUARD_NAMESPACES);
	service.cage.set_private_network = service.cage.private_network = false;
	service.cage.connect = (struct service_ports){ true, &port, 1 };
	expect_guards(&service, GUARD_NAMESPACES | GUARD_TCP);
	service.no_new_privileges = false; /* then there can be no filter */
	expect_guards(&service, 0);
}
END_TEST

/* With ports there is something to reach, and it would not be in an empty network. */
START_TEST(commands_with_ports_have_our_network)
{
	static uint16_t port = 80;
	struct service service = handler("shell");
	struct cage cage;

	add_command(&service, "/bin/true");
	service.cage.connect = (struct service_ports){ true, &port, 1 };
	cage = make(&service);
	ck_assert(!cage.private_network);
	cage_fini(&cage);
	service.cage.connect = (struct service_ports){ .set = false };
	service.cage.bind = (struct service_ports){ true, &port, 1 };
	cage = make(&service);
	ck_assert(!cage.private_network);
	cage_fini(&cage);
	service.cage.bind.count = 0; /* none at all */
	cage = make(&service);
	ck_assert_int_eq(cage.private_network, geteuid() == 0 && kernel_has_namespaces());
	cage_fini(&cage);
}
END_TEST

/* A list that lets in sockets is the administrator's; all calls are no list. */
START_TEST(handlers_with_other_calls_are_guarded)
{
	struct service service = handler("echo");

	expect_guards(&service, 0);
	service.cage.system_calls = LIST("@all");
	expect_guards(&service, 0);
	service.cage.system_calls = LIST("@system-service");
	expect_guards(&service, GUARD_TCP);
	service.cage.set_private_network = service.cage.private_network = true;
	expect_guards(&service, 0);
}
END_TEST

/* What may be executed has to start: a script's interpreter, and its loader. */
START_TEST(what_may_be_executed_can_start)
{
	const uint64_t execute = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR | LANDLOCK_EXECUTE;
	struct service service = program("/bin/true");
	char *script;
	struct cage cage;

	if (!has_landlock())
		return;
	enter_directory();
	write_file("script", "#!/bin/cat\n");
	script = keep(xasprintf("%s/script", directory));
	service.cage.execute = LIST(script);
	cage = make(&service);
	ck_assert_uint_eq(rights_of(&cage, script), execute);
	ck_assert_uint_eq(rights_of(&cage, "/bin/cat"), execute);
	cage_fini(&cage);
	service.cage.execute = LIST(directory); /* which could have anything in it */
	cage = make(&service);
	ck_assert_uint_eq(rights_of(&cage, "/bin/cat"), 0);
	cage_fini(&cage);
	leave_directory();
}
END_TEST

START_TEST(what_was_said_is_carried)
{
	static struct service_limit limit = { RLIMIT_CORE, 0, 0 };
	static char root[] = "/srv";
	const struct service_cage said = {
		.limits = &limit,
		.nlimits = 1,
		.set_nice = true,
		.nice = 19,
		.chroot = root,
		.set_private_network = true,
		.private_network = true,
		.private_tmp = true,
		.private_pids = true,
		.deny_write_execute = true,
		.die_with_master = true,
		.cgroup = true,
		.memory_max = 1 << 30,
		.tasks_max = 7,
	};
	struct service services[] = { program("/bin/true"), handler("echo") };

	for (size_t i = 0; i < 2; i++) {
		struct cage cage;

		services[i].cage = said;
		cage = make(&services[i]);
		ck_assert_ptr_ne(cage.limits, said.limits);
		expect_limit(&cage, RLIMIT_CORE, 0);
		ck_assert_uint_eq(cage.nlimits, i == 0 ? 1 : handler_limits());
		ck_assert(cage.set_nice && cage.nice == 19);
		ck_assert_str_eq(cage.chroot, "/srv");
		ck_assert(cage.private_network && cage.private_tmp && cage.private_pids);
		ck_assert(cage.deny_write_execute && cage.die_with_master && cage.cgroup);
		ck_assert_int_eq(cage.memory_max, 1 << 30);
		ck_assert_uint_eq(cage.tasks_max, 7);
		cage_fini(&cage);
	}
}
END_TEST

/* Capabilities */

static void expect_capabilities(const struct service *service, bool set, uint64_t capabilities)
{
	struct cage cage = make(service);

	ck_assert_int_eq(cage.set_capabilities, set);
	ck_assert_uint_eq(cage.capabilities, capabilities);
	/* else the kernel would not let us, and under no_new_privs it gives nothing */
	ck_assert_int_eq(cage.drop_bounding, set && kernel_get()->capabilities >> CAP_SETPCAP & 1);
	cage_fini(&cage);
}

/* A change of user takes all; only where there is none, and root stays root, it must be done. */
START_TEST(root_keeps_nothing_in_a_handler)
{
	struct service service = handler("echo"), other = program("/bin/true");

	if (geteuid() != 0) {
		puts("skipped: needs root");
		return;
	}
	expect_capabilities(&service, false, 0);
	service.identity.uid = 0;
	expect_capabilities(&service, true, 0);
	other.identity.uid = 0;
	expect_capabilities(&other, false, 0); /* it is root's to keep them */
	other.cage.set_capabilities = true;
	expect_capabilities(&other, true, 0);
	other.cage.capabilities = 1 << CAP_NET_RAW;
	expect_capabilities(&other, true, 1 << CAP_NET_RAW);
}
END_TEST

START_TEST(an_ordinary_user_has_none_to_drop)
{
	struct service service, other;

	become_nobody();
	if (kernel_get()->capabilities)
		return;
	service = handler("echo");
	other = program("/bin/true");
	expect_capabilities(&service, false, 0);
	expect_capabilities(&other, false, 0);
}
END_TEST

static void keep_net_bind_service(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const uint32_t bit = 1 << CAP_NET_BIND_SERVICE;
	struct __user_cap_data_struct data[] = { { bit, bit, 0 }, { 0, 0, 0 } };

	ck_assert_int_eq(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 0);
	become_nobody();
	ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

/* As systemd's AmbientCapabilities= gives them for low ports: they are ours, and nobody else's. */
START_TEST(ambient_capabilities_are_not_passed_on)
{
	struct service service, other;

	if (geteuid() != 0) {
		puts("skipped: needs root");
		return;
	}
	keep_net_bind_service();
	ck_assert_uint_eq(kernel_get()->capabilities, 1 << CAP_NET_BIND_SERVICE);
	service = handler("echo");
	other = program("/bin/true");
	expect_capabilities(&service, true, 0);
	expect_capabilities(&other, true, 0);
	other.cage.set_capabilities = true;
	other.cage.capabilities = 1 << CAP_NET_BIND_SERVICE;
	expect_capabilities(&other, true, 1 << CAP_NET_BIND_SERVICE);
}
END_TEST

/* The table */

static size_t count_items(const char *const *items)
{
	size_t count = 0;

	while (items[count])
		count++;
	return count;
}

static void expect_known(const char *const *items)
{
	char why[SYSCALLS_WHY];

	for (; *items; items++)
		ck_assert_msg(syscalls_check(*items, why) == 0, "%s", why);
}

/* A misspelt name would only be noticed on the way to the first connection, or never. */
START_TEST(every_name_in_the_table_is_known)
{
	const struct begat_handler unknown = { .name = "of a plug-in" };

	for (size_t i = 0; handler_at(i); i++) {
		expect_known(builtin_system_calls(handler_at(i), false));
		expect_known(builtin_system_calls(handler_at(i), true));
		/* each of them has a line of its own */
		ck_assert_ptr_ne(builtin_system_calls(handler_at(i), false),
				 builtin_system_calls(&unknown, false));
	}
	expect_known(builtin_system_calls(&unknown, true));
	expect_known(builtin_calls_to_exec());
	expect_known(builtin_calls_to_meet());
	expect_known(builtin_calls_to_stand());
	expect_known(builtin_calls_to_ask());
	expect_known(builtin_calls_to_know_zones());
	ck_assert_uint_ge(count_items(builtin_system_calls(&unknown, false)), 10);
}
END_TEST

/* Only who runs programs gets what programs need. */
START_TEST(commands_change_nothing_where_there_are_none)
{
	for (size_t i = 0; handler_at(i); i++) {
		const bool runs = handler_at(i) == &shell_handler;

		ck_assert_int_eq(builtin_system_calls(handler_at(i), true) !=
					 builtin_system_calls(handler_at(i), false),
				 runs);
	}
}
END_TEST

SUITE("cage", handlers_are_caged_without_a_word, handlers_reach_the_files_that_they_declare,
      handlers_reach_their_files_in_a_root, commands_get_what_programs_need,
      commands_of_an_ordinary_user_have_no_network_of_their_own, settings_come_on_top_of_a_handler,
      said_system_calls_replace_those_of_a_handler, a_proxys_client_is_asked_for,
      standing_workers_have_what_they_need, names_are_asked_for, zones_may_be_looked_for,
      redirects_reach_their_targets, redirects_of_datagrams_have_no_port,
      redirects_reach_unix_sockets, no_walls_that_need_no_new_privileges,
      programs_are_not_caged_without_a_word, programs_with_files_only, programs_with_ports_only,
      only_the_exec_is_added, a_call_that_is_denied_stays_denied, all_system_calls_are_no_filter,
      calls_can_be_taken_away, handlers_have_limits_without_a_word, limits_that_are_said_are_kept,
      ports_are_guarded_from_other_names, sockets_of_handlers_are_guarded, commands_are_guarded,
      commands_with_ports_have_our_network, handlers_with_other_calls_are_guarded,
      what_may_be_executed_can_start, what_was_said_is_carried, root_keeps_nothing_in_a_handler,
      an_ordinary_user_has_none_to_drop, ambient_capabilities_are_not_passed_on,
      every_name_in_the_table_is_known, commands_change_nothing_where_there_are_none)
