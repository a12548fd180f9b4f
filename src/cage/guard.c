/* SPDX-License-Identifier: ISC */
/*
 * Checks of arguments before a filter.
 *
 * Landlock knows connect(2) and bind(2) of TCP, but a connection is also made by the first segment
 * of TCP Fast Open, and Multipath TCP and SMC are TCP under the number of another protocol or
 * family.  Each check looks at the lower 32 bits of an argument, because that is all the kernel
 * takes of an int; by libseccomp, which compares 64, they could be walked around.  What is done
 * through an io_uring comes by no filter, so where these hold there is none.
 */
#include "config.h"

#include "cage/guard.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#ifndef TCP_FASTOPEN_CONNECT
#define TCP_FASTOPEN_CONNECT 30
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#ifndef AF_SMC
#define AF_SMC 43
#endif

#define PROTOCOLS_END 256 /* those from here on are not of the Internet: SMC, MPTCP */
#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

bool guard_is_known(void)
{
#ifdef NATIVE
	return true;
#else
	return false;
#endif
}

#ifdef NATIVE

struct draft {
	struct sock_filter *program;
	size_t count;
};

static void add(struct draft *draft, unsigned short code, unsigned char yes, unsigned char no,
		unsigned k)
{
	draft->program[draft->count++] = (struct sock_filter){ code, yes, no, k };
}

static void load(struct draft *draft, size_t offset)
{
	add(draft, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset);
}

static void deny(struct draft *draft, int error)
{
	add(draft, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned)error);
}

/* How an argument is held against a number. */
enum test { IS = BPF_JEQ, IS_FROM = BPF_JGE, HAS = BPF_JSET };

/* Denied when an argument passes the test, or, with not, when it does not. */
static void check(struct draft *draft, unsigned call, unsigned argument, enum test test,
		  unsigned value, bool not, int error)
{
	load(draft, offsetof(struct seccomp_data, nr));
	add(draft, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, call);
	load(draft, offsetof(struct seccomp_data, args[0]) + argument * 8); /* little-endian */
	add(draft, (unsigned short)(BPF_JMP | test | BPF_K), not ? 1 : 0, not ? 0 : 1, value);
	deny(draft, error);
}

static void check_call(struct draft *draft, unsigned call, int error)
{
	load(draft, offsetof(struct seccomp_data, nr));
	add(draft, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call);
	deny(draft, error);
}

static void guard_tcp(struct draft *draft)
{
	check(draft, SYS_socket, 0, IS, AF_SMC, false, EACCES);
	check(draft, SYS_socket, 2, IS_FROM, PROTOCOLS_END, false, EACCES);
	check(draft, SYS_sendto, 3, HAS, MSG_FASTOPEN, false, EACCES);
	check(draft, SYS_sendmsg, 2, HAS, MSG_FASTOPEN, false, EACCES);
	check(draft, SYS_sendmmsg, 3, HAS, MSG_FASTOPEN, false, EACCES);
	check(draft, SYS_setsockopt, 2, IS, TCP_FASTOPEN_CONNECT, false, EACCES);
}

static void guard_namespaces(struct draft *draft)
{
	check(draft, SYS_clone, 0, HAS, NEW_NAMESPACES, false, EPERM);
	check_call(draft, SYS_clone3, ENOSYS);
}

size_t guard_make(unsigned guards, struct sock_filter program[static GUARD_MAX])
{
	struct draft draft = { .program = program };

	load(&draft, offsetof(struct seccomp_data, arch));
	add(&draft, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, NATIVE);
	add(&draft, BPF_JMP | BPF_JA, 0, 0, 0); /* past all of them: set below */
	if (guards & GUARD_TCP)
		guard_tcp(&draft);
	if (guards & GUARD_UNIX)
		check(&draft, SYS_socket, 0, IS, AF_UNIX, true, EACCES);
	if (guards & (GUARD_TCP | GUARD_UNIX))
		check_call(&draft, SYS_io_uring_setup, ENOSYS);
	if (guards & GUARD_NAMESPACES)
		guard_namespaces(&draft);
	program[2].k = (unsigned)(draft.count - 3);
	return guards ? draft.count : 0;
}

#else

size_t guard_make(unsigned guards, struct sock_filter program[static GUARD_MAX])
{
	(void)guards;
	(void)program;
	return 0;
}

#endif
