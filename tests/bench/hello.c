/* SPDX-License-Identifier: ISC */
/*
 * hello: the smallest program that a service can run: one write(2), then the end.
 *
 * Built with -DFREESTANDING and without a C library where this file knows how, so that what is
 * measured is the server's way to the exec and not a library's start.
 */
static const char text[] = "hello\n";

#ifdef FREESTANDING
#include <sys/syscall.h>

#if defined(__x86_64__)
static long call(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
#else
#error no system calls for this machine
#endif

void _start(void);
void _start(void)
{
	long written = call(SYS_write, 1, (long)text, sizeof(text) - 1);

	for (;;)
		(void)call(SYS_exit_group, written != sizeof(text) - 1, 0, 0); /* does not return */
}
#else
#include <unistd.h>

int main(void)
{
	return write(STDOUT_FILENO, text, sizeof(text) - 1) != sizeof(text) - 1;
}
#endif
