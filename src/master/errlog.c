/* SPDX-License-Identifier: ISC */
/*
 * What the workers of a service write to their standard error.
 *
 * One pair of datagram sockets serves all workers of a service: the kernel keeps each write(2) in
 * one piece and says which process it came from (SCM_CREDENTIALS, unix(7)), so there is no need for
 * a pipe per worker.  A grandchild is told by its session, which is its worker's.  The text may be
 * anything: it is read into a bounded buffer, split into lines, and escaped by the log.
 *
 * The workers of a service share the open file description of their end, and could make each
 * other's writes fail; those of different services share nothing.
 */
#include "config.h"

#include "master/errlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "master/child.h"
#include "report/log.h"

#define READS_AT_ONCE 64
#define READ_SIZE     65536 /* of one write; what is over is lost, and said to be */

static char *buffer; /* READ_SIZE; touched only once a worker complains */

static void read_some(void *context);
static void end_pause(void *context);

static void close_pair(int reader, int writer)
{
	if (reader >= 0)
		(void)close(reader); /* all that matters was read */
	if (writer >= 0)
		(void)close(writer); /* nothing is written here */
}

static struct errlog *make(const char *service, int reader, int writer)
{
	struct errlog *errlog;

	if (buffer == NULL)
		buffer = map_unforked(READ_SIZE);
	errlog = buffer ? calloc(1, sizeof(*errlog)) : NULL;
	if (errlog == NULL)
		return NULL;
	errlog->service = service;
	errlog->writer = writer;
	errlog->reader = (struct watch){ .fd = reader, .ready = read_some, .context = errlog };
	errlog->pause = (struct timer){ .fire = end_pause, .context = errlog };
	if (loop_add(&errlog->reader) == 0)
		return errlog;
	free(errlog);
	return NULL;
}

/* Parked, both of them, and closed again when that fails. */
static int open_pair(int ends[2])
{
	int on = 1;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	ends[0] = fd_park(ends[0]);
	ends[1] = fd_park(ends[1]);
	if (ends[0] >= 0 && ends[1] >= 0 &&
	    setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0)
		return 0;
	close_pair(ends[0], ends[1]);
	return -1;
}

int errlog_writer(struct errlog **errlog, const char *service)
{
	int ends[2];

	if (*errlog)
		return (*errlog)->writer;
	if (open_pair(ends) < 0)
		return -1;
	*errlog = make(service, ends[0], ends[1]);
	if (*errlog)
		return ends[1];
	close_pair(ends[0], ends[1]);
	return -1;
}

int errlog_adopt(struct errlog **errlog, const char *service, int reader, int writer)
{
	if (fcntl(reader, F_GETFD) < 0 || fcntl(writer, F_GETFD) < 0)
		return 0; /* given up already by a master that could not start */
	*errlog = make(service, reader, writer);
	return *errlog ? 0 : -1;
}

void errlog_close(struct errlog **errlog)
{
	if (*errlog == NULL)
		return;
	timer_stop(&(*errlog)->pause);
	loop_del(&(*errlog)->reader);
	close_pair((*errlog)->reader.fd, (*errlog)->writer);
	free(*errlog);
	*errlog = NULL;
}

/* A flood is not read faster than it may be logged: its writers wait, and nothing else does. */
static void count_line(struct errlog *errlog)
{
	int64_t now_ns = clock_now_ns();

	if (now_ns >= errlog->window_ns) {
		errlog->window_ns = now_ns + ERRLOG_WINDOW_MS * NS_IN_MS;
		errlog->lines = 0;
	}
	if (++errlog->lines < ERRLOG_BURST || errlog->pause.running)
		return;
	log_line(LOG_NOTICE, "%s stderr: more than %d lines a second; its writers wait",
		 errlog->service, ERRLOG_BURST);
	loop_del(&errlog->reader);
	timer_start(&errlog->pause, (errlog->window_ns - now_ns) / NS_IN_MS + 1);
}

static void end_pause(void *context)
{
	struct errlog *errlog = context;

	if (loop_add(&errlog->reader) < 0)
		timer_start(&errlog->pause, ERRLOG_WINDOW_MS); /* no memory now */
}

static void end_line(struct errlog *errlog)
{
	if (errlog->length == 0)
		return;
	log_line(LOG_NOTICE, "%s[%d] stderr: %.*s", errlog->service, (int)errlog->pid,
		 (int)errlog->length, errlog->line);
	errlog->length = 0;
	count_line(errlog);
}

static void add_text(struct errlog *errlog, const char *text, size_t length)
{
	const char *newline;
	size_t part;

	while (length) {
		newline = memchr(text, '\n', length);
		part = newline ? (size_t)(newline - text) : length;
		if (part > ERRLOG_LINE - errlog->length) {
			part = ERRLOG_LINE - errlog->length;
			newline = NULL;
		}
		memcpy(errlog->line + errlog->length, text, part);
		errlog->length += part;
		if (newline || errlog->length == ERRLOG_LINE)
			end_line(errlog);
		part += newline != NULL;
		text += part;
		length -= part;
	}
}

/* The worker that a process belongs to. */
static pid_t worker_of(pid_t pid)
{
	pid_t session;

	if (child_find(pid))
		return pid;
	session = getsid(pid);
	return session > 0 && child_find(session) ? session : pid;
}

static pid_t sender_of(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	struct ucred sender;

	if (header == NULL || header->cmsg_type != SCM_CREDENTIALS)
		return 0;
	memcpy(&sender, CMSG_DATA(header), sizeof(sender));
	return sender.pid;
}

/* One write of one process.  False when there is none. */
static bool read_one(struct errlog *errlog)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec part = { buffer, READ_SIZE };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t length = recvmsg(errlog->reader.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	pid_t pid;

	if (length < 0)
		return errno == EINTR;
	pid = worker_of(sender_of(&message));
	if (pid != errlog->pid)
		end_line(errlog); /* one writer's line does not go on in another's */
	errlog->pid = pid;
	add_text(errlog, buffer, (size_t)length);
	if (message.msg_flags & MSG_TRUNC)
		add_text(errlog, " [cut]\n", 7);
	return true;
}

static void read_some(void *context)
{
	struct errlog *errlog = context;

	for (int i = 0; i < READS_AT_ONCE && !errlog->pause.running; i++)
		if (!read_one(errlog))
			return;
}

void errlog_flush(struct errlog *errlog)
{
	if (errlog)
		end_line(errlog);
}

void errlog_finish(struct errlog *errlog, pid_t pid)
{
	if (errlog == NULL)
		return;
	read_some(errlog);
	if (errlog->pid == pid)
		end_line(errlog);
}
