/* SPDX-License-Identifier: ISC */
/*
 * What a filter of system calls leaves.
 *
 * A set is left when taking it away would make the list shorter: then there is something to gain by
 * adding "~@set" to it.  What the calls can be used for is asked one by one, and on the careful
 * side: io_uring does most of it behind a filter's back.  Nothing is compiled for this.
 */
#include "config.h"

#include "cage/security-calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cage/syscalls.h"

static const struct {
	enum calls_use use;
	const char *const *names;
} uses[] = {
	{ CALLS_OPEN, (const char *const[]){ "open", "openat", "openat2", "creat",
					     "open_by_handle_at", "io_uring_setup", NULL } },
	{ CALLS_CHANGE, (const char *const[]){ "open",		 "openat",   "openat2",
					       "creat",		 "unlink",   "unlinkat",
					       "rename",	 "renameat", "renameat2",
					       "mkdir",		 "mkdirat",  "rmdir",
					       "link",		 "linkat",   "symlink",
					       "symlinkat",	 "mknod",    "mknodat",
					       "truncate",	 "chmod",    "fchmodat",
					       "fchmodat2",	 "chown",    "lchown",
					       "fchownat",	 "bind",     "open_by_handle_at",
					       "io_uring_setup", NULL } },
	{ CALLS_EXECUTE, (const char *const[]){ "execve", "execveat", NULL } },
	{ CALLS_CONNECT,
	  (const char *const[]){ "socket", "connect", "socketcall", "io_uring_setup", NULL } },
	{ CALLS_FORK, (const char *const[]){ "fork", "vfork", "clone", "clone3", NULL } },
	{ CALLS_SIGNAL, (const char *const[]){ "kill", "tkill", "tgkill", "rt_sigqueueinfo",
					       "rt_tgsigqueueinfo", "pidfd_send_signal", NULL } },
	{ CALLS_MAP, (const char *const[]){ "mmap", "mmap2", "mprotect", "pkey_mprotect", "shmat",
					    "remap_file_pages", "execve", "execveat", NULL } },
};

static const struct {
	enum calls_set set;
	const char *without; /* an item */
} sets[] = {
	{ CALLS_MOUNT, "~@mount" },
	{ CALLS_MODULE, "~@module" },
	{ CALLS_RAW_IO, "~@raw-io" },
	{ CALLS_DEBUG, "~@debug" },
	{ CALLS_PRIVILEGED, "~@privileged" },
	{ CALLS_REBOOT, "~@reboot" },
	{ CALLS_SWAP, "~@swap" },
	{ CALLS_CLOCK, "~@clock" },
	{ CALLS_KEYRING, "~@keyring" },
	{ CALLS_OBSOLETE, "~@obsolete" },
	{ CALLS_OBSOLETE, "~@cpu-emulation" },
};

static bool has_one(char *const *items, const char *const *names)
{
	for (; *names; names++)
		if (syscalls_has(items, *names))
			return true;
	return false;
}

static unsigned find_uses(char *const *items)
{
	unsigned found = 0;

	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++)
		if (has_one(items, uses[i].names))
			found |= uses[i].use;
	return found;
}

static size_t count_items(char *const *items)
{
	size_t count = 0;

	while (items[count])
		count++;
	return count;
}

static unsigned find_sets(char *const *items, size_t ncalls)
{
	const size_t count = count_items(items);
	char **less = xcalloc(count + 2, sizeof(*less)); /* its strings are borrowed */
	unsigned found = 0;

	memcpy(less, items, count * sizeof(*less));
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		less[count] = (char *)sets[i].without;
		if (syscalls_count(less) < ncalls)
			found |= sets[i].set;
	}
	free(less);
	return found;
}

static struct calls *look_at(char *const *items)
{
	struct calls *calls = xcalloc(1, sizeof(*calls));

	*calls = (struct calls){ .count = syscalls_all(), .uses = ~0U, .sets = ~0U };
	if (items == NULL)
		return calls;
	calls->items = strv_dup(items);
	calls->count = syscalls_count(items);
	calls->filtered = calls->count < syscalls_all();
	if (calls->filtered) {
		calls->uses = find_uses(items);
		calls->sets = find_sets(items, calls->count);
	}
	return calls;
}

static bool is_same(char *const *a, char *const *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (; *a && *b; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

const struct calls *calls_find(struct calls_memory *memory, char *const *items)
{
	for (size_t i = 0; i < memory->count; i++)
		if (is_same(memory->all[i]->items, items))
			return memory->all[i];
	memory->all = xreallocarray(memory->all, memory->count + 1, sizeof(*memory->all));
	memory->all[memory->count] = look_at(items);
	return memory->all[memory->count++];
}

void calls_fini(struct calls_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++) {
		strv_free(memory->all[i]->items);
		free(memory->all[i]);
	}
	free(memory->all);
	*memory = (struct calls_memory){ 0 };
}
