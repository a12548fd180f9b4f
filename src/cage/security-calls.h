/* SPDX-License-Identifier: ISC */
/* What a filter of system calls leaves, as begatd --security looks at it. */
#ifndef SECURITY_CALLS_H
#define SECURITY_CALLS_H

#include <stdbool.h>
#include <stddef.h>

/* What can be done with the calls that are left; bits. */
enum calls_use {
	CALLS_OPEN = 1 << 0,	/* open a file */
	CALLS_CHANGE = 1 << 1,	/* make, remove or change one by its path */
	CALLS_EXECUTE = 1 << 2, /* become another program */
	CALLS_CONNECT = 1 << 3, /* have a socket that leads elsewhere */
	CALLS_FORK = 1 << 4,
	CALLS_SIGNAL = 1 << 5,
	CALLS_MAP = 1 << 6, /* give memory rights */
};

/* Sets that few services need; bits. */
enum calls_set {
	CALLS_MOUNT = 1 << 0,
	CALLS_MODULE = 1 << 1,
	CALLS_RAW_IO = 1 << 2,
	CALLS_DEBUG = 1 << 3,
	CALLS_PRIVILEGED = 1 << 4,
	CALLS_REBOOT = 1 << 5,
	CALLS_SWAP = 1 << 6,
	CALLS_CLOCK = 1 << 7,
	CALLS_KEYRING = 1 << 8,
	CALLS_OBSOLETE = 1 << 9, /* with those that emulate other processors */
};

struct calls {
	char **items; /* owned; NULL: there is no list */
	size_t count; /* of calls that are left */
	bool filtered;
	unsigned uses; /* enum calls_use */
	unsigned sets; /* enum calls_set */
};

/* Each list is looked at once: many services have the same. */
struct calls_memory {
	struct calls **all; /* owned */
	size_t count;
};

/* Of a list of cage/syscalls.h, or NULL.  Lives as long as the memory, which begins as zeros. */
const struct calls *calls_find(struct calls_memory *memory, char *const *items);
void calls_fini(struct calls_memory *memory);

#endif
