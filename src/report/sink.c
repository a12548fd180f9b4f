/* SPDX-License-Identifier: ISC */
/*
 * Where log lines go: stderr, a file, or the datagram socket of syslog.
 *
 * Nothing here waits.  stderr is opened again through /proc, so that it gets an open file
 * description of our own with O_NONBLOCK: setting the flag on the shared one would change the
 * shell's terminal. syslog(3) is not used, because glibc's blocks for ever when the reader of
 * /dev/log stalls; sending the datagram takes a page.  The header is that of RFC 3164, which every
 * reader of /dev/log takes.
 */
#include "config.h"

#include "report/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

#define SYSLOG_PATH "/dev/log"
#define RETRY_MS    1000
#define HEAD_MAX    80
#define MESSAGE_MAX (PIPE_BUF - HEAD_MAX - 2) /* a pipe takes a line as a whole, or not at all */

static bool is_journal(const struct stat *status)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       device == status->st_dev && inode == status->st_ino;
}

static int open_stderr(struct sink *sink)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) < 0)
		return -1;
	sink->journal = is_journal(&status);
	sink->socket = S_ISSOCK(status.st_mode);
	if (!sink->socket)
		sink->fd = fd_park(open("/proc/self/fd/2",
					O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	if (sink->fd < 0) { /* a socket, or a pipe or terminal of another user: share it */
		sink->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, FD_PARKED);
		sink->shared = !sink->socket;
	}
	return sink->fd < 0 ? -1 : 0;
}

static int open_file(struct sink *sink)
{
	sink->fd = fd_park(
		open(sink->path,
		     O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC,
		     0640));
	return sink->fd < 0 ? -1 : 0;
}

/* Where nobody listens the next try is a second later, not with every line. */
static void connect_syslog(struct sink *sink)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SYSLOG_PATH };
	int64_t now_ns = clock_now_ns();
	int error;

	if (now_ns < sink->retry_ns)
		return;
	sink->retry_ns = now_ns + RETRY_MS * NS_IN_MS;

	sink->fd = fd_park(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	if (sink->fd < 0)
		return;
	if (connect(sink->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return;
	error = errno;
	sink_close(sink);
	errno = error;
}

int sink_open(struct sink *sink, enum log_sink kind, const char *path)
{
	*sink = (struct sink){ .kind = kind, .path = path, .fd = -1, .pid = getpid() };
	switch (kind) {
	case LOG_SINK_STDERR:
		return open_stderr(sink);
	case LOG_SINK_FILE:
		return open_file(sink);
	case LOG_SINK_SYSLOG:
		sink->socket = true;
		connect_syslog(sink);
		return 0;
	}
	errno = EINVAL;
	return -1;
}

void sink_close(struct sink *sink)
{
	if (sink->fd >= 0)
		(void)close(sink->fd); /* nothing is buffered that could be lost */
	sink->fd = -1;
}

/* "DATE begatd[PID]: ", made once a second: localtime_r(3) and printf(3) are dear. */
static size_t renew_stamp(struct sink *sink)
{
	struct tm local = { .tm_mday = 1 };
	time_t now = time(NULL);
	size_t used;

	if (now == sink->stamp_at || sink->journal)
		return sink->stamp_length;
	(void)localtime_r(&now, &local); /* if it fails the date is wrong, the line still right */
	if (sink->kind == LOG_SINK_SYSLOG)
		used = strftime(sink->stamp, sizeof(sink->stamp), "%b %e %T", &local);
	else
		used = strftime(sink->stamp, sizeof(sink->stamp), "%F %T", &local);
	sink->stamp_length = used + (size_t)snprintf(sink->stamp + used, sizeof(sink->stamp) - used,
						     " begatd[%d]: ", (int)sink->pid);
	sink->stamp_at = now;
	return sink->stamp_length;
}

/* The level, for readers who want it in front. */
static size_t put_priority(const struct sink *sink, int level, char *text, size_t size)
{
	if (sink->kind == LOG_SINK_SYSLOG)
		return (size_t)snprintf(text, size, "<%d>", LOG_DAEMON | level);
	return sink->journal ? (size_t)snprintf(text, size, "<%d>", level) : 0;
}

/* For a line of at most PIPE_BUF bytes: pipe(7). */
static bool has_room(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

	return poll(&pollfd, 1, 0) == 1;
}

static ssize_t put_parts(const struct sink *sink, struct iovec *parts, size_t count)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };

	if (sink->socket)
		return sendmsg(sink->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!sink->shared || has_room(sink->fd))
		return writev(sink->fd, parts, (int)count);
	errno = EAGAIN;
	return -1;
}

/* A disk, or a pipe, may have room for the first half of a line. */
static int put(struct sink *sink, struct iovec *parts, size_t count)
{
	ssize_t written = put_parts(sink, parts, count), whole = 0;

	if (written <= 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		whole += (ssize_t)parts[i].iov_len;
	if (sink->torn != (written < whole)) /* a write would cost a page after each fork */
		sink->torn = !sink->torn;
	return sink->torn ? -1 : 0;
}

static bool is_lost(int error)
{
	return error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET || error == EPIPE;
}

int sink_write(struct sink *sink, int level, const char *message, size_t length)
{
	char priority[16];
	struct iovec parts[] = {
		{ (char *)(uintptr_t) "\n", sink->torn },
		{ priority, put_priority(sink, level, priority, sizeof(priority)) },
		{ sink->stamp, renew_stamp(sink) },
		{ (char *)(uintptr_t)message, length < MESSAGE_MAX ? length : MESSAGE_MAX },
		{ (char *)(uintptr_t) "\n", 1 },
	};
	size_t count = sink->kind == LOG_SINK_SYSLOG ? 4 : 5;

	if (sink->fd < 0 && sink->kind == LOG_SINK_SYSLOG)
		connect_syslog(sink);
	if (sink->fd < 0)
		return -1;
	if (put(sink, parts, count) == 0)
		return 0;
	if (sink->kind != LOG_SINK_SYSLOG || !is_lost(errno))
		return -1;
	sink_close(sink); /* syslogd has been restarted: its socket is a new one */
	sink->retry_ns = 0;
	connect_syslog(sink);
	return sink->fd >= 0 && put(sink, parts, count) == 0 ? 0 : -1;
}
