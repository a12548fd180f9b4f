/* SPDX-License-Identifier: ISC */
/*
 * One FIFO of a keeper's.
 *
 * It has its write end from the beginning, so that a reader's open(2) returns at once and we hear
 * of it; and no read end, so that we see when all readers have gone.  Opening only the write end
 * fails while there is no reader (ENXIO, fifo(7)): hence the moment with both.  It is born under a
 * name that nobody can guess, with mode 0600, and gets its owner when all of that is done.
 */
#include "config.h"

#include "worker/spout.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

#define SUFFIX	SPOUT_MARK "XXXXXX"
#define LETTERS "abcdefghijklmnopqrstuvwxyz234567"
#define TRIES	16

static void init(struct spout *spout, int path_fd)
{
	*spout = (struct spout){
		.stage = SPOUT_SHUT, .fd = -1, .path_fd = path_fd, .answer_fd = -1, .give_fd = -1
	};
}

static int identify(struct spout *spout)
{
	struct stat status;

	if (fstat(spout->path_fd, &status) < 0)
		return -1;
	spout->device = status.st_dev;
	spout->inode = status.st_ino;
	return 0;
}

static void name_it(const char *name, char temporary[static NAME_MAX + 1])
{
	size_t length;

	length = (size_t)snprintf(temporary, NAME_MAX + 1, ".%.*s" SUFFIX,
				  (int)(NAME_MAX - sizeof(SUFFIX)), name);
	for (size_t i = length - SPOUT_RANDOM; i < length; i++)
		temporary[i] = LETTERS[arc4random_uniform(sizeof(LETTERS) - 1)];
}

/* An O_PATH descriptor of the new file, or -1 with errno. */
static int create(int directory_fd, const char *name, char temporary[static NAME_MAX + 1])
{
	struct stat status;
	int fd, tries = TRIES;

	do {
		name_it(name, temporary);
		if (mkfifoat(directory_fd, temporary, 0600) == 0)
			break;
		if (errno != EEXIST)
			return -1;
	} while (--tries);
	fd = tries ? openat(directory_fd, temporary, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) && status.st_nlink == 1 &&
	    status.st_uid == geteuid())
		return fd;
	(void)close(fd); /* O_PATH: nothing to lose */
	errno = EEXIST;	 /* somebody has put another one there, who can do so all day */
	return -1;
}

static int open_writer(struct spout *spout)
{
	const int both = fifo_reopen(spout->path_fd, O_RDWR | O_NONBLOCK);

	if (both < 0)
		return -1;
	spout->fd = fifo_reopen(spout->path_fd, O_WRONLY | O_NONBLOCK);
	(void)close(both); /* nothing was written */
	return spout->fd < 0 ? -1 : 0;
}

/* Looked at before it has its owner: of what the owner alone may read, nobody else is told. */
static int prepare(struct spout *spout, const struct fifo_owner *owner, struct lookout *lookout)
{
	if (identify(spout) < 0 || open_writer(spout) < 0)
		return -1;
	if (lookout->fd < 0 && lookout_open(lookout, spout->path_fd) < 0)
		return -1;
	if (lookout_add(lookout, spout->path_fd, false, &spout->mark) < 0)
		return -1;
	return fd_set_owner(spout->path_fd, owner->uid, owner->gid, owner->mode);
}

int spout_make(struct spout *spout, int directory_fd, const char *name,
	       const struct fifo_owner *owner, struct lookout *lookout,
	       char temporary[static NAME_MAX + 1])
{
	int error, fd = create(directory_fd, name, temporary);

	if (fd < 0)
		return -1;
	init(spout, fd);
	if (prepare(spout, owner, lookout) == 0)
		return 0;
	error = errno;
	spout_remove(spout, directory_fd, temporary);
	spout_free(spout, lookout);
	errno = error;
	return -1;
}

/* Readers that have waited for a writer come when there is one.  Where our own opening would be
 * taken for theirs, nobody looks before that. */
static int wake(struct spout *spout, struct lookout *lookout)
{
	const bool knows_us = lookout_knows_us(lookout);

	if (identify(spout) < 0)
		return -1;
	if (knows_us && lookout_add(lookout, spout->path_fd, false, &spout->mark) < 0)
		return -1;
	spout->fd = fifo_reopen(spout->path_fd, O_WRONLY | O_NONBLOCK);
	if (spout->fd < 0)
		return -1;
	return knows_us ? 0 : lookout_add(lookout, spout->path_fd, false, &spout->mark);
}

int spout_adopt(struct spout *spout, int path_fd, struct lookout *lookout)
{
	int error;

	init(spout, path_fd);
	if (wake(spout, lookout) == 0)
		return 0;
	error = errno;
	spout_free(spout, lookout);
	errno = error;
	return -1;
}

void spout_count(struct spout *spout, pid_t pid)
{
	if (spout->readers < SPOUT_READERS)
		spout->pids[spout->readers++] = pid;
}

void spout_uncount(struct spout *spout, pid_t pid)
{
	for (unsigned i = 0; i < spout->readers; i++)
		if (spout->pids[i] == pid) {
			spout->pids[i] = spout->pids[--spout->readers];
			return;
		}
}

bool spout_has_reader(const struct spout *spout)
{
	struct pollfd pollfd = { .fd = spout->fd };

	return poll(&pollfd, 1, 0) == 0 || !(pollfd.revents & POLLERR);
}

int spout_is_at(const struct spout *spout, int directory_fd, const char *name)
{
	struct stat there;

	if (fstatat(directory_fd, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return there.st_dev == spout->device && there.st_ino == spout->inode;
}

void spout_remove(const struct spout *spout, int directory_fd, const char *name)
{
	if (spout_is_at(spout, directory_fd, name) == 1)
		(void)unlinkat(directory_fd, name, 0); /* else it stays, and is found again */
}

void spout_free(struct spout *spout, struct lookout *lookout)
{
	if (lookout->fd >= 0 && spout->path_fd >= 0)
		lookout_del(lookout, spout->path_fd, &spout->mark);
	fd_close(&spout->path_fd);
	fd_close(&spout->fd);
	fd_close(&spout->answer_fd);
	fd_close(&spout->give_fd);
	free(spout->answer);
	spout->answer = NULL;
	spout->stage = SPOUT_FREE;
}
