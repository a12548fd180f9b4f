/* SPDX-License-Identifier: ISC */
/*
 * The session: one client's byte streams, as a handler reads and writes them.
 *
 * Runs in a worker and is called by the handlers through <begat/handler.h>.  It owns two buffers
 * and no descriptor.  The socket stays in blocking mode, because a program that the handler starts
 * may have it too: each call says MSG_DONTWAIT, tries first, and asks poll(2) only when the kernel
 * has nothing to give.  So one-shot answers cost three or four system calls, and nothing ever waits
 * without a limit that the administrator could set.  Of a pipe there is only the writing end; it
 * knows no such flag and is asked first.  What is written as an answer is collected in answer.c.
 *
 * Must never raise SIGPIPE, allocate, or touch more of the buffers than it has bytes for: a forked
 * worker pays a page for each first touch.  A failed write is remembered, so that a handler which
 * does not look still ends soon.
 */
#include "config.h"

#include "worker/session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define STALL_MS     30000 /* for a client that does not read, where no idle limit is set */
#define FINISH_MS    2000
#define FINISH_BYTES 65536
#define PRINT_BYTES  1024

enum readiness {
	READY,
	READY_TIMEOUT,
	READY_ERROR,
};

void session_init(struct begat_session *session, const struct session_settings *settings)
{
	session->set = *settings;
	session->filter = NULL;
	session->filter_state = NULL;
	session->heard = session->cr = session->broken = session->answers = false;
	session->ended = settings->is_pipe; /* nothing can come from there */
	session->room = 0;
	session->timed_out = SESSION_NO_LIMIT;
	session->in_start = session->in_end = session->out_end = 0;
}

/* 0 is no deadline. */
static int64_t deadline_after(int64_t ms)
{
	return ms > 0 ? clock_now_ns() + ms * NS_IN_MS : 0;
}

/* -1 is for ever. */
static int deadline_left_ms(int64_t deadline)
{
	return deadline ? clock_left_ms(deadline) : -1;
}

/* A deadline that has passed is a timeout even when the socket is ready: else a client whose every
 * byte is filtered away could hold a worker for ever. */
static enum readiness wait_for(const struct begat_session *session, short events, int64_t deadline)
{
	struct pollfd pollfd = { .fd = session->set.fd, .events = events };

	for (;;) {
		int left_ms = deadline_left_ms(deadline), ready;

		if (left_ms == 0)
			return READY_TIMEOUT;
		ready = poll(&pollfd, 1, left_ms);
		if (ready > 0)
			return READY;
		if (ready < 0 && errno != EINTR && errno != EAGAIN)
			return READY_ERROR;
	}
}

/* -- writing -- */

/* A pipe that poll(2) calls writable takes so much without blocking, whether or not it would block:
 * pipe(7). */
static ssize_t write_pipe(int fd, const char *bytes, size_t length)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
	const int ready = poll(&pollfd, 1, 0);

	if (ready > 0)
		return write(fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
	if (ready == 0)
		errno = EAGAIN;
	return -1;
}

static ssize_t send_once(const struct begat_session *session, const char *bytes, size_t length,
			 int more)
{
	if (session->set.is_pipe)
		return write_pipe(session->set.fd, bytes, length);
	return send(session->set.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL | more);
}

/* At least one byte sent, or -1 for ever after. */
static ssize_t send_some(struct begat_session *session, const char *bytes, size_t length, int more)
{
	const int64_t stall_ms = session->set.idle_ms > 0 ? session->set.idle_ms : STALL_MS;
	int64_t deadline = 0;
	enum readiness readiness;

	for (;;) {
		ssize_t sent = send_once(session, bytes, length, more);

		if (sent >= 0)
			return sent;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			break;
		if (deadline == 0)
			deadline = deadline_after(stall_ms);
		readiness = wait_for(session, POLLOUT, deadline);
		if (readiness == READY)
			continue;
		if (readiness == READY_TIMEOUT)
			session->timed_out =
				session->set.idle_ms > 0 ? SESSION_IDLE : SESSION_STALL;
		break;
	}
	session->broken = true;
	return -1;
}

static int send_all(struct begat_session *session, const char *bytes, size_t length, int more)
{
	while (length > 0 && !session->broken) {
		ssize_t sent = send_some(session, bytes, length, more);

		if (sent > 0) {
			bytes += sent;
			length -= sent;
		}
	}
	return session->broken ? -1 : 0;
}

static int send_buffered(struct begat_session *session, int more)
{
	const size_t length = session->out_end;

	session->out_end = 0;
	return send_all(session, session->out, length, more);
}

int begat_flush(struct begat_session *session)
{
	if (session->answers)
		return session->broken ? -1 : 0;
	return send_buffered(session, 0);
}

int begat_write(struct begat_session *session, const void *bytes, size_t length)
{
	if (session->broken)
		return -1;
	if (session->answers)
		return session_add(session, bytes, length);
	if (length > SESSION_BUFFER - session->out_end && send_buffered(session, MSG_MORE) < 0)
		return -1;
	if (length > SESSION_BUFFER)
		return send_all(session, bytes, length, 0);
	memcpy(session->out + session->out_end, bytes, length);
	session->out_end += length;
	return 0;
}

static int write_line_end(struct begat_session *session)
{
	const bool needs_cr = session->set.crlf && !session->cr;

	session->cr = false;
	return needs_cr ? begat_write(session, "\r\n", 2) : begat_write(session, "\n", 1);
}

static int write_lines(struct begat_session *session, const char *text, size_t length)
{
	while (length > 0) {
		const char *newline = memchr(text, '\n', length);
		const size_t part = newline ? (size_t)(newline - text) : length;

		if (begat_write(session, text, part) < 0)
			return -1;
		if (part > 0)
			session->cr = text[part - 1] == '\r';
		if (!newline)
			break;
		if (write_line_end(session) < 0)
			return -1;
		text += part + 1;
		length -= part + 1;
	}
	return session->broken ? -1 : 0;
}

int begat_write_text(struct begat_session *session, const char *text, size_t length)
{
	const size_t before = session->out_end;
	const int result = write_lines(session, text, length);

	if (result < 0 && session->answers)
		session->out_end = before; /* a piece is in the answer whole, or not at all */
	return result;
}

int begat_print(struct begat_session *session, const char *format, ...)
{
	char text[PRINT_BYTES];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length < 0)
		return -1;
	return begat_write_text(session, text,
				(size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

/* -- reading -- */

/* OK without a byte when there is nothing yet, or nothing that the filter has left. */
static enum begat_input receive_once(struct begat_session *session, void *buffer, size_t size,
				     size_t *length)
{
	ssize_t got;

	do
		got = recv(session->set.fd, buffer, size, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	*length = got > 0 ? (size_t)got : 0;
	if (got < 0)
		return errno == EAGAIN ? BEGAT_INPUT_OK : BEGAT_INPUT_ERROR;
	if (got == 0) {
		session->ended = true;
		return BEGAT_INPUT_END;
	}
	if (session->filter)
		*length = session->filter(session->filter_state, session, buffer, *length);
	return BEGAT_INPUT_OK;
}

/* Until its first byte, a client has first-byte-timeout where one is set; then idle-timeout. */
static bool waits_for_first(const struct begat_session *session)
{
	return !session->heard && session->set.first_byte_ms > 0;
}

static int64_t read_deadline(const struct begat_session *session)
{
	return deadline_after(waits_for_first(session) ? session->set.first_byte_ms
						       : session->set.idle_ms);
}

static enum begat_input end_waiting(struct begat_session *session, enum readiness readiness)
{
	if (readiness != READY_TIMEOUT)
		return BEGAT_INPUT_ERROR;
	session->timed_out = waits_for_first(session) ? SESSION_FIRST_BYTE : SESSION_IDLE;
	return BEGAT_INPUT_TIMEOUT;
}

/* At least one byte.  The deadline spans whatever the filter takes away. */
static enum begat_input receive(struct begat_session *session, void *buffer, size_t size,
				size_t *length)
{
	int64_t deadline = -1; /* made when there is something to wait for: often there is not */

	*length = 0;
	if (session->ended)
		return BEGAT_INPUT_END;
	for (;;) {
		enum begat_input input = receive_once(session, buffer, size, length);
		enum readiness readiness;

		if (input != BEGAT_INPUT_OK)
			return input;
		if (*length > 0)
			break;
		if (begat_flush(session) < 0)
			return BEGAT_INPUT_ERROR;
		if (deadline < 0)
			deadline = read_deadline(session);
		readiness = wait_for(session, POLLIN, deadline);
		if (readiness != READY)
			return end_waiting(session, readiness);
	}
	session->heard = true;
	return BEGAT_INPUT_OK;
}

enum begat_input session_fill(struct begat_session *session)
{
	session->in_start = 0;
	return receive(session, session->in, sizeof(session->in), &session->in_end);
}

enum begat_input begat_read(struct begat_session *session, void *buffer, size_t size,
			    size_t *length)
{
	size_t buffered = session->in_end - session->in_start;

	if (buffered == 0)
		return receive(session, buffer, size, length);
	if (buffered > size)
		buffered = size;
	memcpy(buffer, session->in + session->in_start, buffered);
	session->in_start += buffered;
	*length = buffered;
	return BEGAT_INPUT_OK;
}

void begat_set_filter(struct begat_session *session, begat_filter *filter, void *state)
{
	session->filter = filter;
	session->filter_state = state;
	if (filter && session->in_start < session->in_end)
		session->in_end =
			session->in_start + filter(state, session, session->in + session->in_start,
						   session->in_end - session->in_start);
}

/* -- the end -- */

/* poll(2) before recv(2): right after our FIN there is hardly ever something to read. */
static void drain(struct begat_session *session)
{
	const int64_t deadline = deadline_after(FINISH_MS);
	size_t dropped = 0;

	while (dropped < FINISH_BYTES && wait_for(session, POLLIN, deadline) == READY) {
		ssize_t got = recv(session->set.fd, session->in, sizeof(session->in), MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
			return;
		if (got > 0)
			dropped += got;
	}
}

static void finish_socket(struct begat_session *session)
{
	/* MSG_MORE holds the last bytes back until shutdown(2) sends them with the FIN, in one
	 * segment. */
	send_buffered(session, MSG_MORE);
	session->in_start = session->in_end = 0;
	/* Fails only when the client is gone already; then there is nothing to wait for either. */
	if (shutdown(session->set.fd, SHUT_WR) == 0 && !session->ended && !session->broken)
		drain(session);
}

int begat_finish(struct begat_session *session)
{
	if (session->answers)
		return 0;
	if (session->set.is_pipe)
		(void)send_buffered(session, 0); /* the session remembers a failure */
	else
		finish_socket(session);
	session->ended = session->broken = true;
	return 0;
}

/* -- what the handler may know -- */

int begat_descriptor(const struct begat_session *session)
{
	return session->set.fd;
}

const char *begat_peer(const struct begat_session *session)
{
	return session->set.peer;
}

const char *begat_service(const struct begat_session *session)
{
	return session->set.service;
}
