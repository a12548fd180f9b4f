/* SPDX-License-Identifier: ISC */
/* cages: what is opened and compiled for all services, each thing once, and that it holds. */
#include "config.h"

#include "cage/cages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "cage/guard.h"
#include "plan/build.h"
#include "report/log.h"
#include "caging.h"
#include "descriptors.h"
#include "folder.h"
#include "suite.h"

#define MANY 1000

static struct service many[MANY];
static struct service *pointers[MANY];
static struct config config = { .services = pointers };
static struct cages cages;

static void add(const struct service *service)
{
	ck_assert_uint_lt(config.nservices, MANY);
	many[config.nservices] = *service;
	pointers[config.nservices] = &many[config.nservices];
	many[config.nservices].name = keep(xasprintf("s%zu", config.nservices));
	config.nservices++;
}

static void open_all(void)
{
	const size_t least = cages_count_fds(&config);

	cages_open(&config, &cages);
	ck_assert_uint_le(cages.nfds, least);
}

static const struct made_cage *made(size_t service)
{
	return &cages.all[cages.of_service[service]];
}

static bool has_no_children(void)
{
	return waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD;
}

/* What comes out of "defaults" for a thousand services is compiled and opened once: the time limit
 * of check is no more than 4 s. */
START_TEST(a_thousand_services_share)
{
	const struct service kinds[] = { handler("daytime"), handler("shell"), handler("fortune"),
					 program("/bin/true"), program("/bin/true") };
	const size_t before = descriptors_count();

	for (size_t i = 0; i < MANY; i++)
		add(&kinds[i % 5]);
	for (size_t i = 0; i < MANY; i++) {
		if (i % 5 == 1)
			add_command(&many[i], "/bin/true");
		if (i % 5 == 4) {
			many[i].cage.read_only = LIST("/etc");
			many[i].cage.system_calls = LIST("@system-service");
		}
		if (i >= 5)
			many[i].values = many[i % 5].values, many[i].nvalues = many[i % 5].nvalues;
	}
	many[1].cage.set_private_network = true; /* an empty one would be each one's own */
	for (size_t i = 6; i < MANY; i += 5)
		many[i].cage = many[1].cage;
	open_all();
	ck_assert_uint_eq(cages.count, 5);
	ck_assert_uint_eq(cages.nfds, has_landlock() ? 4 : 0);
	ck_assert_uint_eq(descriptors_count(), before + cages.nfds);
	for (size_t i = 5; i < MANY; i++)
		ck_assert_ptr_eq(made(i), made(i % 5));
	ck_assert(has_no_children());
	cages_fini(&cages);
}
END_TEST

static void raise_nofile(rlim_t wanted)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Each has its own files, and all have the same system calls. */
START_TEST(a_thousand_different_services_share_a_filter)
{
	const struct service kind = handler("fortune");

	raise_nofile(MANY + 200);
	for (size_t i = 0; i < MANY; i++) {
		add(&kind);
		many[i].values = keep(xcalloc(1, sizeof(*many[i].values)));
		many[i].values[0].name = "database";
		many[i].values[0].string = keep(xasprintf("/srv/%zu", i));
		many[i].nvalues = 1;
	}
	open_all();
	ck_assert_uint_eq(cages.count, has_landlock() ? MANY : 1);
	ck_assert_uint_eq(cages.nfds, has_landlock() ? MANY : 0);
	for (size_t i = 1; i < MANY; i++)
		ck_assert_ptr_eq(made(i)->filter, made(0)->filter);
	ck_assert_int_eq(made(0)->filter != NULL, kernel_get()->has_filters);
	for (size_t i = 0; i < cages.nfds; i++) {
		ck_assert_int_ge(cages.fds[i], FD_PARKED);
		ck_assert_int_eq(fcntl(cages.fds[i], F_GETFD), FD_CLOEXEC);
	}
	cages_fini(&cages);
}
END_TEST

/* Not even what cannot be had: a service may be meant for another machine. */
START_TEST(disabled_services_open_nothing)
{
	struct service kinds[] = { handler("shell"), program("/bin/true"), program("/bin/true") };
	const size_t before = descriptors_count();

	add_command(&kinds[0], "/bin/true");
	kinds[1].cage.read_only = LIST("/nowhere/at/all");
	kinds[2].cage.private_network = kinds[2].cage.cgroup = true;
	for (size_t i = 0; i < 3; i++) {
		kinds[i].disable = true;
		add(&kinds[i]);
	}
	ck_assert_uint_eq(cages_count_fds(&config), 0);
	open_all();
	ck_assert_uint_eq(cages.nfds, 0);
	ck_assert_uint_eq(descriptors_count(), before);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(has_nothing(&made(i)->cage));
		ck_assert_ptr_null(made(i)->filter);
		ck_assert_int_eq(made(i)->ruleset, CAGES_NO_FD);
		ck_assert_int_eq(made(i)->network, CAGES_NO_FD);
		ck_assert_int_eq(made(i)->cgroup, CAGES_NO_FD);
	}
	cages_fini(&cages);
}
END_TEST

START_TEST(no_services_need_nothing)
{
	open_all();
	ck_assert_uint_eq(cages.count, 0);
	ck_assert_uint_eq(cages.nfds, 0);
	cages_fini(&cages);
}
END_TEST

/* Two that differ in anything must not be taken for one. */
START_TEST(what_is_different_is_apart)
{
	static uint16_t port = 80;
	const struct service plain_one = program("/bin/true");
	const struct service_cage differences[] = {
		{ .nlimits = 1, .limits = (struct service_limit[]){ { RLIMIT_CORE, 0, 0 } } },
		{ .nlimits = 1, .limits = (struct service_limit[]){ { RLIMIT_CORE, 0, 1 } } },
		{ .nlimits = 1, .limits = (struct service_limit[]){ { RLIMIT_CPU, 0, 1 } } },
		{ .set_nice = true },
		{ .set_nice = true, .nice = 1 },
		{ .chroot = (char[]){ "/" } },
		{ .chroot = (char[]){ "/tmp" } },
		{ .set_capabilities = true },
		{ .set_capabilities = true, .capabilities = 1 },
		{ .private_tmp = true },
		{ .private_pids = true },
		{ .deny_write_execute = true },
		{ .die_with_master = true },
		{ .read_only = LIST("/etc") },
		{ .read_only = LIST("/tmp") },
		{ .read_write = LIST("/tmp") },
		{ .read_only = LIST("/etc", "/tmp") },
		{ .connect = { .set = true } },
		{ .bind = { .set = true } },
		{ .connect = { true, &port, 1 } },
		{ .bind = { true, &port, 1 } },
		{ .system_calls = LIST("@system-service") },
		{ .system_calls = LIST("~@mount") },
	};
	const size_t count = sizeof(differences) / sizeof(*differences);

	if (kernel_get()->landlock < 4 || !kernel_get()->has_filters) {
		puts("skipped: this kernel has not all of these");
		return;
	}
	add(&plain_one);
	for (size_t i = 0; i < count; i++) {
		add(&plain_one);
		many[config.nservices - 1].cage = differences[i];
	}
	open_all();
	ck_assert_uint_eq(cages.count, count + 1);
	for (size_t i = 0; i <= count; i++)
		ck_assert_uint_eq(cages.of_service[i], i);
	cages_fini(&cages);
}
END_TEST

/* A handler tells which call it was; a program, whatever it does with SIGSYS, is ended at once. */
START_TEST(handlers_trap_and_programs_are_killed)
{
	struct service kinds[] = { handler("daytime"), program("/bin/true") };
	static const uint32_t ends[] = { SECCOMP_RET_TRAP, SECCOMP_RET_KILL_PROCESS };

	kinds[0].cage.system_calls = kinds[1].cage.system_calls = LIST("@system-service");
	add(&kinds[0]);
	add(&kinds[1]);
	open_all();
	for (size_t i = 0; i < 2 && kernel_get()->has_filters; i++) {
		bool found = false;

		for (size_t j = 0; j < made(i)->nfilter; j++) {
			ck_assert(BPF_CLASS(made(i)->filter[j].code) != BPF_RET ||
				  made(i)->filter[j].k != ends[1 - i] || i == 0);
			found = found || (BPF_CLASS(made(i)->filter[j].code) == BPF_RET &&
					  made(i)->filter[j].k == ends[i]);
		}
		ck_assert(found);
	}
	cages_fini(&cages);
}
END_TEST

/* A worker compares, to see whether its files are still those of the ruleset. */
START_TEST(files_are_remembered)
{
	static uint16_t port = 80;
	struct service service = program("/bin/true");
	struct stat status;
	const struct rules *rules;

	if (!has_landlock())
		return;
	enter_directory();
	write_file("file", "");
	service.cage.read_only = LIST(keep(xasprintf("%s/file", directory)));
	service.cage.connect = (struct service_ports){ true, &port, 1 };
	add(&service);
	open_all();
	rules = &made(0)->cage.rules;
	for (size_t i = 0; i < rules->count; i++) {
		const bool there = rules->all[i].path && stat(rules->all[i].path, &status) == 0;

		ck_assert_uint_eq(made(0)->files[i].device, there ? status.st_dev : 0);
		ck_assert_uint_eq(made(0)->files[i].inode, there ? status.st_ino : 0);
	}
	ck_assert_uint_ne(rights_of(&made(0)->cage, service.cage.read_only[0]), 0);
	cages_fini(&cages);
	leave_directory();
}
END_TEST

/* In a process of its own: its exit status, as waitpid(2) has it, and what it said. */
static int run(void (*act)(void), char *said, size_t size)
{
	int ends[2], status;
	ssize_t length;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDERR_FILENO);
		act();
		_exit(0);
	}
	ck_assert_int_eq(close(ends[1]), 0);
	length = read(ends[0], said, size - 1);
	said[length > 0 ? length : 0] = '\0';
	ck_assert_int_eq(close(ends[0]), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void open_and_go(void)
{
	cages_open(&config, &cages);
}

/* What a worker may replace by a link is not followed out of there: neither by the ruleset, nor by
 * what is remembered of it, by which a worker would add it again. */
START_TEST(a_link_out_of_what_is_written_is_nobodys)
{
	struct service service = handler("fortune");

	if (!has_landlock())
		return;
	enter_directory();
	ck_assert_int_eq(mkdir("written", 0777), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "written/fortunes"), 0);
	write_file("written/fortunes.dat", "");
	set_option(&service, "database", keep(xasprintf("%s/written/fortunes", directory)));
	service.cage.read_write = LIST(keep(xasprintf("%s/written", directory)));
	add(&service);
	open_all();
	ck_assert_uint_eq(made(0)->cage.rules.count, 3);
	for (size_t i = 0; i < 3; i++) {
		const char *path = made(0)->cage.rules.all[i].path;
		const bool is_link = strcmp(strrchr(path, '/'), "/fortunes") == 0;

		ck_assert_int_eq(made(0)->files[i].inode == 0, is_link);
		ck_assert_int_eq(made(0)->files[i].device == 0, is_link);
	}
	cages_fini(&cages);
	leave_directory();
}
END_TEST

/* Of what the administrator has named that is an error. */
START_TEST(a_link_out_is_told)
{
	struct service service = program("/bin/true");
	char said[512];

	if (!has_landlock())
		return;
	enter_directory();
	ck_assert_int_eq(mkdir("written", 0777), 0);
	ck_assert_int_eq(symlink("/", "written/hooks"), 0);
	service.cage.read_write = LIST(keep(xasprintf("%s/written", directory)));
	service.cage.execute = LIST(keep(xasprintf("%s/written/hooks", directory)));
	add(&service);
	ck_assert_int_eq(WEXITSTATUS(run(open_and_go, said, sizeof(said))), EXIT_GENERIC);
	ck_assert_ptr_nonnull(strstr(said, "/written/hooks: "));
	leave_directory();
}
END_TEST

static bool begins_with(const struct made_cage *cage, unsigned guards)
{
	struct sock_filter program[GUARD_MAX];
	const size_t count = guard_make(guards, program);

	return cage->nfilter > count &&
	       memcmp(cage->filter, program, count * sizeof(*program)) == 0;
}

/* And where there is no list, they have a filter of their own that lets in the rest. */
START_TEST(filters_begin_with_guards)
{
	struct service service = program("/bin/true");

	service.cage.connect.set = true;
	add(&service);
	service.cage.system_calls = LIST("@system-service");
	add(&service);
	service.cage.connect.set = false;
	add(&service);
	open_all();
	if (kernel_get()->has_filters) {
		ck_assert(begins_with(made(0), GUARD_TCP));
		ck_assert(begins_with(made(1), GUARD_TCP));
		ck_assert_ptr_ne(made(1)->filter, made(2)->filter);
		ck_assert(made(1)->nfilter > made(2)->nfilter);
		ck_assert_ptr_null(made(0)->cage.system_calls);
	}
	cages_fini(&cages);
}
END_TEST

/* A service is never run with less of a cage than it was to have. */
START_TEST(a_path_that_has_gone_is_told)
{
	struct service service = program("/bin/true");
	char said[512];

	if (!has_landlock())
		return;
	service.cage.read_only = LIST("/nowhere/at/all");
	add(&service);
	ck_assert_int_eq(WEXITSTATUS(run(open_and_go, said, sizeof(said))), EXIT_GENERIC);
	ck_assert_ptr_nonnull(strstr(said, "s0: /nowhere/at/all: No such file or directory"));
}
END_TEST

static bool is_only_loopback(void)
{
	struct if_nameindex *all = if_nameindex();
	bool found = all != NULL;

	for (size_t i = 0; all && all[i].if_name; i++)
		found = found && strcmp(all[i].if_name, "lo") == 0;
	return found;
}

static bool enter(size_t service)
{
	return setns(cages.fds[made(service)->network], CLONE_NEWNET) == 0;
}

/* An abstract socket belongs to its network: whoever shares one can meet there. */
static void meet(void)
{
	const struct sockaddr_un address = { AF_UNIX, "\0begat-test" };
	int bound = socket(AF_UNIX, SOCK_STREAM, 0), other;

	if (bound < 0 || bind(bound, (const struct sockaddr *)&address, sizeof(address)) == 0)
		_exit(1); /* the one of the test outside has that name */
	if (!enter(0) || !is_only_loopback())
		_exit(2);
	bound = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(bound, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(bound, 1) < 0)
		_exit(3);
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(other, (const struct sockaddr *)&address, sizeof(address)) < 0)
		_exit(4);
	if (!enter(1) || !is_only_loopback())
		_exit(5);
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(other, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
	    errno != ECONNREFUSED)
		_exit(6);
}

/* Each service has one in which there is nothing, and nobody else. */
START_TEST(each_has_an_empty_network_of_its_own)
{
	const struct sockaddr_un address = { AF_UNIX, "\0begat-test" };
	struct service service = program("/bin/true");
	const size_t before = descriptors_count();
	struct stat one, two, here;
	char said[64];
	int fd;

	if (!kernel_has_namespaces()) {
		puts("skipped: no namespaces here");
		return;
	}
	service.cage.private_network = true;
	add(&service);
	add(&service); /* alike in all but its name */
	open_all();
	ck_assert_uint_eq(cages.count, 2);
	ck_assert_uint_eq(cages.nfds, 2);
	ck_assert_uint_eq(descriptors_count(), before + 2);
	ck_assert_int_eq(fstat(cages.fds[made(0)->network], &one), 0);
	ck_assert_int_eq(fstat(cages.fds[made(1)->network], &two), 0);
	ck_assert_int_eq(stat("/proc/self/ns/net", &here), 0);
	ck_assert_uint_ne(one.st_ino, here.st_ino);
	ck_assert_uint_ne(two.st_ino, here.st_ino);
	ck_assert_uint_ne(one.st_ino, two.st_ino);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(run(meet, said, sizeof(said)), 0);
	ck_assert(has_no_children());
	cages_fini(&cages);
}
END_TEST

/* The commands of a handler have one unasked: each its own, and room for it. */
START_TEST(commands_have_a_network_of_their_own)
{
	struct service service = handler("shell");

	add_command(&service, "/bin/true");
	add(&service);
	add(&service);
	open_all();
	ck_assert_uint_eq(cages.count, made(0)->cage.private_network ? 2 : 1);
	if (made(0)->cage.private_network)
		ck_assert_int_ne(made(0)->network, made(1)->network);
	cages_fini(&cages);
}
END_TEST

static void try_the_ruleset(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    landlock_restrict(cages.fds[made(0)->ruleset]) < 0)
		_exit(1);
	if (open("fortunes", O_RDONLY) < 0 || open("fortunes.dat", O_RDONLY) < 0)
		_exit(2);
	if (open("other", O_RDONLY) >= 0 || open("/etc/passwd", O_RDONLY) >= 0)
		_exit(3);
	if (open("fortunes", O_WRONLY) >= 0 || open(".", O_RDONLY) >= 0)
		_exit(4);
}

/* Not only a list, but a wall. */
START_TEST(the_ruleset_holds)
{
	struct service service = handler("fortune");
	char said[64];

	if (!has_landlock()) {
		puts("skipped: no Landlock here");
		return;
	}
	enter_directory();
	write_file("fortunes", "");
	write_file("fortunes.dat", "");
	write_file("other", "");
	set_option(&service, "database", keep(xasprintf("%s/fortunes", directory)));
	add(&service);
	open_all();
	ck_assert_int_eq(run(try_the_ruleset, said, sizeof(said)), 0);
	cages_fini(&cages);
	leave_directory();
}
END_TEST

static void try_the_filter(void)
{
	const struct sock_fprog filter = { (unsigned short)made(0)->nfilter,
					   (struct sock_filter *)(uintptr_t)made(0)->filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		_exit(1);
	(void)syscall(SYS_poll, NULL, 0, 0);
	(void)syscall(SYS_socket, 1, 1, 0);
}

START_TEST(the_filter_holds)
{
	const struct service service = handler("daytime");
	char said[64];
	int status;

	if (!kernel_get()->has_filters) {
		puts("skipped: no filters here");
		return;
	}
	add(&service);
	open_all();
	status = run(try_the_filter, said, sizeof(said));
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSYS);
	cages_fini(&cages);
}
END_TEST

/* The plan that is made of them; unmapped at the end of the test. */
static const struct plan *build(void)
{
	static const struct build_texts texts;
	static const struct listener_set none;
	static const struct plan_global global = { .pid_fd = -1, .headers = 1 };
	static char file[] = "/etc/begat.conf";
	const struct plan *plan;
	int fd;

	config.file = file;
	fd = build_plan(&config, &none, &cages, &global, &texts);
	ck_assert_int_ge(fd, 0);
	plan = plan_map(fd);
	ck_assert_ptr_nonnull(plan);
	ck_assert(plan_is_sound(plan));
	return plan;
}

static void add_one_of_each(void)
{
	struct service service;

	for (size_t i = 0; handler_at(i); i++) {
		service = handler(handler_at(i)->name);
		if (handler_at(i) == &shell_handler)
			add_command(&service, "/bin/true");
		add(&service);
	}
	service = program("/bin/true");
	add(&service);
	service.cage.read_only = LIST("/etc");
	service.cage.system_calls = LIST("@system-service");
	add(&service);
}

/* From the settings to the plan, of every handler and of a program. */
START_TEST(a_plan_can_be_made_of_them)
{
	const struct plan *plan;

	add_one_of_each();
	open_all();
	plan = build();
	for (size_t i = 0; i < config.nservices; i++) {
		const struct plan_cage *cage = plan_cage(plan, plan_service(plan, i));

		if (many[i].exec && !many[i].cage.read_only) {
			ck_assert_ptr_null(cage);
			continue;
		}
		if (!has_landlock() || !kernel_get()->has_filters)
			continue;
		ck_assert_ptr_nonnull(cage);
		ck_assert_int_ge(cage->ruleset_fd, FD_PARKED);
		ck_assert_uint_eq(cage->nfilter, made(i)->nfilter);
		ck_assert_uint_eq(cage->nrules, made(i)->cage.rules.count);
	}
	ck_assert_uint_eq(plan->nfds, cages.nfds);
	cages_fini(&cages);
}
END_TEST

/* Other kernels */

/* The way of a kernel that does not have it, or of a container that denies it. */
static bool deny(unsigned number, unsigned error)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { sizeof(program) / sizeof(*program), program };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0)
		return true;
	puts("skipped: no filters here");
	return false;
}

/* Rules that nobody can keep are none: there is no ruleset that they could belong to. */
START_TEST(without_landlock_there_are_no_rules)
{
	static uint16_t port = 80;

	if (!deny(SYS_landlock_create_ruleset, ENOSYS))
		return;
	ck_assert_int_eq(kernel_get()->landlock, 0);
	add_one_of_each();
	many[0].cage.read_only = LIST("/etc");
	many[0].cage.connect = (struct service_ports){ true, &port, 1 };
	open_all();
	for (size_t i = 0; i < config.nservices; i++) {
		const struct cage *cage = &made(i)->cage;

		ck_assert_uint_eq(cage->rules.count, 0);
		ck_assert_uint_eq(cage->rules.handled.files, 0);
		ck_assert_uint_eq(cage->rules.handled.scopes, 0);
		ck_assert_int_eq(made(i)->ruleset, CAGES_NO_FD);
		if (many[i].handler)
			expect_call(cage, "sendto", true); /* the other wall stands */
	}
	(void)build();
	cages_fini(&cages);
}
END_TEST

START_TEST(without_filters_there_are_no_lists)
{
	if (!deny(SYS_seccomp, ENOSYS))
		return;
	ck_assert(!kernel_get()->has_filters);
	add_one_of_each();
	open_all();
	for (size_t i = 0; i < config.nservices; i++) {
		ck_assert_ptr_null(made(i)->cage.system_calls);
		ck_assert_uint_eq(made(i)->nfilter, 0);
		if (many[i].handler)
			ck_assert_uint_eq(made(i)->cage.rules.handled.files, all_files());
	}
	(void)build();
	cages_fini(&cages);
}
END_TEST

/* What nobody has asked for must not keep a daemon from starting: in a container root may make no
 * namespaces. */
START_TEST(without_namespaces_commands_have_our_network)
{
	struct service service = handler("shell");

	if (!deny(SYS_unshare, EPERM))
		return;
	ck_assert(!kernel_has_namespaces());
	add_command(&service, "/bin/true");
	add(&service);
	open_all();
	ck_assert(!made(0)->cage.private_network);
	ck_assert_int_eq(made(0)->network, CAGES_NO_FD);
	cages_fini(&cages);
}
END_TEST

SUITE("cages", a_thousand_services_share, a_thousand_different_services_share_a_filter,
      disabled_services_open_nothing, no_services_need_nothing, what_is_different_is_apart,
      handlers_trap_and_programs_are_killed, files_are_remembered, a_path_that_has_gone_is_told,
      each_has_an_empty_network_of_its_own, commands_have_a_network_of_their_own,
      a_link_out_of_what_is_written_is_nobodys, a_link_out_is_told, filters_begin_with_guards,
      the_ruleset_holds, the_filter_holds, a_plan_can_be_made_of_them,
      without_landlock_there_are_no_rules, without_filters_there_are_no_lists,
      without_namespaces_commands_have_our_network)
