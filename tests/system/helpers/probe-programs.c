/* SPDX-License-Identifier: ISC */
/*
 * What the probe tries that any program may do where nobody says otherwise: to use up processes,
 * memory and time, to run something else or what it has written itself, and calls that filters
 * forget.
 */
#include "probe.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void sleep_for_ever(void) __attribute__((noreturn));
static void sleep_for_ever(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the alarm is for when this fails */
	(void)alarm(20);
	for (;;)
		pause();
}

static int try_fork_bomb(void)
{
	int count = 0;
	int error = 0;
	pid_t *children = calloc((size_t)target.forks, sizeof(*children));

	while (children && count < target.forks && error == 0) {
		children[count] = fork();
		if (children[count] == 0)
			sleep_for_ever();
		if (children[count] < 0)
			error = errno;
		else
			count++;
	}
	dprintf(STDOUT_FILENO, "forks=%d\n", count);
	/* Ours, and not reaped yet.  The next try wants its process. */
	while (count-- > 0) {
		(void)kill(children[count], SIGKILL);
		(void)waitpid(children[count], NULL, 0);
	}
	free(children);
	return error;
}

static int try_fill_memory(void)
{
	const size_t piece = 1 << 20;
	int count = 0;
	int error = 0;

	while (count < target.memory && error == 0) {
		char *memory = mmap(NULL, piece, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED) {
			error = errno;
			break;
		}
		for (size_t at = 0; at < piece; at += 4096)
			memory[at] = 1;
		count++;
	}
	dprintf(STDOUT_FILENO, "mebibytes=%d\n", count);
	return error;
}

static int try_burn(void)
{
	struct timespec now;

	do
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* of ourselves: cannot fail */
	while (now.tv_sec < 3);
	return 0;
}

static int try_shell(void)
{
	execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
	return errno;
}

static int try_write_execute(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return errno;
	memset(memory, 0, 4096);
	return result_of(mprotect(memory, 4096, PROT_READ | PROT_EXEC));
}

static int try_map_writable_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? errno
		       : 0;
}

/* Filters that look at numbers alone are passed by the calls of other architectures: getpid(). */
#if defined(__x86_64__)
static int try_foreign_call(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L)
			 : "r8", "r9", "r10", "r11", "memory");
	errno = ENOSYS;
	return result == getpid() ? 0 : errno;
}

static int try_foreign_number(void)
{
	return result_of(syscall(0x40000000L | SYS_getpid));
}
#endif

static int try_io_uring(void)
{
	return privilege_of(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_keyring(void)
{
	return privilege_of(syscall(SYS_keyctl, 0 /* get id */, -3 /* of the session's */, 0));
}

static int try_sleep(void)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	return result_of(nanosleep(&moment, NULL));
}

static int try_nothing(void)
{
	return 0;
}

const struct try program_tries[] = {
	{ "nothing", try_nothing },
	{ "sleep", try_sleep },
	{ "fork-bomb", try_fork_bomb },
	{ "fill-memory", try_fill_memory },
	{ "shell", try_shell },
	{ "write-execute", try_write_execute },
	{ "map-writable-executable", try_map_writable_executable },
#if defined(__x86_64__)
	{ "foreign-call", try_foreign_call },
	{ "foreign-number", try_foreign_number },
#endif
	{ "io-uring", try_io_uring },
	{ "keyring", try_keyring },
	{ "burn", try_burn },
	{ NULL, NULL },
};
