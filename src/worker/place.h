/* SPDX-License-Identifier: ISC */
/* Where the FIFO of a keeper is to be found: a name in a directory that others may write to. */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>

#include "base/fifo.h"
#include "worker/lookout.h"
#include "worker/spout.h"

struct place {
	int directory_fd; /* O_PATH */
	const char *name; /* in it; borrowed */
	struct fifo_owner owner;
	char temporary[NAME_MAX + 1]; /* the name of one that is not put in yet */
};

/* Opens the directory of an absolute path, and removes what killed keepers have left in it beside
 * the FIFO itself.  0, or -1 with errno. */
int place_open(struct place *place, const char *path, const struct fifo_owner *owner);

/* What has the name: 0 with fd -1 when nothing has; 0 with an O_PATH descriptor and spout knowing
 * the file when that is a FIFO of ours; else -1 with errno. */
int place_look(const struct place *place, struct spout *spout, int *fd);

/* A FIFO that is to be put in. */
int place_make(struct place *place, struct spout *spout, struct lookout *lookout);

/* Gives it the name.  old, NULL for none, is the one that has it, and loses it, if nobody has taken
 * it away.  0, or -1 with errno: ENOENT when the temporary name is gone, or the directory; EEXIST
 * when one of the names leads to something else, which is then where it was. */
int place_put(const struct place *place, const struct spout *spout, const struct spout *old);

/* Removes one that is not put in. */
void place_remove_temporary(const struct place *place, const struct spout *spout);

#endif
