/* SPDX-License-Identifier: ISC */
/* Control groups: begat.conf(5), "cgroup".  In groups of our own, which only root can make. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "cage/cgroup.h"
#include "cage/own-group.h"
#include "suite.h"

#define PIDFILE	 "/run/begatd.pid"
#define OURS	 "0e5df123" /* FNV-1a of that, the upper half on the lower one, as Python has it */
#define OTHERS	 "/run/other.pid"
#define OF_OTHER "8520093a"

static char why[CGROUP_WHY];
static char *top;	  /* the root of the hierarchy, or what we see of it */
static char *tests_group; /* below it */
static char *group;	  /* a test's own, within */
static const struct cgroup_limits unlimited;

static const char *in_group(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", group, name);
	return path;
}

static bool is_there(const char *name)
{
	return access(in_group(name), F_OK) == 0;
}

static bool write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool written = file && fputs(text, file) >= 0;

	return file && fclose(file) == 0 && written;
}

/* Each test is a process of its own, and goes where it likes. */
static void enter(const char *path)
{
	char *file = xasprintf("%s/cgroup.procs", path);

	ck_assert_msg(write_text(file, "0"), "%s: %m", file);
	free(file);
}

static bool has_controller(const char *name)
{
	char text[512] = "";
	FILE *file = fopen(in_group("cgroup.controllers"), "r");

	ck_assert_ptr_nonnull(file);
	(void)!fgets(text, sizeof(text), file);
	ck_assert_int_eq(fclose(file), 0);
	return strstr(text, name) != NULL;
}

static void is_refused(const char *first, const char *second)
{
	ck_assert_int_eq(cgroup_check(&unlimited, why), -1);
	ck_assert_msg(strstr(why, first) && strstr(why, second), "%s", why);
	ck_assert_int_eq(cgroup_open("x", &unlimited, why), -1);
	ck_assert_msg(strstr(why, first) && strstr(why, second), "%s", why);
}

static int open_group(const char *service, const struct cgroup_limits *limits)
{
	int fd = cgroup_open(service, limits, why);

	ck_assert_msg(fd >= 0, "%s", why);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	return fd;
}

/* The machine's own: whatever is made there is in somebody's way. */
START_TEST(root_of_the_hierarchy_is_not_ours)
{
	free(group);
	group = xstrdup(top);
	if (is_there("cgroup.type")) {
		puts("# skipped: only a branch of the hierarchy can be seen");
		return;
	}
	enter(group);
	is_refused("was not given to it", "Delegate=yes");
	ck_assert(!is_there("begat-" OURS "-x"));
}
END_TEST

START_TEST(group_is_made_and_opened)
{
	struct stat status, other;
	int fd;

	enter(group);
	ck_assert_msg(cgroup_check(&unlimited, why) == 0, "%s", why);
	ck_assert(!is_there("begat-" OURS "-x"));
	fd = open_group("x", &unlimited);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_int_eq(stat(in_group("begat-" OURS "-x"), &other), 0);
	ck_assert_uint_eq(status.st_ino, other.st_ino);
	/* Nobody moves as long as there is no need to. */
	ck_assert(!is_there("begat-master"));
	ck_assert_int_eq(close(fd), 0);
	/* A reload finds the same. */
	fd = open_group("x", &unlimited);
	ck_assert_int_eq(fstat(fd, &other), 0);
	ck_assert_uint_eq(status.st_ino, other.st_ino);
}
END_TEST

/* After a reload by a daemon that has had to move. */
START_TEST(above_our_own)
{
	enter(group);
	ck_assert_int_eq(mkdir(in_group("begat-master"), 0755), 0);
	enter(in_group("begat-master"));
	ck_assert_int_eq(close(open_group("below", &unlimited)), 0);
	ck_assert(is_there("begat-" OURS "-below"));
	ck_assert(!is_there("begat-master/begat-service-below"));
}
END_TEST

START_TEST(empty_groups_of_other_services_go)
{
	char *services[] = { (char *)"stays", NULL };
	int tell[2];
	char byte;
	pid_t pid;

	enter(group);
	ck_assert_int_eq(pipe(tell), 0);
	ck_assert_int_eq(close(open_group("stays", &unlimited)), 0);
	ck_assert_int_eq(close(open_group("goes", &unlimited)), 0);
	ck_assert_int_eq(close(open_group("stays-not", &unlimited)), 0);
	ck_assert_int_eq(close(open_group("busy", &unlimited)), 0);
	ck_assert_int_eq(mkdir(in_group("another"), 0755), 0);
	ck_assert_int_eq(mkdir(in_group("begat-" OF_OTHER "-goes"), 0755), 0);
	pid = fork();
	if (pid == 0) {
		enter(in_group("begat-" OURS "-busy"));
		ck_assert_int_eq(write(tell[1], "", 1), 1);
		(void)pause();
		_exit(0);
	}
	ck_assert_int_eq(read(tell[0], &byte, 1), 1);
	cgroup_clean(services);
	ck_assert(is_there("begat-" OURS "-stays"));
	ck_assert(is_there("begat-" OURS "-busy"));
	ck_assert(is_there("another"));
	ck_assert(is_there("begat-" OF_OTHER "-goes"));
	ck_assert(!is_there("begat-" OURS "-goes"));
	ck_assert(!is_there("begat-" OURS "-stays-not"));
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* The wait status of a child that is born there and says goodbye. */
static int bear(int group_fd)
{
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)group_fd,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	int status;

	if (pid == 0)
		_exit(3);
	ck_assert_msg(pid > 0, "%m");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static ino_t inode_of(const char *name)
{
	struct stat status;

	ck_assert_int_eq(stat(in_group(name), &status), 0);
	return status.st_ino;
}

/* After one cgroup.kill the kernel kills, for ever, whoever is born into the group. */
START_TEST(start_makes_groups_anew)
{
	int fd;
	ino_t first;

	enter(group);
	ck_assert_int_eq(close(open_group("x", &unlimited)), 0);
	first = inode_of("begat-" OURS "-x");
	ck_assert(write_text(in_group("begat-" OURS "-x/cgroup.kill"), "1"));
	/* A reload leaves it as it is: there may be a master that has it open. */
	ck_assert_int_eq(close(open_group("x", &unlimited)), 0);
	ck_assert_uint_eq(inode_of("begat-" OURS "-x"), first);
	cgroup_init(PIDFILE, true);
	fd = open_group("x", &unlimited);
	ck_assert_uint_ne(inode_of("begat-" OURS "-x"), first);
	ck_assert_int_eq(bear(fd), 3 << 8);
	/* What is settled after that is not made once more. */
	first = inode_of("begat-" OURS "-x");
	ck_assert_msg(cgroup_set_limits("x", &unlimited, why) == 0, "%s", why);
	ck_assert_uint_eq(inode_of("begat-" OURS "-x"), first);
	ck_assert_int_eq(bear(fd), 3 << 8);
}
END_TEST

/* Workers of a daemon that has died are left in theirs. */
START_TEST(start_leaves_groups_that_are_busy)
{
	ino_t first;

	enter(group);
	ck_assert_msg(cgroup_check(&unlimited, why) == 0, "%s", why); /* where we are now counts */
	cgroup_init(PIDFILE, true);
	ck_assert_int_eq(close(open_group("x", &unlimited)), 0);
	first = inode_of("begat-" OURS "-x");
	enter(in_group("begat-" OURS "-x"));
	ck_assert_int_eq(close(open_group("x", &unlimited)), 0);
	ck_assert_uint_eq(inode_of("begat-" OURS "-x"), first);
}
END_TEST

/* Two daemons with services of the same name, and one of them begins and ends. */
START_TEST(instances_are_apart)
{
	char *none[] = { NULL };
	ino_t first;

	enter(group);
	ck_assert_int_eq(close(open_group("x", &unlimited)), 0);
	first = inode_of("begat-" OURS "-x");
	cgroup_init(OTHERS, true);
	ck_assert_int_eq(close(open_group("x", &unlimited)), 0);
	ck_assert(is_there("begat-" OF_OTHER "-x"));
	cgroup_clean(none);
	ck_assert(!is_there("begat-" OF_OTHER "-x"));
	ck_assert_uint_eq(inode_of("begat-" OURS "-x"), first);
}
END_TEST

/* What is not there cannot be limited, and is not made for it: nobody would be born into it. */
START_TEST(limits_of_a_group_that_is_gone)
{
	enter(group);
	ck_assert_int_eq(cgroup_set_limits("x", &unlimited, why), -1);
	ck_assert_msg(strstr(why, "begat-" OURS "-x: No such file"), "%s", why);
	ck_assert(!is_there("begat-" OURS "-x"));
}
END_TEST

static void read_line(const char *name, char text[static 64])
{
	FILE *file = fopen(in_group(name), "r");

	ck_assert_msg(file && fgets(text, 64, file), "%s: %m", name);
	ck_assert_int_eq(fclose(file), 0);
	text[strcspn(text, "\n")] = '\0';
}

/* Limits are set, and lifted by the next reload; the daemon makes way for them. */
static void check_limit(const struct cgroup_limits *limits, const char *file, const char *expected)
{
	char text[64];

	ck_assert_msg(cgroup_check(limits, why) == 0, "%s", why);
	ck_assert_int_eq(close(open_group("limited", limits)), 0);
	read_line(file, text);
	ck_assert_str_eq(text, expected);
	ck_assert(is_there("begat-master"));
	/* Workers of the plan before have theirs until the new one is in force. */
	ck_assert_int_eq(close(open_group("limited", &unlimited)), 0);
	read_line(file, text);
	ck_assert_str_eq(text, expected);
	ck_assert_msg(cgroup_set_limits("limited", &unlimited, why) == 0, "%s", why);
	read_line(file, text);
	ck_assert_str_eq(text, "max");
}

static void check_controller(const char *name, const struct cgroup_limits *limits, const char *file,
			     const char *expected)
{
	enter(group);
	if (has_controller(name)) {
		check_limit(limits, file, expected);
		return;
	}
	printf("# skipped: there is no controller \"%s\" to set limits with\n", name);
	ck_assert_int_eq(cgroup_check(limits, why), -1);
	ck_assert_msg(strstr(why, name) && strstr(why, "cgroup_no_v1"), "%s", why);
	cgroup_init(PIDFILE, true);
	ck_assert_int_eq(cgroup_open("limited", limits, why), -1);
	ck_assert(!is_there("begat-" OURS "-limited"));
	ck_assert(!is_there("begat-master"));
}

START_TEST(memory)
{
	const struct cgroup_limits limits = { .memory_max = 64 << 20 };

	check_controller("memory", &limits, "begat-" OURS "-limited/memory.max", "67108864");
}
END_TEST

START_TEST(tasks)
{
	const struct cgroup_limits limits = { .tasks_max = 20 };

	check_controller("pids", &limits, "begat-" OURS "-limited/pids.max", "20");
}
END_TEST

/* An ordinary user's daemon in a group that root has made for nobody. */
START_TEST(group_of_somebody_else)
{
	enter(group);
	ck_assert_int_eq(setgid(12345), 0);
	ck_assert_int_eq(setuid(12345), 0);
	is_refused("Permission denied", "Delegate=yes");
}
END_TEST

/* As systemd gives one to User=. */
START_TEST(group_of_an_ordinary_user)
{
	static const char *const files[] = { ".", "cgroup.procs", "cgroup.subtree_control" };
	char *user;

	ck_assert_int_eq(mkdir(in_group("user.service"), 0755), 0);
	user = xstrdup(in_group("user.service"));
	free(group);
	group = user;
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(chown(in_group(files[i]), 12345, 12345), 0);
	enter(group);
	ck_assert_int_eq(setgid(12345), 0);
	ck_assert_int_eq(setuid(12345), 0);
	ck_assert_int_eq(close(open_group("x", &unlimited)), 0);
	ck_assert(is_there("begat-" OURS "-x"));
}
END_TEST

/* Root may write to every unit's group; systemd wants them left alone but for those it marks. */
START_TEST(unit_that_is_not_delegated)
{
	ck_assert_int_eq(mkdir(in_group("begat.service"), 0755), 0);
	enter(in_group("begat.service"));
	is_refused("begat.service", "Delegate=yes");
	if (setxattr(in_group("begat.service"), "trusted.delegate", "1", 1, 0) < 0) {
		printf("# skipped: cannot be marked: %m\n");
		return;
	}
	ck_assert_msg(cgroup_check(&unlimited, why) == 0, "%s", why);
	ck_assert_int_eq(setxattr(in_group("begat.service"), "trusted.delegate", "0", 1, 0), 0);
	is_refused("begat.service", "Delegate=yes");
}
END_TEST

/* Processes cannot be born into one. */
START_TEST(threaded_group)
{
	ck_assert_int_eq(mkdir(in_group("threaded"), 0755), 0);
	ck_assert_int_eq(mkdir(in_group("threaded/child"), 0755), 0);
	ck_assert(write_text(in_group("threaded/child/cgroup.type"), "threaded"));
	enter(in_group("threaded"));
	is_refused("not of the type", "domain");
}
END_TEST

static bool remove_group(const char *path)
{
	char *command = xasprintf("find '%s' -depth -type d -exec rmdir {} +", path);
	bool removed = false;

	for (int i = 0; !removed && i < 50; i++) {
		removed = system(command) == 0;
		if (!removed)
			usleep(20000);
	}
	free(command);
	return removed;
}

/* Once for all tests, in the process that they are forked from. */
static bool make_tests_group(void)
{
	struct own_group own;

	own_group_find("", &own);
	free(own.path);
	top = own.top;
	if (!top || geteuid() != 0)
		return false;
	tests_group = xasprintf("%s/begat-test-%d", top, (int)getpid());
	if (mkdir(tests_group, 0755) < 0)
		return false;
	/* Where there are any, the tests are to have them. */
	group = tests_group;
	(void)!write_text(in_group("cgroup.subtree_control"), "+memory");
	(void)!write_text(in_group("cgroup.subtree_control"), "+pids");
	return true;
}

static void make_group(void)
{
	cgroup_init(PIDFILE, false);
	group = xasprintf("%s/%d", tests_group, (int)getpid());
	ck_assert_int_eq(mkdir(group, 0755), 0);
}

int main(void)
{
	TCase *tests;
	int status;

	if (!make_tests_group()) {
		puts("# skipped: no control group can be made here: needs root and cgroup2");
		return EXIT_SUCCESS;
	}
	tests = tcase_create("all");
	tcase_add_checked_fixture(tests, make_group, NULL);
	tcase_add_test(tests, root_of_the_hierarchy_is_not_ours);
	tcase_add_test(tests, group_is_made_and_opened);
	tcase_add_test(tests, above_our_own);
	tcase_add_test(tests, empty_groups_of_other_services_go);
	tcase_add_test(tests, start_makes_groups_anew);
	tcase_add_test(tests, start_leaves_groups_that_are_busy);
	tcase_add_test(tests, instances_are_apart);
	tcase_add_test(tests, limits_of_a_group_that_is_gone);
	tcase_add_test(tests, memory);
	tcase_add_test(tests, tasks);
	tcase_add_test(tests, group_of_somebody_else);
	tcase_add_test(tests, group_of_an_ordinary_user);
	tcase_add_test(tests, unit_that_is_not_delegated);
	tcase_add_test(tests, threaded_group);
	status = suite_finish("cgroup", tests);
	if (!remove_group(tests_group)) {
		fprintf(stderr, "%s is left behind\n", tests_group);
		return EXIT_FAILURE;
	}
	return status;
}
