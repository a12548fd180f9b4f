/* SPDX-License-Identifier: ISC */
/*
 * The system calls of built-in handlers.
 *
 * One table, from which everything about a handler's filter can be read.  A line has what the
 * handler itself does; what every worker does is added to it, and the few calls that only come when
 * something is rare (a signal in the middle of poll(2), a libc without vDSO) are among the latter.
 * A call that is missing ends a client's worker, so tests drive each handler through all of it.
 */
#include "config.h"

#include "cage/builtin.h"

#include <stddef.h>
#include <string.h>

/* From the last step on: the session, memory, messages, the way out. */
#define OF_SESSION                                                                                 \
	"sendto", "recvfrom", "poll", "ppoll", "shutdown", "write", "brk", "mmap", "munmap",       \
		"clock_gettime", "clock_gettime64", "gettimeofday", "time", "getrandom",           \
		"restart_syscall", "rt_sigreturn", "exit", "exit_group"

/* getpid: random numbers ask whether they are in a child by now, arc4random(3). */
#define OF_FILES                                                                                   \
	"openat", "open", "close", "read", "pread64", "lseek", "fstat", "fstat64", "newfstatat",   \
		"statx", "fcntl", "getpid", "madvise", "access", "faccessat", "faccessat2"

/* Sanitizers look at themselves, and say what they have found. */
#ifdef ENABLE_SANITIZERS
#define OF_BUILD                                                                                   \
	"mremap", "mprotect", "madvise", "sigaltstack", "futex", "getpid", "gettid", "readlink",   \
		"readlinkat", "openat", "open", "read", "close", "fstat", "newfstatat", "prctl",   \
		"sched_yield", "rt_sigaction", "getrusage", "sched_getaffinity", "getuid",         \
		"tgkill", "rt_sigprocmask", "ioctl", "getcwd", "personality", "uname",             \
		"prlimit64", "sysinfo", "lseek", "stat", "lstat", "pread64"
#else
#define OF_BUILD NULL
#endif

static const char *const of_streams[] = { OF_SESSION, OF_BUILD, NULL };

/* The list of who is logged in is locked for reading, with a time limit. */
static const char *const of_shell[] = { OF_SESSION,  OF_FILES,	     "setsockopt", "alarm",
					"setitimer", "rt_sigaction", OF_BUILD,	   NULL };

/* The kernel's table of sockets, by netlink(7). */
static const char *const of_ident[] = { OF_SESSION,    OF_FILES, "socket",
					"getsockname", OF_BUILD, NULL };

/* To somebody else, and back. */
static const char *const of_redirect[] = {
	OF_SESSION, "socket", "connect", "getsockname",	   "getsockopt", "setsockopt",
	"splice",   "pipe2",  "fcntl",	 "fcntl64",	   "socketpair", "sendmsg",
	"recvmsg",  "read",   "close",	 "rt_sigprocmask", OF_BUILD,	 NULL
};

/* Random numbers ask whether they are in a child by now: arc4random(3). */
static const char *const of_chargen[] = { OF_SESSION, "getpid", OF_BUILD, NULL };

static const char *const of_files[] = { OF_SESSION, OF_FILES, OF_BUILD, NULL };

/* Programs, which inherit it, are trusted with what a service ordinarily needs, and are in the cage
 * of files and the empty network besides.  What goes through io_uring is seen by no filter. */
static const char *const of_programs[] = { OF_SESSION,
					   "@system-service",
					   "~@privileged",
					   "~@keyring",
					   "~process_vm_readv",
					   "~process_vm_writev",
					   "~io_uring_setup",
					   "~unshare",
					   "~setns",
					   OF_BUILD,
					   NULL };

static const struct {
	const char *handler;
	const char *const *calls, *const *with_commands;
} table[] = {
	{ "chargen", of_chargen, NULL },   { "daytime", of_streams, NULL },
	{ "discard", of_streams, NULL },   { "echo", of_streams, NULL },
	{ "fortune", of_files, NULL },	   { "ident", of_ident, NULL },
	{ "motd", of_files, NULL },	   { "qotd", of_files, NULL },
	{ "redirect", of_redirect, NULL }, { "shell", of_shell, of_programs },
	{ "tcpmux", of_streams, NULL },	   { "time", of_streams, NULL },
	{ "users", of_files, NULL },
};

const char *const *builtin_system_calls(const struct begat_handler *handler, bool commands)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strcmp(table[i].handler, handler->name) == 0)
			return commands && table[i].with_commands ? table[i].with_commands
								  : table[i].calls;
	return of_programs;
}

const char *const *builtin_calls_to_exec(void)
{
	static const char *const calls[] = { "execve", "exit_group", NULL };

	return calls;
}

const char *const *builtin_calls_to_meet(void)
{
	static const char *const calls[] = { "sendmsg", "recvmsg", "close", NULL };

	return calls;
}

const char *const *builtin_calls_to_stand(void)
{
	static const char *const calls[] = { "accept4", "recvmmsg", "recvmmsg_time64", "sendmmsg",
					     "recvmsg", "sendmsg",  "fcntl",	       "fcntl64",
					     "fstat",	"fstat64",  "newfstatat",      "statx",
					     "madvise", "close",    "getsockopt",      NULL };

	return calls;
}

const char *const *builtin_calls_to_ask(void)
{
	static const char *const calls[] = { "socketpair", "sendmsg", "recvmsg", "close", NULL };

	return calls;
}

const char *const *builtin_calls_to_know_zones(void)
{
	static const char *const calls[] = { "openat", "open",	     "stat",	  "stat64",
					     "statx",  "newfstatat", "fstatat64", NULL };

	return calls;
}
