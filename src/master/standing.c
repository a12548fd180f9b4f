/* SPDX-License-Identifier: ISC */
/*
 * Listeners that are handed over.
 *
 * When one becomes readable a worker gets the socket itself, and the gate is closed until that
 * worker has ended: nobody accepts, or reads, in two places.  A handler tells by notes what it does
 * (worker/note.h), and finishes when our side of their socket is shut down; a program tells
 * nothing, as it was with inetd, and goes on as long as it likes, over any number of reloads.
 *
 * A worker that ends at once and leaves what woke it would be started again for ever; so that
 * counts as a failure, and is throttled like one.  Whether a datagram is still the same is told
 * from the time at which it came: not a byte of it is read here.
 */
#include "config.h"

#include "master/standing.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admit/source.h"
#include "base/clock.h"
#include "base/fd.h"
#include "master/birth.h"
#include "master/notes.h"
#include "master/serving.h"
#include "master/throttle.h"
#include "report/log.h"

#define LATE_MS 10000 /* until the time of the day is looked at again: access-times */

static bool is_handler(const struct serving *serving)
{
	return serving->plan->handler >= 0;
}

/* -- the beginning -- */

/* When the datagram at the head of the queue came, by the kernel's clock: the same as long as it is
 * the same one, SO_TIMESTAMPNS in socket(7).  It is asked for only meanwhile, since a program may
 * have no room for it.  One whose checksum is wrong is thrown away by this: then nobody is there.
 */
static bool look_at_head(const struct gate *gate, struct timespec *when)
{
	union {
		char bytes[CMSG_SPACE(sizeof(*when)) + 2 * CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control;
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
	const int on = 1, off = 0, fd = gate->watch.fd;
	ssize_t length;
	bool is_there;

	/* Both cannot fail: a valid option of this socket. */
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	length = recvmsg(fd, &message, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	is_there = length >= 0 || errno != EAGAIN;
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &off, sizeof(off));
	*when = (struct timespec){ 0 };
	for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); length >= 0 && each;
	     each = CMSG_NXTHDR(&message, each))
		if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_TIMESTAMPNS)
			memcpy(when, CMSG_DATA(each), sizeof(*when));
	return is_there;
}

/* How many clients wait to be accepted; 0 where the kernel does not say. */
static unsigned count_waiting(const struct gate *gate)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	if (getsockopt(gate->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return 0;
	return info.tcpi_unacked; /* that is what it is of a listening socket */
}

/* It is the same file description in all processes: open(2). */
static int set_blocking(int fd, bool on)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	return fcntl(fd, F_SETFL, on ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static int prepare(const struct gate *gate)
{
	const struct serving *serving = gate->serving;
	int error;

	if (set_blocking(gate->watch.fd, !is_handler(serving)) < 0)
		return -1;
	if (!is_handler(serving))
		return 0;
	if (sources_prepare(gate->plan->sources_fd, serving_plan()->global.sources) == 0)
		return 0;
	error = errno;
	sources_renew(gate->plan->sources_fd); /* so that the next try begins anew */
	errno = error;
	return -1;
}

static int open_talk(struct child *child, int *worker_fd)
{
	int ours;

	*worker_fd = -1;
	if (!is_handler(child->serving))
		return 0;
	if (fd_pair(&ours, worker_fd) < 0)
		return -1;
	if (notes_open(child, ours) == 0)
		return 0;
	fd_close(&child->talk.fd); /* that is ours; failing already, as below */
	fd_close(worker_fd);
	return -1;
}

static int beget(struct gate *gate, struct child *child)
{
	struct connection listener = { .peer = { .ss_family = AF_UNSPEC } };
	int talk_fd, result;

	listener.proxy.ss_family = listener.local.ss_family = AF_UNSPEC;
	strcpy(listener.text, child->peer); /* both are INET_TEXT */
	if (prepare(gate) < 0 || open_talk(child, &talk_fd) < 0)
		return -1;
	listener.fd = fcntl(gate->watch.fd, F_DUPFD_CLOEXEC, 3);
	result = listener.fd < 0
			 ? -1
			 : birth_give(serving_plan(), child, gate->plan, &listener, talk_fd);
	if (talk_fd >= 0)
		(void)close(talk_fd); /* the worker has it */
	return result;
}

static int start(struct gate *gate, const struct child_woken *woken)
{
	struct serving *serving = gate->serving;
	struct child *child = child_add(serving, "-");
	int error;

	if (child == NULL) {
		errno = EAGAIN;
		return -1;
	}
	child->role = WORKER_STANDING;
	child->woken = *woken;
	child->gate = gate;
	if (beget(gate, child) == 0) {
		gate_close(gate, GATE_LENT);
		return 0;
	}
	error = errno;
	notes_close(child);
	child_del(child);
	errno = error;
	return -1;
}

static bool look(const struct gate *gate, struct child_woken *woken)
{
	if (gate->plan->kind == PLAN_DATAGRAM)
		return look_at_head(gate, &woken->when);
	woken->waiting = count_waiting(gate);
	return true;
}

/* What a handler's clients are asked one by one, a program's can only be asked all together. */
int standing_start(struct gate *gate)
{
	const struct connection nobody = { .fd = -1 };
	const struct admission admission = serving_ask(gate->serving, &nobody);
	struct child_woken woken = { .waiting = 0 };
	enum refusal refusal;

	if (is_handler(gate->serving)) {
		if (start(gate, &woken) < 0)
			return -1;
		serving_take_place(gate->serving);
		return 0;
	}
	if (!look(gate, &woken)) {
		gate_futile(gate);
		return 0;
	}
	gate->futile = 0;
	refusal = admit_check_door(&admission);
	if (refusal != REFUSAL_NONE) {
		serving_pause(gate->serving, LATE_MS, refusal_table[refusal].text);
		return 0;
	}
	if (start(gate, &woken) < 0)
		return -1;
	serving_take(gate->serving, &admission);
	return 0;
}

/* -- the end -- */

static bool is_readable(const struct gate *gate)
{
	struct pollfd pollfd = { .fd = gate->watch.fd, .events = POLLIN };

	return poll(&pollfd, 1, 0) > 0;
}

/* It may be that others have come meanwhile. */
static bool is_same(const struct gate *gate, const struct child_woken *woken)
{
	struct timespec now;

	if (gate->plan->kind != PLAN_DATAGRAM)
		return count_waiting(gate) >= woken->waiting;
	return look_at_head(gate, &now) && now.tv_sec == woken->when.tv_sec &&
	       now.tv_nsec == woken->when.tv_nsec;
}

/* A handler stays for a second at least; what it says of itself does not count here. */
static bool has_left(const struct gate *gate, const struct child *child)
{
	return is_readable(gate) && (is_handler(child->serving) || is_same(gate, &child->woken));
}

/* Of something that it has met in its table, perhaps: then the next one gets another. */
static bool is_suspect(const struct child *child, const struct child_end *end)
{
	switch (end->result) {
	case RESULT_CORE:
	case RESULT_STEP:
		return true;
	case RESULT_SIGNALLED:
		return (end->status != SIGKILL && end->status != SIGTERM) ||
		       (child->served == 0 && child->denied == 0);
	default:
		return false;
	}
}

/* As it was, whatever became of it: a program wants it to block, and may have shut it down. */
static void take_back(struct gate *gate)
{
	if (set_blocking(gate->watch.fd, false) < 0)
		log_line(LOG_ERR, "%s: O_NONBLOCK: %m", gate->serving->name);
	if (gate->plan->kind == PLAN_STREAM && listen(gate->watch.fd, gate->plan->backlog) < 0)
		log_line(LOG_ERR, "%s: listen: %m", gate->serving->name);
}

void standing_ended(struct child *child, struct child_end *end)
{
	struct gate *gate = child->gate;

	notes_close(child);
	if (gate == NULL || gate->closed & GATE_STOPPED)
		return;
	if (end->result == RESULT_OK && !child->finishes &&
	    end->duration_ns < THROTTLE_QUICK_MS * NS_IN_MS)
		end->unread = has_left(gate, child);
	if (gate->plan->sources_fd >= 0 && is_suspect(child, end))
		sources_renew(gate->plan->sources_fd);
	take_back(gate);
	gate_open(gate, GATE_LENT);
}

/* A program cannot know that it is time. */
static void finish(struct child *child)
{
	child->finishes = true;
	if (child->talk.fd >= 0) {
		(void)shutdown(child->talk.fd, SHUT_WR); /* it is connected: cannot fail */
		timer_start(&child->timer, child->serving->plan->kill_grace_ms); /* else it must */
		return;
	}
	if (is_handler(child->serving))
		return; /* it has been told */
	if (kill(child->pid, SIGTERM) < 0 && errno != ESRCH)
		log_line(LOG_ERR, "%s[%d]: SIGTERM: %m", child->serving->name, (int)child->pid);
}

int standing_adopt(struct child *child, struct gate *gate, int talk_fd)
{
	child->gate = gate;
	child->finishes = true;
	if (gate)
		gate_close(gate, GATE_LENT);
	if (talk_fd < 0)
		return 0;
	if (notes_open(child, talk_fd) < 0)
		return -1;
	finish(child); /* what it goes by is the plan of before */
	return 0;
}

void standing_finish_all(void)
{
	for (struct child *child = child_next(NULL); child; child = child_next(child))
		if (child->role == WORKER_STANDING)
			finish(child);
}
