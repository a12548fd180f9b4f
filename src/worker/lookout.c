/* SPDX-License-Identifier: ISC */
/*
 * Who opens one of our FIFOs: for the keeper alone.
 *
 * inotify(7) makes one event of two openings when the first has not been read yet, so that nobody
 * can say how many readers a pipe has.  fanotify(7) keeps those of different processes apart and
 * tells which these are, when it identifies files by handles (FAN_REPORT_FID).  That takes
 * Linux 5.1 and CAP_SYS_ADMIN, or Linux 5.13, where the processes then stay unnamed, and a file
 * system that has handles.  Whether an event really comes, with a handle that we know, is tried
 * before we rely on it; else there is inotify.
 *
 * Permission events, with which readers could be let in one by one, are for regular files only.
 */
#include "config.h"

#include "worker/lookout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fifo.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200 /* a handle to compare, not to open: Linux 6.5 */
#endif

#define OF_DIRECTORY (FAN_MOVE_SELF | FAN_DELETE_SELF | FAN_ONDIR)
#define OF_FIFO	     (FAN_OPEN | FAN_CLOSE_NOWRITE | FAN_ATTRIB | FAN_MOVE_SELF | FAN_DELETE_SELF)
#define CHANGED	     (FAN_ATTRIB | FAN_MOVE_SELF | FAN_DELETE_SELF)

_Static_assert(FAN_OPEN == IN_OPEN && FAN_CLOSE_NOWRITE == IN_CLOSE_NOWRITE &&
		       FAN_ATTRIB == IN_ATTRIB && FAN_MOVE_SELF == IN_MOVE_SELF &&
		       FAN_DELETE_SELF == IN_DELETE_SELF,
	       "the bits of both are the same");
_Static_assert(LOOKOUT_HANDLE >= MAX_HANDLE_SZ, "a handle may be as long as that");

bool lookout_knows_us(const struct lookout *lookout)
{
	return !lookout->is_inotify;
}

/* Only to be compared: struct file_handle ends with an array. */
static int get_handle(int fd, struct lookout_mark *mark)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} got = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int mount;

	if (name_to_handle_at(fd, "", &got.handle, &mount, AT_EMPTY_PATH | AT_HANDLE_FID) < 0) {
		got.handle.handle_bytes = MAX_HANDLE_SZ;
		if (name_to_handle_at(fd, "", &got.handle, &mount, AT_EMPTY_PATH) < 0)
			return -1;
	}
	mark->type = got.handle.handle_type;
	mark->length = got.handle.handle_bytes;
	memcpy(mark->handle, got.room + offsetof(struct file_handle, f_handle), mark->length);
	return 0;
}

int lookout_add(struct lookout *lookout, int fd, bool is_directory, struct lookout_mark *mark)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	*mark = (struct lookout_mark){ .watch = -1 };
	if (lookout->is_inotify) {
		mark->watch = inotify_add_watch(lookout->fd, self,
						OF_FIFO & ~(is_directory ? IN_ATTRIB : 0));
		return mark->watch < 0 ? -1 : 0;
	}
	if (get_handle(fd, mark) < 0)
		return -1;
	return fanotify_mark(lookout->fd, FAN_MARK_ADD, is_directory ? OF_DIRECTORY : OF_FIFO,
			     AT_FDCWD, self);
}

void lookout_del(struct lookout *lookout, int fd, const struct lookout_mark *mark)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	/* Of a file that has been deleted it is gone already. */
	if (lookout->is_inotify)
		(void)inotify_rm_watch(lookout->fd, mark->watch);
	else
		(void)fanotify_mark(lookout->fd, FAN_MARK_REMOVE, OF_FIFO, AT_FDCWD, self);
}

static bool fill(struct lookout *lookout)
{
	const ssize_t got = read(lookout->fd, lookout->events, sizeof(lookout->events));

	lookout->at = 0;
	lookout->end = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static void read_handle(const unsigned char *bytes, size_t length, struct lookout_mark *mark)
{
	struct fanotify_event_info_fid info;
	struct file_handle handle;
	const size_t before = sizeof(info) + sizeof(handle);

	if (length < before)
		return;
	memcpy(&info, bytes, sizeof(info));
	memcpy(&handle, bytes + sizeof(info), sizeof(handle));
	if (info.hdr.info_type != FAN_EVENT_INFO_TYPE_FID || handle.handle_bytes > LOOKOUT_HANDLE ||
	    handle.handle_bytes > length - before)
		return;
	mark->type = handle.handle_type;
	mark->length = handle.handle_bytes;
	memcpy(mark->handle, bytes + before, mark->length);
}

static void set_mask(struct lookout_event *event, uint64_t mask)
{
	event->opened = mask & FAN_OPEN;
	event->closed = mask & FAN_CLOSE_NOWRITE;
	event->changed = mask & CHANGED;
	event->lost = mask & FAN_Q_OVERFLOW;
}

static void next_of_inotify(struct lookout *lookout, struct lookout_event *event)
{
	const struct inotify_event *said = (const void *)(lookout->events + lookout->at);

	set_mask(event, said->mask);
	event->of.watch = said->wd;
	lookout->at += sizeof(*said) + said->len;
}

static void next_of_fanotify(struct lookout *lookout, struct lookout_event *event)
{
	const unsigned char *bytes = (const unsigned char *)lookout->events + lookout->at;
	struct fanotify_event_metadata said; /* they stand at any address */

	memcpy(&said, bytes, sizeof(said));
	set_mask(event, said.mask);
	event->pid = said.pid;
	if (!event->lost)
		read_handle(bytes + sizeof(said), said.event_len - sizeof(said), &event->of);
	lookout->at += said.event_len;
}

static bool next(struct lookout *lookout, struct lookout_event *event)
{
	if (lookout->at >= lookout->end && !fill(lookout))
		return false;
	*event = (struct lookout_event){ .of = { .watch = -1 } };
	if (lookout->is_inotify)
		next_of_inotify(lookout, event);
	else
		next_of_fanotify(lookout, event);
	return true;
}

bool lookout_next(struct lookout *lookout, struct lookout_event *event)
{
	while (next(lookout, event)) {
		if (event->pid == getpid())
			event->opened = event->closed = false;
		if (event->opened || event->closed || event->changed || event->lost)
			return true;
	}
	return false;
}

bool lookout_has_more(const struct lookout *lookout)
{
	return lookout->at < lookout->end;
}

bool lookout_is_of(const struct lookout_event *event, const struct lookout_mark *mark)
{
	if (event->of.watch >= 0)
		return event->of.watch == mark->watch;
	return event->of.length && event->of.length == mark->length &&
	       event->of.type == mark->type &&
	       memcmp(event->of.handle, mark->handle, mark->length) == 0;
}

/* Opens the sample, and sees whether that comes to be known. */
static bool hears(struct lookout *lookout, int sample_fd)
{
	struct lookout_mark mark;
	struct lookout_event event;
	int fd;

	if (lookout_add(lookout, sample_fd, false, &mark) < 0)
		return false;
	fd = fifo_reopen(sample_fd, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return false;
	(void)close(fd); /* only opened to be seen */
	while (next(lookout, &event))
		if (event.opened && event.pid == getpid() && lookout_is_of(&event, &mark)) {
			lookout_del(lookout, sample_fd, &mark);
			return true;
		}
	return false;
}

int lookout_open(struct lookout *lookout, int sample_fd)
{
	lookout->at = lookout->end = 0;
	lookout->is_inotify = false;
	lookout->fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC | FAN_NONBLOCK,
				    O_RDONLY);
	if (lookout->fd >= 0 && hears(lookout, sample_fd))
		return 0;
	if (lookout->fd >= 0)
		(void)close(lookout->fd); /* nothing was to be heard */
	lookout->at = lookout->end = 0;
	lookout->is_inotify = true;
	lookout->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	return lookout->fd < 0 ? -1 : 0;
}
