/* SPDX-License-Identifier: ISC */
/*
 * The process title.
 *
 * A worker sets one for every connection, so this keeps to copying bytes: setproctitle(3bsd)
 * formats, and each page of printf(3) is a page fault in a forked child.  Only the memory of the
 * arguments is written; begatd passes one whose only use is to make room.
 */
#include "config.h"

#include "base/title.h"

#include <stddef.h>
#include <string.h>

#define PREFIX "begat: "

static struct {
	char *start;
	size_t room; /* without the last byte, whose NUL tells the kernel where the arguments end */
} title;

void title_init(int argc, char **argv)
{
	const char *last = argv[argc - 1];

	title.start = argv[0];
	title.room = (size_t)(last + strlen(last) - argv[0]);
	memset(title.start, 0, title.room);
	if (title.room >= sizeof(PREFIX))
		memcpy(title.start, PREFIX, sizeof(PREFIX));
}

static size_t put(size_t at, const char *text)
{
	while (*text && at < title.room)
		title.start[at++] = *text++;
	return at;
}

void title_set(const char *first, const char *second)
{
	size_t at = sizeof(PREFIX) - 1; /* which stands there already */

	at = put(at, first);
	at = put(at, " ");
	at = put(at, second);
	while (at < title.room && title.start[at])
		title.start[at++] = '\0'; /* what is left of a longer one */
}
