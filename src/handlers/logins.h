/* SPDX-License-Identifier: ISC */
/* Who is logged in, as the machine's list of it has it: utmp(5). */
#ifndef HANDLERS_LOGINS_H
#define HANDLERS_LOGINS_H

#include <stddef.h>
#include <utmpx.h>

#define LOGINS_BATCH 16
#define LOGINS_MAX   (4U << 20) /* bytes; a larger list is refused with EFBIG */

struct logins {
	int fd;	       /* -1: there is none */
	size_t offset; /* of what is read next */
	size_t at, count;
	struct utmpx entries[LOGINS_BATCH];
};

/* Where the list is: /run/utmp, but for tests. */
extern const char *logins_path;

/* Never blocks.  0, or -1 with errno; then, too, it can be read and closed, and is empty. */
int logins_open(struct logins *logins);

/* The next login, in the order of the list, or NULL.  Its fields fill their arrays or end with a
 * NUL, and may hold any byte. */
const struct utmpx *logins_next(struct logins *logins);

void logins_close(struct logins *logins);

#endif
