/* SPDX-License-Identifier: ISC */
/*
 * System calls by name, lists of them, and the filter that a list comes to.
 *
 * begatd does this while it loads: a filter goes into the plan as bytes, and neither the master nor
 * a worker knows of names.  libseccomp tells which name is which number on this machine and makes
 * the filter; a name that only other machines have is known to it and stands for nothing here.  A
 * list that begins with every call leaves those of later kernels too, any other list leaves what it
 * names and nothing else.  Without libseccomp no name is known to be wrong, no call is known at all
 * and no filter can be made: cage/kernel.h says so beforehand.
 */
#include "config.h"

#include "cage/syscalls.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_SECCOMP
#include <linux/seccomp.h>
#include <seccomp.h>
#endif

#include "base/mem.h"
#include "base/memfd.h"
#include "cage/syscall-sets.h"
#include "config/nearest.h"

#define FAIL(why, ...) (snprintf(why, SYSCALLS_WHY, __VA_ARGS__), -1)

#define ALL	       "@all"
#define CALLS_MAX      1024 /* of one machine, which has about 400 */
#define RANGE	       1000 /* numbers in which its calls lie, but for a few */
#define WORD_BITS      64
#define WORDS	       (CALLS_MAX / WORD_BITS)
#define NO_NUMBER      (-1)
#define NOT_HERE       (-2) /* of other machines only */

/* What a list leaves. */
struct call_bits {
	bool others; /* those that are not among the machine's too */
	uint64_t words[WORDS];
};

/* The calls of this machine by number, sorted: bit i of struct call_bits is numbers[i]. */
struct machine {
	int numbers[CALLS_MAX];
	size_t count;
};

#ifdef HAVE_SECCOMP
static int number_of(const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return NO_NUMBER;
	return number < 0 ? NOT_HERE : number;
}

/* To be freed; NULL: none. */
static char *name_of(int number)
{
	return seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
}
#else
static int number_of(const char *name)
{
	(void)name;
	return NOT_HERE;
}

static char *name_of(int number)
{
	(void)number;
	return NULL;
}
#endif

/* The machine */

static int compare_numbers(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void machine_add(struct machine *machine, int number)
{
	if (machine->count < CALLS_MAX)
		machine->numbers[machine->count++] = number;
}

/* Calls of MIPS begin at 4000, 5000 or 6000, and those of others at 0. */
static int machine_add_range(struct machine *machine)
{
	int read = number_of("read"), first = read < 0 ? 0 : read - read % RANGE;

	for (int number = first; number < first + RANGE; number++) {
		char *name = name_of(number);

		if (name)
			machine_add(machine, number);
		free(name);
	}
	return first;
}

/* ARM has a few of its own far away, all of which stand in a set, and in one only. */
static void machine_add_others(struct machine *machine, int first)
{
	char name[SYSCALL_NAME];

	for (const struct syscall_set *set = syscall_sets; set->name; set++) {
		for (const char *members = set->members; syscall_set_next(&members, name);) {
			int number = *name == '@' ? NOT_HERE : number_of(name);

			if (number >= first + RANGE)
				machine_add(machine, number);
		}
	}
}

static const struct machine *machine_get(void)
{
	static struct machine machine;
	static bool is_known;

	if (!is_known) {
		machine_add_others(&machine, machine_add_range(&machine));
		qsort(machine.numbers, machine.count, sizeof(int), compare_numbers);
		is_known = true;
	}
	return &machine;
}

/* Calls that a list leaves */

static bool bits_has(const struct call_bits *bits, size_t i)
{
	return bits->words[i / WORD_BITS] >> i % WORD_BITS & 1;
}

static void bits_put(struct call_bits *bits, size_t i, bool on)
{
	const uint64_t bit = UINT64_C(1) << i % WORD_BITS;

	if (on)
		bits->words[i / WORD_BITS] |= bit;
	else
		bits->words[i / WORD_BITS] &= ~bit;
}

static void bits_put_all(struct call_bits *bits, bool on)
{
	bits->others = on;
	for (size_t i = 0; i < machine_get()->count; i++)
		bits_put(bits, i, on);
}

static size_t bits_count(const struct call_bits *bits)
{
	size_t count = 0;

	for (size_t i = 0; i < WORDS; i++)
		count += (size_t)__builtin_popcountll(bits->words[i]);
	return count;
}

/* CALLS_MAX: this machine has no such call. */
static size_t position_of(const char *name)
{
	const struct machine *machine = machine_get();
	const int number = number_of(name), *found;

	found = bsearch(&number, machine->numbers, machine->count, sizeof(int), compare_numbers);
	return found ? (size_t)(found - machine->numbers) : CALLS_MAX;
}

static void put_name(struct call_bits *bits, const char *name, bool on)
{
	const struct syscall_set *set = *name == '@' ? syscall_set_find(name) : NULL;
	const char *members = set ? set->members : "";
	char member[SYSCALL_NAME];
	size_t i;

	while (syscall_set_next(&members, member))
		put_name(bits, member, on);
	if (*name == '@')
		return;
	i = position_of(name);
	if (i < CALLS_MAX)
		bits_put(bits, i, on);
}

static void bits_read(char *const *items, struct call_bits *bits)
{
	memset(bits, 0, sizeof(*bits));
	if (*items && **items == '~')
		bits_put_all(bits, true);
	for (; *items; items++) {
		const bool on = **items != '~';
		const char *name = *items + !on;

		if (strcmp(name, ALL) == 0)
			bits_put_all(bits, on);
		else
			put_name(bits, name, on);
	}
}

bool syscalls_is_all(char *const *items)
{
	return items[0] && strcmp(items[0], "@all") == 0 && items[1] == NULL;
}

size_t syscalls_count(char *const *items)
{
	struct call_bits bits;

	bits_read(items, &bits);
	return bits_count(&bits);
}

bool syscalls_has(char *const *items, const char *name)
{
	const size_t i = position_of(name);
	struct call_bits bits;

	bits_read(items, &bits);
	return i < CALLS_MAX && bits_has(&bits, i);
}

size_t syscalls_all(void)
{
	return machine_get()->count;
}

/* Items */

static int complain(const char *name, char why[static SYSCALLS_WHY])
{
	const struct machine *machine = machine_get();
	struct nearest nearest = { .wanted = name };
	char suggestion[NEAREST_SUFFIX], *kept = NULL;

	nearest_offer(&nearest, ALL);
	for (const struct syscall_set *set = syscall_sets; set->name; set++)
		nearest_offer(&nearest, set->name);
	for (size_t i = 0; i < machine->count; i++) {
		char *call = name_of(machine->numbers[i]), *other = call;

		if (call)
			nearest_offer(&nearest, call);
		if (call && nearest.name == call) {
			other = kept;
			kept = call;
		}
		free(other);
	}
	nearest_format(&nearest, suggestion);
	free(kept);
	return FAIL(why, "there is no %s \"%.64s\"%s",
		    *name == '@' ? "set of system calls" : "system call", name, suggestion);
}

int syscalls_check(const char *item, char why[static SYSCALLS_WHY])
{
	const char *name = item + (*item == '~');
	bool is_known = *name == '@' ? strcmp(name, ALL) == 0 || syscall_set_find(name)
				     : number_of(name) != NO_NUMBER;

	return is_known ? 0 : complain(name, why);
}

/* Filters */

#ifdef HAVE_SECCOMP
/* -errno. */
static int add_rules(scmp_filter_ctx filter, const struct call_bits *bits, uint32_t end)
{
	const struct machine *machine = machine_get();
	const uint32_t action = bits->others ? end : SCMP_ACT_ALLOW;
	int result = 0;

	for (size_t i = 0; i < machine->count && result == 0; i++)
		if (bits_has(bits, i) != bits->others)
			result = seccomp_rule_add(filter, action, machine->numbers[i], 0);
	return result;
}

/* NULL with errno. */
static scmp_filter_ctx filter_new(const struct call_bits *bits, enum syscalls_end end)
{
	const uint32_t action = end == SYSCALLS_TRAP ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(bits->others ? SCMP_ACT_ALLOW : action);
	int result;

	errno = EINVAL; /* the one reason of seccomp_init(3) */
	if (!filter)
		return NULL;
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (result == 0) /* a binary tree instead of a row of comparisons */
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (result == 0)
		result = add_rules(filter, bits, action);
	if (result == 0)
		return filter;
	seccomp_release(filter);
	errno = -result;
	return NULL;
}

/* Before Linux runs a new filter for the first time, it runs it for every number of a system call
 * to learn which are always let in, and stops where the filter looks at an argument.  With that in
 * front it learns nothing at once.  Jumps are relative: nothing else changes. */
static const struct sock_filter look_at_argument =
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));

/* What there is from the beginning of fd, in memory of its own; NULL with errno. */
static struct sock_filter *read_program(int fd, bool brief, size_t *length)
{
	const off_t size = lseek(fd, 0, SEEK_END);
	struct sock_filter *program;

	if (size < 0)
		return NULL;
	*length = (size_t)size / sizeof(*program) + brief;
	program = xcalloc(*length, sizeof(*program));
	program[0] = look_at_argument;
	if (pread(fd, program + brief, (size_t)size, 0) == size)
		return program;
	free(program);
	errno = EIO;
	return NULL;
}

static struct sock_filter *filter_export(scmp_filter_ctx filter, bool brief, size_t *length)
{
	struct sock_filter *program = NULL;
	int fd = memfd_open("begat-filter"), result;

	if (fd < 0)
		return NULL;
	result = seccomp_export_bpf(filter, fd);
	if (result == 0)
		program = read_program(fd, brief, length);
	else
		errno = -result;
	result = errno;
	(void)close(fd); /* read already */
	errno = result;
	return program;
}

struct sock_filter *syscalls_compile(char *const *items, enum syscalls_end end, bool brief,
				     size_t *length, char why[static SYSCALLS_WHY])
{
	struct sock_filter *program = NULL;
	scmp_filter_ctx filter;
	struct call_bits bits;

	bits_read(items, &bits);
	filter = filter_new(&bits, end);
	if (filter)
		program = filter_export(filter, brief, length);
	if (!program)
		(void)FAIL(why, "libseccomp makes no filter of them: %s", strerror(errno));
	if (filter)
		seccomp_release(filter);
	if (!program || *length <= BPF_MAXINSNS)
		return program;
	(void)FAIL(why, "they make a filter of %zu instructions, and Linux takes %d", *length,
		   BPF_MAXINSNS);
	free(program);
	return NULL;
}
#else
struct sock_filter *syscalls_compile(char *const *items, enum syscalls_end end, bool brief,
				     size_t *length, char why[static SYSCALLS_WHY])
{
	(void)items;
	(void)end;
	(void)brief;
	*length = 0;
	(void)FAIL(why, "begat was built without libseccomp");
	return NULL;
}
#endif
