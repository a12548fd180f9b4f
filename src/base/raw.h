/* SPDX-License-Identifier: ISC */
/*
 * System calls that leave no trace but their effect: they return -errno and touch no memory of the
 * C library, not even errno.  A child that still shares the master's memory may use these alone.
 * RAW_IS_PURE says whether this machine has them; where not, syscall(2) stands in, and the master
 * forks instead of sharing.
 */
#ifndef RAW_H
#define RAW_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define RAW_IS_PURE 1
static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
#define RAW_IS_PURE 1
static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#else
#define RAW_IS_PURE 0
static inline long raw_call(long number, long a, long b, long c, long d, long e)
{
	long result = syscall(number, a, b, c, d, e);

	return result < 0 ? -errno : result;
}
#endif

/* RAW(SYS_name, one to five arguments, pointers too); what is left out is 0. */
#define RAW(number, ...) RAW_ARGUMENTS(number, __VA_ARGS__, 0, 0, 0, 0, 0)
#define RAW_ARGUMENTS(number, a, b, c, d, e, ...)                                                  \
	raw_call((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

#endif
