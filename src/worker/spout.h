/* SPDX-License-Identifier: ISC */
/* One FIFO of a keeper's, with its write end: made once, served once. */
#ifndef SPOUT_H
#define SPOUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fifo.h"
#include "worker/lookout.h"

#define SPOUT_MARK    ".begat-" /* in a temporary name, before ... */
#define SPOUT_RANDOM  6		/* letters */

#define SPOUT_READERS 64 /* of one, that are told apart; further ones get nothing */

enum spout_stage {
	SPOUT_FREE,
	SPOUT_SHUT,    /* not to be found under the FIFO's name yet */
	SPOUT_OPEN,    /* to be found */
	SPOUT_SETTLES, /* no longer; who has found it is still about to come */
	SPOUT_ASKS,    /* the master is to be asked for an answer */
	SPOUT_GATHERS, /* the answer is being written */
	SPOUT_WAITS,   /* for all of its readers to be ready for it */
	SPOUT_DRAINS,  /* for the answer to be read */
};

struct spout {
	enum spout_stage stage;
	int fd;	     /* the write end, non-blocking */
	int path_fd; /* the file, O_PATH */
	dev_t device;
	ino_t inode;
	struct lookout_mark mark;
	bool is_found;	  /* somebody has opened it */
	unsigned readers; /* that have come and not left */
	pid_t pids[SPOUT_READERS];
	int64_t due_ns;	  /* when it is to be looked at again; 0: not by itself */
	int64_t limit_ns; /* of the stage */
	bool has_begun;	  /* the first of several answers was given, ... */
	unsigned left;	  /* ... and so many are still to be */
	int answer_fd;	  /* where an answer is gathered from; -1: from nowhere, as below */
	int give_fd;	  /* where the worker is to write it */
	char *answer;	  /* so far */
	size_t length;
};

/* Makes a FIFO under a temporary name (".NAME.begat-XXXXXX"), put into temporary, which then
 * belongs to its owner, has a write end, and is looked at.  0, or -1 with errno, and there is
 * nothing. */
int spout_make(struct spout *spout, int directory_fd, const char *name,
	       const struct fifo_owner *owner, struct lookout *lookout,
	       char temporary[static NAME_MAX + 1]);

/* Makes it from a FIFO that is there, O_PATH, taken over in any case, whose readers may have waited
 * for a writer.  0, or -1 with errno: ENXIO when there are none. */
int spout_adopt(struct spout *spout, int path_fd, struct lookout *lookout);

/* One more has come, or one has left. */
void spout_count(struct spout *spout, pid_t pid);
void spout_uncount(struct spout *spout, pid_t pid);

/* Whether anybody has it open to read. */
bool spout_has_reader(const struct spout *spout);

/* Whether the name, itself, leads to it: 1, 0 when to something else, -1 with errno. */
int spout_is_at(const struct spout *spout, int directory_fd, const char *name);

/* Removes the name if it does. */
void spout_remove(const struct spout *spout, int directory_fd, const char *name);

/* Its readers see the end of what was written. */
void spout_free(struct spout *spout, struct lookout *lookout);

#endif
