/* SPDX-License-Identifier: ISC */
/* guard: what is denied by arguments, tried in a child that has nothing but the guards. */
#include "config.h"

#include "cage/guard.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

#define ALL (GUARD_TCP | GUARD_UNIX | GUARD_NAMESPACES)

/* The kernel takes the lower half of an int: what is in the upper one must change nothing. */
#define HIGH 0xdeadbeef00000000UL

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#ifndef AF_SMC
#define AF_SMC 43
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* A call, and what it comes to: 0 or an errno.  Descriptors are nobody's, so that what is let
 * through fails for that. */
struct attempt {
	long call;
	unsigned long arguments[4];
	int error;
};

#define NO_FD 1000

/* Says its words and lets the rest through, as the last filter does. */
static size_t make_whole(unsigned guards, struct sock_filter program[static GUARD_MAX + 1])
{
	const size_t count = guard_make(guards, program);

	program[count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return count + 1;
}

static void install(unsigned guards)
{
	struct sock_filter program[GUARD_MAX + 1];
	const struct sock_fprog filter = { (unsigned short)make_whole(guards, program), program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0)
		_exit(255);
}

/* The error that it gives, 0 for none. */
static int run(const struct attempt *attempt, unsigned long high)
{
	long result =
		syscall(attempt->call, attempt->arguments[0] | high, attempt->arguments[1] | high,
			attempt->arguments[2] | high, attempt->arguments[3] | high, 0UL, 0UL);

	return result < 0 ? errno : 0;
}

/* In a child with those guards. */
static int try(unsigned guards, const struct attempt *attempt, unsigned long high)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		install(guards);
		_exit(run(attempt, high));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "system call %ld: signal %d", attempt->call,
		      WTERMSIG(status));
	ck_assert_int_ne(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

/* With an upper half a length is no good, which is seen before the descriptor. */
static bool is_expected(const struct attempt *attempt, int error, bool high)
{
	return error == attempt->error || (high && attempt->error == EBADF && error == EFAULT);
}

static void expect(unsigned guards, const struct attempt *attempts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (int high = 0; high < 2; high++) {
			const int error = try(guards, &attempts[i], high ? HIGH : 0);

			ck_assert_msg(is_expected(&attempts[i], error, high),
				      "%zu, upper half %d: %s, not %s", i, high,
				      strerrorname_np(error) ?: "0",
				      strerrorname_np(attempts[i].error) ?: "0");
		}
}

#define EXPECT(guards, ...)                                                                        \
	do {                                                                                       \
		const struct attempt attempts[] = { __VA_ARGS__ };                                 \
		expect(guards, attempts, sizeof(attempts) / sizeof(*attempts));                    \
	} while (0)

START_TEST(all_of_them_fit)
{
	struct sock_filter program[GUARD_MAX + 1];

	for (unsigned guards = 0; guards <= ALL; guards++)
		ck_assert_uint_lt(guard_make(guards, program), GUARD_MAX);
	ck_assert_uint_eq(guard_make(0, program), 0);
}
END_TEST

/* Whatever is let through goes on behind the last instruction, and nothing jumps further. */
START_TEST(jumps_end_behind_the_last)
{
	struct sock_filter program[GUARD_MAX + 1];

	for (unsigned guards = 1; guards <= ALL; guards++) {
		const size_t count = guard_make(guards, program);

		for (size_t i = 0; i < count; i++) {
			const struct sock_filter *each = &program[i];
			size_t yes = i + 1 + each->jt, no = i + 1 + each->jf;

			if (BPF_CLASS(each->code) != BPF_JMP)
				continue;
			if (BPF_OP(each->code) == BPF_JA)
				yes = no = i + 1 + each->k;
			ck_assert_uint_le(yes, count);
			ck_assert_uint_le(no, count);
		}
	}
}
END_TEST

/* Landlock knows connect(2) and bind(2) of IPPROTO_TCP alone. */
START_TEST(tcp_by_other_names)
{
	EXPECT(GUARD_TCP, { SYS_socket, { AF_INET, SOCK_STREAM, 262 /* MPTCP */ }, EACCES },
	       { SYS_socket, { AF_INET6, SOCK_STREAM, 262 }, EACCES },
	       { SYS_socket, { AF_INET, SOCK_STREAM, 256 /* SMC */ }, EACCES },
	       { SYS_socket, { AF_SMC, SOCK_STREAM, 0 }, EACCES },
	       { SYS_socket, { AF_SMC, SOCK_STREAM, 1 }, EACCES },
	       { SYS_socket, { AF_INET, SOCK_STREAM, 0x80000000UL }, EACCES },
	       { SYS_sendto, { NO_FD, 0, 0, MSG_FASTOPEN }, EACCES },
	       { SYS_sendto, { NO_FD, 0, 0, MSG_FASTOPEN | MSG_NOSIGNAL }, EACCES },
	       { SYS_sendmsg, { NO_FD, 0, MSG_FASTOPEN }, EACCES },
	       { SYS_sendmmsg, { NO_FD, 0, 0, MSG_FASTOPEN | MSG_DONTWAIT }, EACCES },
	       { SYS_setsockopt, { NO_FD, IPPROTO_TCP, TCP_FASTOPEN_CONNECT }, EACCES },
	       { SYS_io_uring_setup, { 1, 0 }, ENOSYS });
}
END_TEST

START_TEST(tcp_itself_is_left)
{
	EXPECT(GUARD_TCP, { SYS_socket, { AF_INET, SOCK_STREAM, 0 }, 0 },
	       { SYS_socket, { AF_INET, SOCK_STREAM, IPPROTO_TCP }, 0 },
	       { SYS_socket, { AF_INET, SOCK_DGRAM, IPPROTO_UDP }, 0 },
	       { SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0 },
	       { SYS_sendto, { NO_FD, 0, 0, MSG_NOSIGNAL }, EBADF },
	       { SYS_sendmsg, { NO_FD, 0, MSG_NOSIGNAL }, EBADF },
	       { SYS_sendmmsg, { NO_FD, 0, 0, MSG_NOSIGNAL }, EBADF },
	       { SYS_setsockopt, { NO_FD, IPPROTO_TCP, TCP_NODELAY }, EBADF },
	       { SYS_setsockopt, { NO_FD, IPPROTO_TCP, TCP_FASTOPEN }, EBADF },
	       { SYS_close, { NO_FD }, EBADF });
}
END_TEST

START_TEST(no_sockets_but_unix_ones)
{
	EXPECT(GUARD_UNIX, { SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0 },
	       { SYS_socket, { AF_UNIX, SOCK_DGRAM, 0 }, 0 },
	       { SYS_socket, { AF_INET, SOCK_STREAM, 0 }, EACCES },
	       { SYS_socket, { AF_INET, SOCK_DGRAM, 0 }, EACCES },
	       { SYS_socket, { AF_INET6, SOCK_DGRAM, 0 }, EACCES },
	       { SYS_socket, { AF_NETLINK, SOCK_RAW, 0 }, EACCES },
	       { SYS_socket, { AF_PACKET, SOCK_RAW, 0 }, EACCES },
	       { SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 }, EACCES },
	       { SYS_socket, { AF_UNSPEC, SOCK_STREAM, 0 }, EACCES },
	       { SYS_socket, { 0xffffffffUL, SOCK_STREAM, 0 }, EACCES },
	       { SYS_io_uring_setup, { 1, 0 }, ENOSYS });
}
END_TEST

/* Threads and processes go on: what is not let in has no way of its own but clone(2). */
START_TEST(no_new_namespaces)
{
	const unsigned long flags[] = { CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
					CLONE_NEWUSER, CLONE_NEWPID,	CLONE_NEWNET };
	const struct attempt plain = { SYS_clone, { SIGCHLD }, 0 };

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		EXPECT(GUARD_NAMESPACES, { SYS_clone, { flags[i] | SIGCHLD }, EPERM },
		       { SYS_clone, { flags[i] | CLONE_NEWUSER }, EPERM });
	EXPECT(GUARD_NAMESPACES, { SYS_clone3, { 0, 0 }, ENOSYS });
	ck_assert_int_eq(try(GUARD_NAMESPACES, &plain, 0), 0);
}
END_TEST

/* Each stands alone, and is not there where it was not asked for. */
START_TEST(what_is_not_asked_for_is_left)
{
	const struct attempt clone3 = { SYS_clone3, { 0, 0 }, EINVAL };

	EXPECT(GUARD_NAMESPACES, { SYS_socket, { AF_INET, SOCK_STREAM, 0 }, 0 },
	       { SYS_sendto, { NO_FD, 0, 0, MSG_FASTOPEN }, EBADF });
	EXPECT(GUARD_UNIX, { SYS_sendto, { NO_FD, 0, 0, MSG_FASTOPEN }, EBADF });
	ck_assert_int_eq(try(GUARD_TCP, &clone3, 0), EINVAL);
	ck_assert_int_eq(try(GUARD_UNIX, &clone3, 0), EINVAL);
}
END_TEST

START_TEST(all_together)
{
	EXPECT(ALL, { SYS_socket, { AF_INET, SOCK_STREAM, 0 }, EACCES },
	       { SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0 },
	       { SYS_sendmsg, { NO_FD, 0, MSG_FASTOPEN }, EACCES },
	       { SYS_clone, { CLONE_NEWNET }, EPERM }, { SYS_clone3, { 0, 0 }, ENOSYS },
	       { SYS_io_uring_setup, { 1, 0 }, ENOSYS }, { SYS_close, { NO_FD }, EBADF });
}
END_TEST

#if defined(__x86_64__) && !defined(__ILP32__)
/* Another architecture's numbers mean other calls: they are the next filter's to end. */
START_TEST(other_architectures_go_on)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		long result;

		install(ALL);
		/* 41 is dup() there, and socket() here */
		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "a"(41L), "b"(-1L), "c"(0L), "d"(0L)
				 : "r8", "r9", "r10", "r11", "memory");
		_exit((int)-result);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) /* a kernel without them */
		return;
	ck_assert_int_ne(WEXITSTATUS(status), EACCES);
}
END_TEST
#endif

static bool can_be_tried(void)
{
	struct sock_filter program[GUARD_MAX + 1];
	const uint32_t action = SECCOMP_RET_ERRNO;

	return guard_make(ALL, program) &&
	       syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int main(void)
{
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, all_of_them_fit);
	tcase_add_test(tests, jumps_end_behind_the_last);
	if (can_be_tried()) {
		tcase_add_test(tests, tcp_by_other_names);
		tcase_add_test(tests, tcp_itself_is_left);
		tcase_add_test(tests, no_sockets_but_unix_ones);
		tcase_add_test(tests, no_new_namespaces);
		tcase_add_test(tests, what_is_not_asked_for_is_left);
		tcase_add_test(tests, all_together);
#if defined(__x86_64__) && !defined(__ILP32__)
		tcase_add_test(tests, other_architectures_go_on);
#endif
	} else {
		puts("# no filters here: what guards deny is not tried");
	}
	return suite_finish("guard", tests);
}
