/* SPDX-License-Identifier: ISC */
/*
 * From a reader that has come to its answer: for the keeper alone.
 *
 * Nearly always a pipe has one reader.  Then its write end goes to the master, and a worker writes
 * to that reader for as long and as much as it likes; we have no more to do with it.
 *
 * Several readers that come within the microseconds that we need to put another FIFO into its place
 * share a pipe, and see its end together.  The master is then asked for as many answers, one after
 * the other, and each is gathered here first, and written at once when all readers wait in read(2),
 * so that it goes to one of them, whole (worker/crowd.h).  That cannot be had for an answer that is
 * longer than ANSWER_MAX or than one of their buffers.  Then these readers, and likewise those that
 * are not in read(2) by WAIT_MS, see an end without an answer, rather than parts of several.  Where
 * /proc does not tell us, they are taken to be ready after BLIND_MS.
 *
 * The bytes of an answer are passed on and never looked at.
 */
#include "config.h"

#include "worker/pour.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/crowd.h"
#include "worker/keeper.h"

#define ANSWER_MAX 65536 /* what an empty pipe takes at once, as pipe(7) has it */
#define WAIT_MS	   200
#define BLIND_MS   20
#define TICK_MS	   2
#define DRAIN_MS   1000
#define RETRY_MS   100

static void enter(struct spout *spout, enum spout_stage stage, int64_t due_ns, int64_t limit_ns)
{
	spout->stage = stage;
	spout->due_ns = due_ns;
	spout->limit_ns = limit_ns;
}

void pour_begin(struct spout *spout, int64_t settle_ms, int64_t now_ns)
{
	enter(spout, SPOUT_SETTLES, now_ns + settle_ms * NS_IN_MS, 0);
}

static int send_fd(int talk_fd, int fd)
{
	char word = KEEPER_READER;
	struct iovec bytes = { &word, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(fd))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(fd)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.room) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(talk_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static bool is_shared(const struct spout *spout)
{
	return spout->readers > 1 || spout->has_begun;
}

/* What the worker writes to: the pipe itself, or one of ours. */
static int open_gift(struct spout *spout)
{
	int ends[2];

	if (fcntl(spout->fd, F_SETFL, is_shared(spout) ? O_NONBLOCK : 0) < 0)
		return -1;
	if (!is_shared(spout))
		return spout->fd;
	if (spout->give_fd >= 0)
		return spout->give_fd;
	if (spout->answer == NULL)
		spout->answer = malloc(ANSWER_MAX + 1);
	if (spout->answer == NULL || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	spout->answer_fd = ends[0];
	spout->give_fd = ends[1];
	return fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -1 : spout->give_fd;
}

/* The master may have more than enough to do, or be gone, which the socket tells. */
static bool ask(struct spout *spout, int talk_fd, int64_t now_ns)
{
	const int gift = open_gift(spout);

	spout->due_ns = now_ns + RETRY_MS * NS_IN_MS;
	if (gift < 0)
		return true;
	if (send_fd(talk_fd, gift) < 0) {
		if (errno == EAGAIN)
			spout->due_ns = 0;
		return true;
	}
	if (gift == spout->fd)
		return false;
	(void)close(spout->give_fd); /* the master has it */
	spout->give_fd = -1;
	spout->length = 0;
	enter(spout, SPOUT_GATHERS, 0, 0);
	return true;
}

static bool gather(struct spout *spout, int64_t now_ns)
{
	ssize_t got;

	while (spout->length <= ANSWER_MAX) {
		got = read(spout->answer_fd, spout->answer + spout->length,
			   ANSWER_MAX + 1 - spout->length);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0) {
			(void)close(spout->answer_fd); /* all of it is read */
			spout->answer_fd = -1;
			enter(spout, SPOUT_WAITS, now_ns, now_ns + WAIT_MS * NS_IN_MS);
			return true;
		}
		spout->length += (size_t)got;
	}
	return false; /* too long */
}

/* Whether the readers are as ready as they will be; then, of the first answer, how many there are.
 */
static bool are_ready(struct spout *spout, const struct crowd *crowd, int64_t now_ns)
{
	const int64_t blind_ns = spout->limit_ns - (WAIT_MS - BLIND_MS) * NS_IN_MS;

	if (crowd->is_known ? crowd->waiting < crowd->readers && now_ns < spout->limit_ns
			    : now_ns < blind_ns)
		return false;
	if (!spout->has_begun)
		spout->left = crowd->is_known ? crowd->waiting : spout->readers;
	spout->has_begun = true;
	return true;
}

static bool put(struct spout *spout, const struct crowd *crowd, int64_t now_ns)
{
	const int room = fcntl(spout->fd, F_GETPIPE_SZ);

	if (spout->left == 0 || room < 0 || spout->length > (size_t)room ||
	    (crowd->is_known && spout->length > crowd->room))
		return false;
	if (spout->length &&
	    write(spout->fd, spout->answer, spout->length) != (ssize_t)spout->length)
		return false;
	enter(spout, SPOUT_DRAINS, now_ns, now_ns + DRAIN_MS * NS_IN_MS);
	return true;
}

static bool wait_and_put(struct spout *spout, int64_t now_ns)
{
	struct crowd crowd;

	crowd_look(spout->pids, spout->readers, spout->device, spout->inode, &crowd);
	if (are_ready(spout, &crowd, now_ns))
		return put(spout, &crowd, now_ns);
	spout->due_ns = now_ns + TICK_MS * NS_IN_MS;
	return true;
}

static bool drain(struct spout *spout, int64_t now_ns)
{
	int unread;

	if (ioctl(spout->fd, FIONREAD, &unread) < 0)
		return false;
	if (unread) {
		spout->due_ns = now_ns + TICK_MS * NS_IN_MS;
		return now_ns < spout->limit_ns;
	}
	spout->left--;
	enter(spout, SPOUT_ASKS, now_ns, 0);
	return spout->left > 0;
}

static bool take_step(struct spout *spout, int talk_fd, int64_t now_ns)
{
	switch (spout->stage) {
	case SPOUT_SETTLES:
		enter(spout, SPOUT_ASKS, now_ns, 0);
		return true;
	case SPOUT_ASKS:
		return ask(spout, talk_fd, now_ns);
	case SPOUT_GATHERS:
		return gather(spout, now_ns);
	case SPOUT_WAITS:
		return wait_and_put(spout, now_ns);
	case SPOUT_DRAINS:
		return drain(spout, now_ns);
	case SPOUT_FREE:
	case SPOUT_SHUT:
	case SPOUT_OPEN:
		break;
	}
	return true;
}

bool pour_on(struct spout *spout, int talk_fd, int64_t now_ns)
{
	enum spout_stage before;

	if (spout->stage == SPOUT_SETTLES && now_ns < spout->due_ns)
		return true;
	do {
		if (!spout_has_reader(spout))
			return false;
		before = spout->stage;
		if (!take_step(spout, talk_fd, now_ns))
			return false;
	} while (spout->stage != before);
	return true;
}
