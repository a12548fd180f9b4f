/* SPDX-License-Identifier: ISC */
/* A handler in a process of its own and a test as its client, as a worker and its client are. */
#ifndef TALK_H
#define TALK_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/session.h"

struct talk {
	int fd; /* the client's end */
	pid_t worker;
};

static inline struct talk talk_start(const struct begat_handler *handler,
				     const struct session_settings *settings)
{
	static struct begat_session session;
	struct session_settings own = *settings;
	struct talk talk;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	talk.worker = fork();
	ck_assert_int_ge(talk.worker, 0);
	if (talk.worker == 0) {
		close(ends[0]);
		own.fd = ends[1];
		session_init(&session, &own);
		exit(handler->serve(&session)); /* not _exit(2): the leak checker wants to run */
	}
	close(ends[1]);
	talk.fd = ends[0];
	return talk;
}

static inline void talk_send(const struct talk *talk, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t sent = send(talk->fd, at, length, MSG_NOSIGNAL);

		ck_assert_int_gt(sent, 0);
		at += sent;
		length -= sent;
	}
}

static inline void talk_say(const struct talk *talk, const char *text)
{
	talk_send(talk, text, strlen(text));
}

static inline void talk_half_close(const struct talk *talk)
{
	ck_assert_int_eq(shutdown(talk->fd, SHUT_WR), 0);
}

/* All up to the end, NUL-terminated; what is over size is dropped. */
static inline size_t talk_hear(const struct talk *talk, char *bytes, size_t size)
{
	size_t length = 0;
	char rest[4096];

	for (;;) {
		const bool full = length == size - 1;
		ssize_t got = full ? recv(talk->fd, rest, sizeof(rest), 0)
				   : recv(talk->fd, bytes + length, size - 1 - length, 0);

		ck_assert_msg(got >= 0, "recv: %s", strerror(errno));
		if (got == 0)
			break;
		length += full ? 0 : got;
	}
	bytes[length] = '\0';
	return length;
}

/* Just so many bytes. */
static inline void talk_expect(const struct talk *talk, const char *text)
{
	const size_t length = strlen(text);
	char bytes[4096];

	ck_assert_uint_lt(length, sizeof(bytes));
	ck_assert_int_eq(recv(talk->fd, bytes, length, MSG_WAITALL), (ssize_t)length);
	bytes[length] = '\0';
	ck_assert_str_eq(bytes, text);
}

/* Hangs up, and how the worker has ended, as waitpid(2) has it. */
static inline int talk_end(struct talk *talk)
{
	int status;

	if (talk->fd >= 0)
		close(talk->fd);
	talk->fd = -1;
	ck_assert_int_eq(waitpid(talk->worker, &status, 0), talk->worker);
	return status;
}

#endif
