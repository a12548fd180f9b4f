/* SPDX-License-Identifier: ISC */
/*
 * Logins: the entries of utmp(5) that stand for somebody.
 *
 * Read without getutxent(3), which locks the file for each entry, sets an alarm for as long, and
 * waits up to ten seconds for whoever else has it.  Entries are of one size and written in one
 * piece, so that the worst that can be seen without a lock is somebody who is just leaving.
 */
#include "config.h"

#include "handlers/logins.h"

#include <sys/types.h>
#include <unistd.h>

#include "handlers/file.h"

const char *logins_path = "/run/utmp";

int logins_open(struct logins *logins)
{
	size_t size;

	logins->offset = logins->at = logins->count = 0;
	logins->fd = file_open(logins_path, LOGINS_MAX, &size);
	return logins->fd < 0 ? -1 : 0;
}

/* Entries that are there whole. */
static size_t fill(struct logins *logins)
{
	const ssize_t got = logins->fd < 0 ? 0
					   : file_read(logins->fd, logins->offset, logins->entries,
						       sizeof(logins->entries));

	logins->at = 0;
	logins->count = got > 0 ? (size_t)got / sizeof(logins->entries[0]) : 0;
	logins->offset += logins->count * sizeof(logins->entries[0]);
	return logins->count;
}

const struct utmpx *logins_next(struct logins *logins)
{
	while (logins->at < logins->count || fill(logins) > 0) {
		const struct utmpx *entry = &logins->entries[logins->at++];

		if (entry->ut_type == USER_PROCESS)
			return entry;
	}
	return NULL;
}

void logins_close(struct logins *logins)
{
	if (logins->fd >= 0)
		close(logins->fd); /* read-only: nothing to lose */
	logins->fd = -1;
}
