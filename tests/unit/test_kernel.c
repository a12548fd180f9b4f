/* SPDX-License-Identifier: ISC */
/* cage/kernel: what is there is found, what is not there is not, and asking changes nothing. */
#include "config.h"

#include "cage/kernel.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/landlock.h"
#include "suite.h"

#define NOBODY 65534

/* The number behind "name:" in /proc/self/status; false when there is none. */
static bool status_field(const char *name, unsigned long long *value)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256], format[64];
	bool found = false;

	snprintf(format, sizeof(format), "%s: %%llx", name);
	while (status && !found && fgets(line, sizeof(line), status)) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		found = sscanf(line, format, value) == 1;
#pragma GCC diagnostic pop
	}
	if (status)
		(void)fclose(status);
	return found;
}

/* major * 1000 + minor */
static int version(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	ck_assert_int_eq(uname(&name), 0);
	ck_assert_int_eq(sscanf(name.release, "%d.%d", &major, &minor), 2);
	return major * 1000 + minor;
}

static bool has_no_children(void)
{
	return waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD;
}

/* A right that a kernel does not know makes it refuse the whole ruleset: landlock(7). */
START_TEST(landlock_is_asked_for_no_more_than_it_knows)
{
	static const struct {
		int abi;
		uint64_t files, ports, scopes;
	} known[] = {
		{ 0, 0, 0, 0 },	     { 1, 0x1fff, 0, 0 }, { 2, 0x3fff, 0, 0 }, { 3, 0x7fff, 0, 0 },
		{ 4, 0x7fff, 3, 0 }, { 5, 0xffff, 3, 0 }, { 6, 0xffff, 3, 3 }, { 7, 0xffff, 3, 3 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		ck_assert_uint_eq(kernel_landlock_files(known[i].abi), known[i].files);
		ck_assert_uint_eq(kernel_landlock_ports(known[i].abi), known[i].ports);
		ck_assert_uint_eq(kernel_landlock_scopes(known[i].abi), known[i].scopes);
	}
}
END_TEST

/* What is said to be known must be taken, by this kernel. */
START_TEST(landlock_takes_what_is_said_to_be_known)
{
	const int abi = kernel_get()->landlock;
	const struct landlock_handled handled = { .files = kernel_landlock_files(abi),
						  .ports = kernel_landlock_ports(abi),
						  .scopes = kernel_landlock_scopes(abi) };

	if (abi == 0) {
		ck_assert_int_lt(landlock_abi(), 0);
		return;
	}
	ck_assert_int_ge(landlock_create(&handled), 0);
}
END_TEST

START_TEST(filters_are_there_when_the_kernel_lists_them)
{
	FILE *file = fopen("/proc/sys/kernel/seccomp/actions_avail", "re");
	char line[256] = "";
	bool listed = file && fgets(line, sizeof(line), file) && strstr(line, "kill_process");

	if (file)
		(void)fclose(file);
#ifdef HAVE_SECCOMP
	if (file)
		ck_assert_int_eq(kernel_get()->has_filters, listed);
#else
	(void)listed;
	ck_assert(!kernel_get()->has_filters);
#endif
}
END_TEST

START_TEST(capabilities_are_those_of_proc)
{
	const struct kernel *kernel = kernel_get();
	unsigned long long permitted;
	FILE *file = fopen("/proc/sys/kernel/cap_last_cap", "re");
	int last = 0;

	if (status_field("CapPrm", &permitted))
		ck_assert_uint_eq(kernel->capabilities, permitted);
	ck_assert_uint_eq(kernel->capabilities & ~kernel->known_capabilities, 0);
	ck_assert(kernel->known_capabilities & 1);
	if (file) {
		ck_assert_int_eq(fscanf(file, "%d", &last), 1);
		ck_assert_uint_eq(kernel->known_capabilities, (UINT64_C(2) << last) - 1);
		(void)fclose(file);
	}
}
END_TEST

/* Each test is a process of its own, which may become nobody. */
START_TEST(an_ordinary_user_has_none)
{
	const bool was_root = getuid() == 0;

	if (was_root && setresuid(NOBODY, NOBODY, NOBODY) < 0) {
		puts("skipped: there is no nobody here");
		return;
	}
	if (was_root)
		ck_assert_uint_eq(kernel_get()->capabilities, 0);
	if (kernel_get()->capabilities == 0)
		ck_assert(!kernel_has_namespaces());
	ck_assert_ptr_eq(kernel_get(), kernel_get());
}
END_TEST

/* Of kernels that are new enough, unless something around us denies the call. */
START_TEST(finds_what_a_new_kernel_has)
{
	const struct kernel *kernel = kernel_get();

	if (version() >= 6003)
		ck_assert(kernel->has_deny_write_execute);
	else if (version() < 5010)
		ck_assert(!kernel->has_deny_write_execute);
	if (syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS)
		ck_assert(!kernel->has_clone_into_cgroup);
	else
		ck_assert_int_eq(kernel->has_clone_into_cgroup, version() >= 5007);
	ck_assert(has_no_children());
}
END_TEST

static bool can_unshare(void)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID) < 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status == 0;
}

/* The try must neither leave a child behind nor move us. */
START_TEST(namespaces_are_tried_by_somebody_else)
{
	const bool expected = can_unshare();
	char before[64] = "", after[64] = "";

	ck_assert_int_gt(readlink("/proc/self/ns/net", before, sizeof(before) - 1), 0);
	ck_assert_int_eq(kernel_has_namespaces(), expected);
	ck_assert_int_gt(readlink("/proc/self/ns/net", after, sizeof(after) - 1), 0);
	ck_assert_str_eq(before, after);
	ck_assert(has_no_children());
}
END_TEST

/* Some start daemons with SIGCHLD ignored, and then nobody can wait for an ordinary child. */
START_TEST(namespaces_are_found_with_sigchld_ignored)
{
	const bool expected = can_unshare();

	ck_assert_ptr_ne(signal(SIGCHLD, SIG_IGN), SIG_ERR);
	ck_assert_int_eq(kernel_has_namespaces(), expected);
}
END_TEST

/* begatd has adopted the workers of the master before it: their end is not ours to see. */
START_TEST(namespaces_are_found_beside_other_children)
{
	pid_t pid = fork();
	int status = 0;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(77);
	(void)kernel_has_namespaces();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 77);
}
END_TEST

#define DENY(number)                                                                               \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),                                       \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* In a container whose own filter says EPERM to all of this, there is nothing for us. */
START_TEST(what_is_denied_is_not_there)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		DENY(SYS_landlock_create_ruleset),
		DENY(SYS_seccomp),
		DENY(SYS_clone3),
		DENY(SYS_capget),
		DENY(SYS_prctl),
		DENY(SYS_unshare),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = { sizeof(program) / sizeof(*program), program };
	const struct kernel *kernel;

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0) {
		puts("skipped: no filters here");
		return;
	}
	kernel = kernel_get();
	ck_assert_int_eq(kernel->landlock, 0);
	ck_assert(!kernel->has_filters);
	ck_assert(!kernel->has_deny_write_execute);
	ck_assert(!kernel->has_clone_into_cgroup);
	ck_assert_uint_eq(kernel->capabilities, 0);
	ck_assert_uint_eq(kernel->known_capabilities, 0);
	ck_assert(!kernel_has_namespaces());
}
END_TEST

SUITE("kernel", landlock_is_asked_for_no_more_than_it_knows,
      landlock_takes_what_is_said_to_be_known, filters_are_there_when_the_kernel_lists_them,
      capabilities_are_those_of_proc, an_ordinary_user_has_none, finds_what_a_new_kernel_has,
      namespaces_are_tried_by_somebody_else, namespaces_are_found_with_sigchld_ignored,
      namespaces_are_found_beside_other_children, what_is_denied_is_not_there)
