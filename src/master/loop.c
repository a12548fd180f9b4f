/* SPDX-License-Identifier: ISC */
/*
 * The event loop.
 *
 * Everything that the master does begins here.  It sleeps until a descriptor is readable or the
 * first timer is due, and without timers it sleeps for ever: an idle master has no wake-ups at all.
 * Timers are a red-black tree by due time, embedded in their owners, so that arming one can neither
 * fail nor allocate.
 */
#include "config.h"

#include "master/loop.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/fd.h"

#define EVENTS 64 /* taken at one time */

RB_HEAD(timer_tree, timer);

static struct {
	int fd;
	bool stopped;
	struct timer_tree timers;
	struct epoll_event events[EVENTS]; /* of this turn; a deleted watch is struck out */
	int count;
} loop;

/* By due time; timers of the same instant by their address, since a tree holds no equals. */
static int compare(struct timer *a, struct timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}

RB_GENERATE_INTERNAL(timer_tree, timer, node, compare, __attribute__((unused)) static)

int loop_open(void)
{
	loop.fd = fd_park(epoll_create1(EPOLL_CLOEXEC));
	return loop.fd < 0 ? -1 : 0;
}

int loop_add(struct watch *watch)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };

	return epoll_ctl(loop.fd, EPOLL_CTL_ADD, watch->fd, &event);
}

void loop_del(struct watch *watch)
{
	(void)epoll_ctl(loop.fd, EPOLL_CTL_DEL, watch->fd, NULL); /* not there is as good */
	for (int i = 0; i < loop.count; i++)
		if (loop.events[i].data.ptr == watch)
			loop.events[i].data.ptr = NULL;
}

void timer_start(struct timer *timer, int64_t delay_ms)
{
	timer_start_at(timer, clock_now_ns() + delay_ms * NS_IN_MS);
}

void timer_start_at(struct timer *timer, int64_t due_ns)
{
	timer_stop(timer);
	timer->due_ns = due_ns;
	timer->running = true;
	RB_INSERT(timer_tree, &loop.timers, timer);
}

void timer_stop(struct timer *timer)
{
	if (timer->running)
		RB_REMOVE(timer_tree, &loop.timers, timer);
	timer->running = false;
}

/* -1 is for ever. */
static int next_timeout_ms(void)
{
	const struct timer *first = RB_MIN(timer_tree, &loop.timers);

	return first ? clock_left_ms(first->due_ns) : -1;
}

static void fire_due(void)
{
	struct timer *first;
	int64_t now_ns;

	if (RB_EMPTY(&loop.timers))
		return;
	now_ns =
		clock_now_ns(); /* once: a timer that starts itself again waits for the next turn */
	while ((first = RB_MIN(timer_tree, &loop.timers)) && first->due_ns <= now_ns) {
		timer_stop(first);
		first->fire(first->context);
	}
}

static void dispatch(void)
{
	struct watch *watch;

	for (int i = 0; i < loop.count; i++) {
		watch = loop.events[i].data.ptr;
		if (watch)
			watch->ready(watch->context);
	}
	loop.count = 0;
}

int loop_run(void)
{
	int count;

	while (!loop.stopped) {
		count = epoll_wait(loop.fd, loop.events, EVENTS, next_timeout_ms());
		if (count < 0 && errno != EINTR)
			return -1;
		loop.count = count < 0 ? 0 : count;
		dispatch();
		fire_due();
	}
	return 0;
}

void loop_stop(void)
{
	loop.stopped = true;
}
