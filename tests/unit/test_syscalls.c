/* SPDX-License-Identifier: ISC */
/*
 * cage/syscalls: lists mean what systemd.exec(5) says, and filters let in what the list leaves and
 * nothing else, by an interpreter for every number there can be, and by this kernel.
 */
#include "config.h"

#include "cage/syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage/syscall-sets.h"
#include "suite.h"

#define LIST(...)	 ((char *const *)(const char *const[]){ __VA_ARGS__, NULL })

#define RANGE_OF_NUMBERS 8000 /* MIPS has the highest, from 6000 on */

static char why[SYSCALLS_WHY];

/* Sets */

static bool stands_in(const char *members, const char *wanted)
{
	char name[SYSCALL_NAME];

	while (syscall_set_next(&members, name))
		if (strcmp(name, wanted) == 0)
			return true;
	return false;
}

static size_t count_of(const char *members)
{
	char name[SYSCALL_NAME];
	size_t count = 0;

	while (syscall_set_next(&members, name))
		count++;
	return count;
}

/* A word that is too long for a name, two spaces, or a set within a set that is not there would cut
 * a set short without a word. */
START_TEST(sets_are_sound)
{
	for (const struct syscall_set *set = syscall_sets; set->name; set++) {
		const char *rest = set->members;
		char name[SYSCALL_NAME], before[SYSCALL_NAME] = "";

		while (syscall_set_next(&rest, name)) {
			ck_assert_msg(strcmp(before, name) < 0, "%s: %s, %s", set->name, before,
				      name);
			ck_assert_msg(*name != '@' || syscall_set_find(name), "%s", name);
			memcpy(before, name, sizeof(before));
		}
		ck_assert_msg(*rest == '\0', "%s: left: %s", set->name, rest);
		ck_assert_msg(!set[1].name || strcmp(set->name, set[1].name) < 0, "%s", set->name);
		ck_assert_int_eq(syscalls_check(set->name, why), 0);
	}
}
END_TEST

/* What systemd-analyze(1) prints for a set; closed by the caller. */
static FILE *analyze(const char *set)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "systemd-analyze --no-pager syscall-filter '%s' 2>/dev/null", set);
	return popen(command, "r");
}

static bool has_systemd_252(void)
{
	FILE *output = popen("systemd-analyze --version 2>/dev/null", "r");
	char line[256] = "";
	bool is_252 = output && fgets(line, sizeof(line), output) &&
		      strncmp(line, "systemd 252 ", 12) == 0;

	if (output)
		(void)pclose(output);
	return is_252;
}

/* Names that administrators know must mean what they know. */
START_TEST(sets_are_those_of_systemd)
{
	size_t compared = 0;

	if (!has_systemd_252()) {
		puts("skipped: there is no systemd-analyze of systemd 252");
		return;
	}
	for (const struct syscall_set *set = syscall_sets; set->name; set++) {
		FILE *output = analyze(set->name);
		char line[256], word[256];
		size_t count = 0;

		ck_assert_ptr_nonnull(output);
		while (fgets(line, sizeof(line), output)) {
			if (sscanf(line, " %255s", word) != 1 || *line != ' ' || *word == '#')
				continue;
			ck_assert_msg(stands_in(set->members, word), "%s lacks %s", set->name,
				      word);
			count++;
		}
		if (pclose(output) != 0)
			continue; /* @sandbox came later */
		ck_assert_msg(count == count_of(set->members), "%s: %zu, not %zu", set->name,
			      count_of(set->members), count);
		compared++;
	}
	ck_assert_uint_ge(compared, 28);
}
END_TEST

#ifdef HAVE_SECCOMP

/* Lists */

START_TEST(checks_items)
{
	static const char *const good[] = { "read",  "~read",	 "@all",    "~@all",  "@default",
					    "~@aio", "@sandbox", "openat2", "~clone3" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		ck_assert_msg(syscalls_check(good[i], why) == 0, "%s: %s", good[i], why);
}
END_TEST

/* One configuration for machines of two kinds. */
START_TEST(takes_names_of_other_machines)
{
	static const char *const others[] = { "mmap2", "socketcall", "s390_pci_mmio_read",
					      "riscv_flush_icache", "arm_fadvise64_64" };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		ck_assert_msg(syscalls_check(others[i], why) == 0, "%s: %s", others[i], why);
#ifdef __x86_64__
	ck_assert_uint_eq(syscalls_count(LIST("mmap2", "socketcall")), 0);
	ck_assert(!syscalls_has(LIST("mmap2"), "mmap2"));
#endif
}
END_TEST

START_TEST(tells_the_nearest)
{
	static const struct {
		const char *item, *why;
	} wrong[] = {
		{ "opennat", "there is no system call \"opennat\"; did you mean \"openat\"?" },
		{ "~opennat", "there is no system call \"opennat\"; did you mean \"openat\"?" },
		{ "@file-sistem", "there is no set of system calls \"@file-sistem\"; did you mean "
				  "\"@file-system\"?" },
		{ "network-io", "there is no system call \"network-io\"; did you mean "
				"\"@network-io\"?" },
		{ "@al", "there is no set of system calls \"@al\"; did you mean \"@all\"?" },
		{ "", "there is no system call \"\"" },
		{ "~", "there is no system call \"\"" },
		{ "@", "there is no set of system calls \"@\"" },
		{ "~~read", "there is no system call \"~read\"; did you mean \"read\"?" },
		{ "READ", "there is no system call \"READ\"" },
		{ "@read", "there is no set of system calls \"@read\"; did you mean \"read\"?" },
		{ "read:EPERM", "there is no system call \"read:EPERM\"" },
		{ "0", "there is no system call \"0\"" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		ck_assert_msg(syscalls_check(wrong[i].item, why) == -1, "%s", wrong[i].item);
		ck_assert_str_eq(why, wrong[i].why);
	}
}
END_TEST

/* A long item must fit the reason, whose size the callers have. */
START_TEST(complains_of_what_is_long)
{
	char item[4000];

	memset(item, 'x', sizeof(item) - 1);
	item[sizeof(item) - 1] = '\0';
	ck_assert_int_eq(syscalls_check(item, why), -1);
	*item = '@';
	ck_assert_int_eq(syscalls_check(item, why), -1);
	ck_assert_uint_lt(strlen(why), sizeof(why) - 1);
}
END_TEST

START_TEST(knows_the_calls_of_this_machine)
{
	static const char *const everywhere[] = { "read",	  "write",  "execve",
						  "openat",	  "clone3", "exit_group",
						  "rt_sigreturn", "futex",  "mmap" };

	ck_assert_uint_gt(syscalls_all(), 280);
	ck_assert_uint_lt(syscalls_all(), 700);
	for (size_t i = 0; i < sizeof(everywhere) / sizeof(*everywhere); i++)
		ck_assert(syscalls_has(LIST("@all"), everywhere[i]) ||
			  strcmp(everywhere[i], "mmap") == 0);
#ifdef __x86_64__
	ck_assert_uint_gt(syscalls_all(), 350);
#endif
}
END_TEST

START_TEST(counts_what_a_list_leaves)
{
	const size_t all = syscalls_all();

	ck_assert_uint_eq(syscalls_count((char *const[]){ NULL }), 0);
	ck_assert_uint_eq(syscalls_count(LIST("read")), 1);
	ck_assert_uint_eq(syscalls_count(LIST("read", "read", "write")), 2);
	ck_assert_uint_eq(syscalls_count(LIST("@swap")), 2);
	ck_assert_uint_eq(syscalls_count(LIST("@sandbox")), 4);
	ck_assert_uint_eq(syscalls_count(LIST("@swap", "swapon")), 2);
	ck_assert_uint_eq(syscalls_count(LIST("@swap", "~swapon")), 1);
	ck_assert_uint_eq(syscalls_count(LIST("@swap", "~swapon", "swapon")), 2);
	ck_assert_uint_eq(syscalls_count(LIST("@all")), all);
	ck_assert_uint_eq(syscalls_count(LIST("@all", "~@swap")), all - 2);
	ck_assert_uint_eq(syscalls_count(LIST("~@swap")), all - 2);
	ck_assert_uint_eq(syscalls_count(LIST("~@swap", "swapon")), all - 1);
	ck_assert_uint_eq(syscalls_count(LIST("read", "~@all")), 0);
	ck_assert_uint_eq(syscalls_count(LIST("~@all")), 0);
	ck_assert_uint_eq(syscalls_count(LIST("~@all", "read")), 1);
	ck_assert_uint_eq(syscalls_count(LIST("~getpid", "@all")), all);
#ifdef __x86_64__
	ck_assert_uint_eq(syscalls_count(LIST("@chown")), 4);
	ck_assert_uint_eq(syscalls_count(LIST("@aio")), 9);
	ck_assert_uint_eq(syscalls_count(LIST("@basic-io")), 16);
#endif
}
END_TEST

START_TEST(looks_into_sets)
{
	char *const *service = LIST("@system-service", "~@setuid");

	ck_assert(syscalls_has(LIST("@basic-io"), "read"));
	ck_assert(!syscalls_has(LIST("@basic-io"), "openat"));
	ck_assert(syscalls_has(LIST("@privileged"), "reboot")); /* of @reboot in it */
	ck_assert(syscalls_has(LIST("@system-service"), "setuid"));
	ck_assert(!syscalls_has(service, "setuid"));
	ck_assert(syscalls_has(service, "read"));
	ck_assert(syscalls_has(service, "execve"));
	ck_assert(!syscalls_has(service, "ptrace"));
	ck_assert(!syscalls_has(service, "mount"));
	ck_assert(!syscalls_has(LIST("~@privileged"), "chroot"));
	ck_assert(syscalls_has(LIST("~@privileged", "chroot"), "chroot"));
	ck_assert(!syscalls_has(LIST("@all"), "no_such_call"));
}
END_TEST

/* Filters, by an interpreter */

static const struct {
	const char *name;
	char *const *items;
} lists[] = {
	{ "read", LIST("read") },
	{ "three", LIST("read", "write", "exit_group") },
	{ "service", LIST("@system-service") },
	{ "service without", LIST("@system-service", "~@setuid", "~@keyring") },
	{ "handler", LIST("@basic-io", "@io-event", "exit_group", "rt_sigreturn") },
	{ "most", LIST("@all", "~@obsolete") },
	{ "all", LIST("@all") },
	{ "none", (char *const[]){ NULL } },
	{ "none of all", LIST("~@all") },
	{ "all but one", LIST("~mount") },
	{ "all but privileged", LIST("~@privileged") },
	{ "all but most", LIST("~@system-service") },
	{ "but", LIST("~@privileged", "chroot", "~read") },
};
#define NLISTS (sizeof(lists) / sizeof(*lists))

static struct sock_filter *compile(char *const *items, enum syscalls_end end, bool brief,
				   size_t *length)
{
	struct sock_filter *program = syscalls_compile(items, end, brief, length, why);

	ck_assert_msg(program != NULL, "%s", why);
	ck_assert_uint_le(*length, BPF_MAXINSNS);
	return program;
}

static unsigned judged; /* instructions that judge() has run */

static bool jumps(const struct sock_filter *at, uint32_t value)
{
	switch (at->code) {
	case BPF_JMP | BPF_JEQ | BPF_K:
		return value == at->k;
	case BPF_JMP | BPF_JGT | BPF_K:
		return value > at->k;
	case BPF_JMP | BPF_JGE | BPF_K:
		return value >= at->k;
	case BPF_JMP | BPF_JSET | BPF_K:
		return value & at->k;
	}
	ck_abort_msg("instruction %#x", at->code);
}

/* What the program says of a call.  Assertions cost a write each: none here that holds. */
static uint32_t judge(const struct sock_filter *at, const struct seccomp_data *data)
{
	uint32_t value = 0;

	for (;; at++) {
		judged++;
		switch (at->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&value, (const char *)data + at->k, sizeof(value));
			break;
		case BPF_JMP | BPF_JA:
			at += at->k;
			break;
		case BPF_RET | BPF_K:
			return at->k;
		default:
			at += jumps(at, value) ? at->jt : at->jf;
		}
	}
}

/* The native architecture's number for AUDIT_ARCH_..., from a filter itself: it is compared first.
 */
static uint32_t native(void)
{
	size_t length;
	struct sock_filter *program = compile(LIST("read"), SYSCALLS_KILL, false, &length);
	const uint32_t arch = program[1].k;

	ck_assert_uint_eq(program[0].k, offsetof(struct seccomp_data, arch));
	free(program);
	return arch;
}

/* Each number of a call of this machine, as numbers come from <sys/syscall.h>. */
static const struct {
	const char *name;
	int number;
} known[] = {
	{ "read", SYS_read },
	{ "write", SYS_write },
	{ "close", SYS_close },
	{ "execve", SYS_execve },
	{ "exit_group", SYS_exit_group },
	{ "openat", SYS_openat },
	{ "mount", SYS_mount },
	{ "chroot", SYS_chroot },
	{ "setuid", SYS_setuid },
	{ "ptrace", SYS_ptrace },
	{ "keyctl", SYS_keyctl },
	{ "swapon", SYS_swapon },
	{ "getppid", SYS_getppid },
	{ "rt_sigreturn", SYS_rt_sigreturn },
	{ "clone3", SYS_clone3 },
	{ "statx", SYS_statx },
	{ "bpf", SYS_bpf },
	{ "reboot", SYS_reboot },
	{ "socket", SYS_socket },
	{ "kill", SYS_kill },
};

static void compare_known(size_t list, const struct sock_filter *program, uint32_t end)
{
	struct seccomp_data data = { .arch = native() };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const bool has = syscalls_has(lists[list].items, known[i].name);

		data.nr = known[i].number;
		ck_assert_msg(judge(program, &data) == (has ? SECCOMP_RET_ALLOW : end), "%s: %s",
			      lists[list].name, known[i].name);
	}
}

/* As many numbers must be let in as the list leaves, where it began with none; and all but those
 * that it takes away, where it began with all. */
static void compare_all(size_t list, const struct sock_filter *program, uint32_t end)
{
	char *const *items = lists[list].items;
	const bool open = items[0] && (items[0][0] == '~' || strcmp(items[0], "@all") == 0) &&
			  strcmp(items[0], "~@all") != 0;
	struct seccomp_data data = { .arch = native(), .args = { ~0ULL, ~0ULL } };
	size_t passed = 0, denied = 0;

	for (data.nr = 0; data.nr < RANGE_OF_NUMBERS; data.nr++) {
		const uint32_t verdict = judge(program, &data);

		if (verdict != SECCOMP_RET_ALLOW && verdict != end)
			ck_abort_msg("%s: %d", lists[list].name, data.nr);
		passed += verdict == SECCOMP_RET_ALLOW;
		denied += verdict == end;
	}
	if (open)
		ck_assert_uint_eq(denied, syscalls_all() - syscalls_count(items));
	else
		ck_assert_msg(passed == syscalls_count(items), "%s: %zu, not %zu", lists[list].name,
			      passed, syscalls_count(items));
}

START_TEST(filters_let_in_what_the_list_leaves)
{
	for (size_t i = 0; i < NLISTS * 4; i++) {
		const bool brief = i & 1, trap = i & 2;
		size_t length;
		struct sock_filter *program = compile(
			lists[i / 4].items, trap ? SYSCALLS_TRAP : SYSCALLS_KILL, brief, &length);
		const uint32_t end = trap ? SECCOMP_RET_TRAP : SECCOMP_RET_KILL_PROCESS;

		compare_known(i / 4, program, end);
		compare_all(i / 4, program, end);
		free(program);
	}
}
END_TEST

/* A filter for one architecture lets in the other's calls by the same numbers: seccomp(2). */
START_TEST(other_architectures_are_not_let_in)
{
	static const uint32_t others[] = { 0,
					   AUDIT_ARCH_I386,
					   AUDIT_ARCH_X86_64,
					   AUDIT_ARCH_ARM,
					   AUDIT_ARCH_AARCH64,
					   AUDIT_ARCH_RISCV64 };

	for (size_t i = 0; i < NLISTS; i++) {
		size_t length;
		struct sock_filter *program =
			compile(lists[i].items, SYSCALLS_TRAP, false, &length);
		struct seccomp_data data = { .nr = SYS_read };

		for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++) {
			data.arch = others[k];
			if (data.arch != native())
				ck_assert_uint_eq(judge(program, &data), SECCOMP_RET_KILL_PROCESS);
		}
#ifdef __x86_64__
		data = (struct seccomp_data){ .arch = native(), .nr = 0x40000000 | SYS_read };
		ck_assert_uint_eq(judge(program, &data), SECCOMP_RET_KILL_PROCESS);
#endif
		free(program);
	}
}
END_TEST

/* What every call of every worker costs, where Linux keeps no list of those that are always let in:
 * a row of comparisons would be hundreds. */
START_TEST(filters_are_quick)
{
	size_t length;
	struct sock_filter *program =
		compile(LIST("@system-service"), SYSCALLS_KILL, false, &length);
	struct seccomp_data data = { .arch = native() };
	unsigned most = 0;

	for (data.nr = 0; data.nr < RANGE_OF_NUMBERS; data.nr++) {
		judged = 0;
		(void)judge(program, &data);
		most = judged > most ? judged : most;
	}
	ck_assert_uint_le(most, 30);
	free(program);
}
END_TEST

START_TEST(filters_are_short)
{
	size_t length;

	free(compile(LIST("@all"), SYSCALLS_KILL, false, &length));
	ck_assert_uint_le(length, 8);
	free(compile(LIST("~mount"), SYSCALLS_KILL, false, &length));
	ck_assert_uint_le(length, 10);
	free(compile(LIST("~@swap", "~@reboot"), SYSCALLS_KILL, false, &length));
	ck_assert_uint_le(length, 20);
	free(compile(LIST("@system-service"), SYSCALLS_KILL, false, &length));
	ck_assert_uint_le(length, 600);
	free(compile(LIST("@all", "~@swap", "~@all", "@system-service", "@privileged", "@mount",
			  "@debug"),
		     SYSCALLS_KILL, false, &length));
	ck_assert_uint_le(length, 800);
}
END_TEST

START_TEST(brief_is_one_instruction_more)
{
	for (size_t i = 0; i < NLISTS; i++) {
		size_t length, more;
		struct sock_filter *plain = compile(lists[i].items, SYSCALLS_KILL, false, &length);
		struct sock_filter *brief = compile(lists[i].items, SYSCALLS_KILL, true, &more);

		ck_assert_uint_eq(more, length + 1);
		ck_assert_mem_eq(brief + 1, plain, length * sizeof(*plain));
		ck_assert_uint_eq(brief->code, BPF_LD | BPF_W | BPF_ABS);
		ck_assert_uint_eq(brief->k, offsetof(struct seccomp_data, args));
		free(plain);
		free(brief);
	}
}
END_TEST

/* Filters, by this kernel */

static struct shared {
	volatile int steps;  /* that the child has made */
	volatile int number; /* of the call that a signal told it of */
	volatile unsigned arch;
} * shared;

/* _exit(3) would do more under the sanitizers. */
static void leave(int status)
{
	(void)syscall(SYS_exit_group, status);
}

static void note(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	shared->number = info->si_syscall;
	shared->arch = info->si_arch;
	leave(3);
}

static void child(const struct sock_fprog *filter, void (*act)(void))
{
	const struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	const struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || sigaction(SIGSYS, &action, NULL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter) < 0)
		leave(99);
	act();
	leave(0);
}

/* Does something under a filter; the status of waitpid(2). */
static int run(char *const *items, enum syscalls_end end, bool brief, void (*act)(void))
{
	struct sock_fprog filter;
	size_t length;
	int status;
	pid_t pid;

	filter.filter = compile(items, end, brief, &length);
	filter.len = (unsigned short)length;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		child(&filter, act);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	free(filter.filter);
	return status;
}

static void read_then_ask(void)
{
	char byte;

	shared->steps = syscall(SYS_read, -1, &byte, 1) < 0 && errno == EBADF ? 1 : 10;
	(void)syscall(SYS_getppid);
	shared->steps++;
}

static void ask(void)
{
	shared->steps = syscall(SYS_getppid) > 0;
	shared->steps += poll(NULL, 0, 0) == 0;
}

static void assert_killed(int status, int steps)
{
	ck_assert_msg(WIFSIGNALED(status), "status %#x", (unsigned)status);
	ck_assert_int_eq(WTERMSIG(status), SIGSYS);
	ck_assert_int_eq(shared->steps, steps);
}

START_TEST(kernel_kills_what_is_not_named)
{
	for (int brief = 0; brief < 2; brief++) {
		assert_killed(run(LIST("read"), SYSCALLS_KILL, brief, read_then_ask), 1);
		assert_killed(run(LIST("read", "getppid"), SYSCALLS_KILL, brief, read_then_ask), 2);
		assert_killed(run(LIST("write"), SYSCALLS_KILL, brief, read_then_ask), 0);
		ck_assert_int_eq(shared->number, 0); /* no handler has a chance */
	}
}
END_TEST

START_TEST(kernel_lets_in_what_is_named)
{
	for (int brief = 0; brief < 2; brief++) {
		ck_assert_int_eq(run(LIST("read", "getppid", "exit_group"), SYSCALLS_KILL, brief,
				     read_then_ask),
				 0);
		ck_assert_int_eq(shared->steps, 2);
		ck_assert_int_eq(run(LIST("@system-service"), SYSCALLS_TRAP, brief, ask), 0);
		ck_assert_int_eq(shared->steps, 2);
		ck_assert_int_eq(run(LIST("@all"), SYSCALLS_KILL, brief, ask), 0);
	}
}
END_TEST

START_TEST(kernel_kills_what_is_taken_away)
{
	for (int brief = 0; brief < 2; brief++) {
		ck_assert_int_eq(run(LIST("~mount"), SYSCALLS_KILL, brief, ask), 0);
		ck_assert_int_eq(shared->steps, 2);
		assert_killed(run(LIST("~getppid"), SYSCALLS_KILL, brief, ask), 0);
		assert_killed(run(LIST("~@default", "exit_group"), SYSCALLS_KILL, brief, ask), 0);
		assert_killed(run(LIST("~@io-event"), SYSCALLS_KILL, brief, ask), 1);
	}
}
END_TEST

/* What worker/trap.h lives by: the signal can be caught, and tells the number. */
START_TEST(kernel_tells_of_the_call_by_a_signal)
{
	for (int brief = 0; brief < 2; brief++) {
		int status = run(LIST("~getppid"), SYSCALLS_TRAP, brief, ask);

		ck_assert(WIFEXITED(status));
		ck_assert_int_eq(WEXITSTATUS(status), 3);
		ck_assert_int_eq(shared->number, SYS_getppid);
		ck_assert_uint_eq(shared->arch, native());
		status = run(LIST("read", "exit_group"), SYSCALLS_TRAP, brief, read_then_ask);
		ck_assert_int_eq(WEXITSTATUS(status), 3);
		ck_assert_int_eq(shared->number, SYS_getppid);
		ck_assert_int_eq(shared->steps, 1);
	}
}
END_TEST

#ifdef __x86_64__
static void ask_as_x32(void)
{
	(void)syscall(0x40000000 | SYS_getppid);
	shared->steps = 1;
}

static void ask_as_i386(void)
{
	long result = 64; /* getppid */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	shared->steps = 1;
}

/* The way around filters that look at the number alone. */
START_TEST(kernel_kills_other_architectures)
{
	int status;

	assert_killed(run(LIST("@all"), SYSCALLS_KILL, true, ask_as_x32), 0);
	assert_killed(run(LIST("~mount"), SYSCALLS_TRAP, false, ask_as_x32), 0);
	status = run(LIST("@all"), SYSCALLS_TRAP, true, ask_as_i386);
	ck_assert(WIFSIGNALED(status)); /* SIGSEGV where the kernel has no such calls */
	ck_assert_int_eq(shared->steps, 0);
}
END_TEST
#endif

#else
/* Nothing is known to be wrong, and nothing can be made. */
START_TEST(says_that_it_was_built_without)
{
	size_t length = 1;

	ck_assert_int_eq(syscalls_check("read", why), 0);
	ck_assert_int_eq(syscalls_check("@no-such-set", why), -1);
	ck_assert_uint_eq(syscalls_all(), 0);
	ck_assert_uint_eq(syscalls_count(LIST("@all", "read")), 0);
	ck_assert_ptr_null(syscalls_compile(LIST("read"), SYSCALLS_KILL, false, &length, why));
	ck_assert_str_eq(why, "begat was built without libseccomp");
	ck_assert_uint_eq(length, 0);
}
END_TEST
#endif

#if defined(HAVE_SECCOMP) && defined(__x86_64__)
#define OF_X86 , kernel_kills_other_architectures
#else
#define OF_X86
#endif

#ifdef HAVE_SECCOMP
SUITE("syscalls", sets_are_sound, sets_are_those_of_systemd, checks_items,
      takes_names_of_other_machines, tells_the_nearest, complains_of_what_is_long,
      knows_the_calls_of_this_machine, counts_what_a_list_leaves, looks_into_sets,
      filters_let_in_what_the_list_leaves, other_architectures_are_not_let_in, filters_are_quick,
      filters_are_short, brief_is_one_instruction_more, kernel_kills_what_is_not_named,
      kernel_lets_in_what_is_named, kernel_kills_what_is_taken_away,
      kernel_tells_of_the_call_by_a_signal OF_X86)
#else
SUITE("syscalls", sets_are_sound, sets_are_those_of_systemd, says_that_it_was_built_without)
#endif
