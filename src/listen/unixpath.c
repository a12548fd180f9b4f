/* SPDX-License-Identifier: ISC */
/*
 * The file of a Unix-domain socket.
 *
 * bind(2) fails where a file is, and a daemon that was killed leaves its file behind.  Whether a
 * socket is stale is asked by connecting to it: a dead one refuses.  Between that question and the
 * listen(2) nobody else may act on the answer, so all of it happens under a lock file next to the
 * socket, which is gone again afterwards: a waiter that finds its lock file unlinked starts over.
 *
 * The socket is born with mode 0 and gets its owner and its mode through an O_PATH descriptor, so
 * that neither a moment of wider permissions nor a symbolic link put there meanwhile can be used.
 */
#include "config.h"

#include "listen/unixpath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "listen/holder.h"

#define LOCK_TRIES    50
#define LOCK_PAUSE_MS 10

static void pause_ms(long ms)
{
	struct timespec pause = { .tv_nsec = ms * NS_IN_MS };

	(void)nanosleep(&pause, NULL); /* an early end only means an early try */
}

/* What we have made, now or before: anything else with that name is somebody's, and stays. */
static bool is_lock_file(const struct stat *status)
{
	return S_ISREG(status->st_mode) && status->st_size == 0 && status->st_uid == geteuid();
}

/* 1: locked and the file is still the path's; 0: try again; -1: errno. */
static int try_lock(const char *path, int *fd)
{
	struct stat ours;

	*fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return -1;
	if (fstat(*fd, &ours) == 0 && !is_lock_file(&ours)) {
		(void)close(*fd); /* nothing was written */
		errno = EEXIST;
		return -1;
	}
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0 && path_is_fd(path, *fd))
		return 1;
	(void)close(*fd); /* nothing was written */
	return 0;
}

static int take_lock(const char *path, int *fd)
{
	int taken;

	for (int i = 0; i < LOCK_TRIES; i++) {
		taken = try_lock(path, fd);
		if (taken)
			return taken < 0 ? -1 : 0;
		pause_ms(LOCK_PAUSE_MS);
	}
	errno = EAGAIN;
	return -1;
}

/* Of the same type as ours: it is the likeliest, and tells who is there. */
static int open_question(int ours)
{
	socklen_t length = sizeof(int);
	int type;

	if (getsockopt(ours, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
		return -1;
	return socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Whether somebody answers at the socket, and who. */
static bool is_live(int ours, const struct sockaddr_un *address, int *pid)
{
	struct ucred peer = { .pid = 0 };
	socklen_t length = sizeof(peer);
	bool live;
	int fd = open_question(ours);

	if (fd < 0)
		return true; /* not known: leave it alone */
	live = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	       errno != ECONNREFUSED; /* EAGAIN: its queue is full; EPROTOTYPE: one of another type
				       */
	if (live && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
		*pid = peer.pid;
	(void)close(fd); /* was only a question */
	return live;
}

/* Removes what stands in the way, if that is allowed. */
static int clear(int ours, const struct sockaddr_un *address, char *error, size_t size)
{
	struct stat status;
	char holder[HOLDER_TEXT];
	int pid = 0;

	if (lstat(address->sun_path, &status) < 0) {
		if (errno == ENOENT)
			return 0;
		snprintf(error, size, "%m");
		return -1;
	}
	if (!S_ISSOCK(status.st_mode)) {
		snprintf(error, size,
			 "there is a file that is not a socket; remove it or choose "
			 "another path");
		return -1;
	}
	if (is_live(ours, address, &pid)) {
		holder_format(pid, holder, sizeof(holder));
		snprintf(error, size, "Address already in use%s", holder);
		return -1;
	}
	if (unlink(address->sun_path) == 0 || errno == ENOENT)
		return 0;
	snprintf(error, size, "cannot remove the stale socket: %m");
	return -1;
}

static int set_owner(const char *path, const struct unixpath_owner *owner, struct stat *made)
{
	int result = -1, fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, made) == 0 && S_ISSOCK(made->st_mode) &&
	    fd_set_owner(fd, owner->uid, owner->gid, owner->mode) == 0)
		result = 0;
	(void)close(fd); /* O_PATH: nothing to lose */
	return result;
}

static int bind_locked(int fd, const struct sockaddr_un *address,
		       const struct unixpath_owner *owner, struct stat *made, char *error)
{
	mode_t mask;
	int bound;

	if (clear(fd, address, error, 256) < 0)
		return -1;
	mask = umask(0777);
	bound = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	(void)umask(mask); /* cannot fail */
	if (bound < 0) {
		snprintf(error, 256, "%m");
		return -1;
	}
	if (set_owner(address->sun_path, owner, made) < 0)
		snprintf(error, 256, "cannot set owner and mode: %m");
	else if (listen(fd, 1) < 0) /* or it would look stale; the caller sets the backlog */
		snprintf(error, 256, "cannot listen: %m");
	else
		return 0;
	(void)unlink(address->sun_path); /* failing already */
	return -1;
}

int unixpath_bind(int fd, const struct sockaddr_un *address, const struct unixpath_owner *owner,
		  struct stat *made, char error[static 256])
{
	char lock_path[sizeof(address->sun_path) + sizeof(".lock")];
	int lock_fd, result;

	snprintf(lock_path, sizeof(lock_path), "%s.lock", address->sun_path);
	if (take_lock(lock_path, &lock_fd) < 0) {
		snprintf(error, 256, errno == EAGAIN ? "%s is locked by another process" : "%s: %m",
			 lock_path);
		return -1;
	}
	result = bind_locked(fd, address, owner, made, error);
	(void)unlink(lock_path); /* still ours; a leftover is locked again by the next start */
	(void)close(lock_fd);	 /* and with it the lock */
	return result;
}
