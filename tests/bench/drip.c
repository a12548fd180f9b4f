/* SPDX-License-Identifier: ISC */
/*
 * Questions over UDP, each sent when it is due.
 *
 * All answers of a second are alike, so each question has a socket of its own: whose answer is
 * late does not have that of the next one, and one that was lost is only that.  A socket is used
 * again when its question was answered, and closed when it was not, for an answer may still come.
 * Called by probe.c, in its process.
 */
#include "config.h"

#include "drip.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "datagrams.h"

#define SOCKETS	    256
#define NS_IN_S	    1000000000LL
#define PATIENCE_NS (NS_IN_S / 10)

static struct question {
	int fd;	  /* 0: none yet */
	int port; /* that it is connected to */
	int mark;
	bool waits;
	int64_t sent_ns;
} questions[SOCKETS];

static struct {
	int epoll_fd;	      /* 0: none yet */
	unsigned first, next; /* those that were sent, of which some may wait: all numbers ever */
} drip;

static int64_t now_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		err(1, "clock");
	return now.tv_sec * NS_IN_S + now.tv_nsec;
}

static void drop_socket(struct question *question)
{
	if (question->fd)
		close(question->fd);
	question->fd = 0;
}

static void open_question(struct question *question, int port)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = question };

	if (drip.epoll_fd == 0)
		drip.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	question->fd = datagrams_socket(port, DRIP_HOST);
	question->port = port;
	if (epoll_ctl(drip.epoll_fd, EPOLL_CTL_ADD, question->fd, &event) < 0)
		err(1, "epoll");
}

void drip_send(int port, int mark)
{
	struct question *question = &questions[drip.next % SOCKETS];

	if (question->waits)
		errx(1, "more questions at a time than %d", SOCKETS);
	drip.next++;
	if (question->port != port)
		drop_socket(question);
	if (question->fd == 0)
		open_question(question, port);
	question->mark = mark;
	question->waits = true;
	question->sent_ns = now_ns();
	datagrams_ask(question->fd);
}

static void tell(struct question *question, int64_t latency_ns, struct drip_answer *answer)
{
	question->waits = false;
	*answer = (struct drip_answer){ question->mark, latency_ns };
}

/* The oldest one, when it has waited for too long. */
static bool find_lost(struct drip_answer *answer)
{
	struct question *question;

	while (drip.first != drip.next && !questions[drip.first % SOCKETS].waits)
		drip.first++;
	question = &questions[drip.first % SOCKETS];
	if (drip.first == drip.next || now_ns() - question->sent_ns < PATIENCE_NS)
		return false;
	drop_socket(question);
	tell(question, -1, answer);
	return true;
}

static bool find_answered(struct drip_answer *answer)
{
	struct epoll_event event;
	struct question *question;

	if (drip.epoll_fd == 0 || epoll_wait(drip.epoll_fd, &event, 1, 0) <= 0)
		return false;
	question = event.data.ptr;
	datagrams_hear(question->fd);
	if (!question->waits)
		errx(1, "an answer that nobody has asked for");
	tell(question, now_ns() - question->sent_ns, answer);
	return true;
}

bool drip_wait(int64_t until_ns, struct drip_answer *answer)
{
	struct pollfd ready = { .fd = drip.epoll_fd ? drip.epoll_fd : -1, .events = POLLIN };
	int64_t left_ns;

	while (!find_answered(answer) && !find_lost(answer)) {
		struct timespec left;

		left_ns = until_ns - now_ns();
		if (left_ns <= 0)
			return false;
		left = (struct timespec){ left_ns / NS_IN_S, left_ns % NS_IN_S };
		if (ppoll(&ready, 1, &left, NULL) < 0 && errno != EINTR)
			err(1, "poll");
	}
	return true;
}
