/* SPDX-License-Identifier: ISC */
/*
 * Makes another process, which waits in a system call, do one of our choice, as an intruder's code
 * in it would:
 *
 *     inject PID CALL [ARGUMENT...]      "inject 4711 openat -100 /etc/passwd 0"
 *
 * An argument that begins with a digit or a sign is a number, any other a text, which is put on the
 * process's stack.  Writes "CALL=RESULT", a negative errno when it has failed; or "CALL=killed
 * SIGNAL" when that has ended it, or will as soon as it is let go, which is then done.  A process
 * that lives goes on where it was.  The exit status is 1 when nothing could be tried.  x86-64 only.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__x86_64__)
int main(void)
{
	fprintf(stderr, "inject: not on this machine\n");
	return 77;
}
#else

static const struct {
	const char *name;
	long number;
} calls[] = {
	{ "read", SYS_read },
	{ "write", SYS_write },
	{ "open", SYS_open },
	{ "openat", SYS_openat },
	{ "socket", SYS_socket },
	{ "connect", SYS_connect },
	{ "bind", SYS_bind },
	{ "execve", SYS_execve },
	{ "fork", SYS_fork },
	{ "clone", SYS_clone },
	{ "clone3", SYS_clone3 },
	{ "kill", SYS_kill },
	{ "tgkill", SYS_tgkill },
	{ "ptrace", SYS_ptrace },
	{ "process_vm_readv", SYS_process_vm_readv },
	{ "setuid", SYS_setuid },
	{ "setresuid", SYS_setresuid },
	{ "setgroups", SYS_setgroups },
	{ "prctl", SYS_prctl },
	{ "mprotect", SYS_mprotect },
	{ "mmap", SYS_mmap },
	{ "mount", SYS_mount },
	{ "chroot", SYS_chroot },
	{ "unshare", SYS_unshare },
	{ "unlink", SYS_unlink },
	{ "mkdir", SYS_mkdir },
	{ "chmod", SYS_chmod },
	{ "getpid", SYS_getpid },
	{ "io_uring_setup", SYS_io_uring_setup },
	{ "memfd_create", SYS_memfd_create },
	{ "bpf", SYS_bpf },
	{ "keyctl", SYS_keyctl },
	{ "reboot", SYS_reboot },
	{ "x32-getpid", 0x40000000L + SYS_getpid },
	{ "nonexistent", 1999 },
};

static void die(const char *what) __attribute__((noreturn));
static void die(const char *what)
{
	fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long find_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].number;
	errno = ENOSYS;
	die(name);
}

/* Waits for a stop; ends with what was said when it is gone. */
static void wait_for_stop(pid_t pid, const char *name)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid)
		die("waitpid");
	if (WIFSTOPPED(status))
		return;
	if (WIFSIGNALED(status))
		printf("%s=killed %s\n", name, sigabbrev_np(WTERMSIG(status)) ?: "?");
	else
		printf("%s=exited %d\n", name, WEXITSTATUS(status));
	exit(0);
}

/* Below what the process's own functions use: the red zone is 128 bytes. */
static unsigned long push(pid_t pid, unsigned long *stack, const char *text)
{
	struct iovec here = { (char *)text, strlen(text) + 1 }, there;

	*stack -= (here.iov_len + 15) & ~15UL;
	there = (struct iovec){ (void *)*stack, here.iov_len };
	if (process_vm_writev(pid, &here, 1, &there, 1, 0) != (ssize_t)here.iov_len)
		die("process_vm_writev");
	return *stack;
}

static unsigned long argument(pid_t pid, unsigned long *stack, const char *word)
{
	if (strchr("0123456789+-", word[0]))
		return strtol(word, NULL, 0);
	return push(pid, stack, word);
}

/* It waits in a system call, so the two bytes before where it goes on make one. */
static void prepare(pid_t pid, struct user_regs_struct *regs, char **words)
{
	unsigned long long *const places[] = {
		&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10, &regs->r8, &regs->r9,
	};
	unsigned long stack = (regs->rsp - 1024) & ~15UL;
	long bytes = ptrace(PTRACE_PEEKTEXT, pid, regs->rip - 2, NULL);

	if ((bytes & 0xffff) != 0x050f)
		die("it is not in a system call");
	regs->rip -= 2;
	regs->rax = find_call(*words++);
	regs->orig_rax = -1; /* nothing is to be restarted */
	for (size_t i = 0; i < 6; i++)
		*places[i] = *words ? argument(pid, &stack, *words++) : 0;
}

/* The entry to the call, and its end; not single steps, which would leave a SIGTRAP pending. */
static void run_call(pid_t pid, const char *name)
{
	for (int i = 0; i < 2; i++) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
			die("PTRACE_SYSCALL");
		wait_for_stop(pid, name); /* SIGTRAP */
	}
}

/* Whether the filter's SIGSYS waits for it. */
static int is_trapped(pid_t pid)
{
	struct __ptrace_peeksiginfo_args first = { .nr = 1 };
	siginfo_t info;

	return ptrace(PTRACE_PEEKSIGINFO, pid, &first, &info) == 1 && info.si_signo == SIGSYS;
}

int main(int argc, char **argv)
{
	struct user_regs_struct before, regs;
	pid_t pid;

	if (argc < 3)
		return 1;
	pid = atoi(argv[1]);
	/* Not PTRACE_ATTACH, whose SIGSTOP would stay when something fails here. */
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
		die("ptrace");
	wait_for_stop(pid, argv[2]);
	if (ptrace(PTRACE_GETREGS, pid, NULL, &before) < 0)
		die("its registers");
	regs = before;
	prepare(pid, &regs, argv + 2);
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0)
		die("its registers");
	run_call(pid, argv[2]);
	if (is_trapped(pid)) {
		printf("%s=killed SYS\n", argv[2]);
	} else {
		if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0 ||
		    ptrace(PTRACE_SETREGS, pid, NULL, &before) < 0)
			die("its registers");
		printf("%s=%lld\n", argv[2], (long long)regs.rax);
	}
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0)
		die("detach");
	return 0;
}
#endif
