/* SPDX-License-Identifier: ISC */
/* Who opens one of our FIFOs, and what becomes of their names: fanotify(7), else inotify(7). */
#ifndef LOOKOUT_H
#define LOOKOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LOOKOUT_HANDLE 128 /* bytes, at most, of a file's handle */

struct lookout {
	int fd; /* readable when there are events; non-blocking */
	bool is_inotify;
	size_t at, end; /* of what was read */
	char events[4096] __attribute__((aligned(8)));
};

/* What is looked at, as an event says which it is. */
struct lookout_mark {
	int watch; /* of inotify */
	int type;
	unsigned length;
	unsigned char handle[LOOKOUT_HANDLE];
};

struct lookout_event {
	bool opened;  /* by pid; ... */
	bool closed;  /* ... what was open for reading; with opened, in any order */
	bool changed; /* it has another name, or none, or perhaps no */
	bool lost;    /* there were too many events: anything may have happened */
	pid_t pid;    /* 0: the kernel does not say */
	struct lookout_mark of;
};

/* For files like that behind an O_PATH descriptor, which must be a FIFO that nobody else can have
 * opened yet.  0, or -1 with errno. */
int lookout_open(struct lookout *lookout, int sample_fd);

/* Whether our own openings are told apart from others', and not told. */
bool lookout_knows_us(const struct lookout *lookout);

/* Looks at the file behind an O_PATH descriptor as well: a FIFO, or a directory, of which it
 * matters what has changed; that first.  0, or -1 with errno. */
int lookout_add(struct lookout *lookout, int fd, bool is_directory, struct lookout_mark *mark);

/* No longer; a file that is gone is forgotten by itself. */
void lookout_del(struct lookout *lookout, int fd, const struct lookout_mark *mark);

/* The next event; false when there are no more for now.  Never blocks. */
bool lookout_next(struct lookout *lookout, struct lookout_event *event);

/* Whether some have been read that are not told yet: then its fd need not be readable. */
bool lookout_has_more(const struct lookout *lookout);

bool lookout_is_of(const struct lookout_event *event, const struct lookout_mark *mark);

#endif
