/* SPDX-License-Identifier: ISC */
/*
 * Names, from inside a cage: the worker's side.
 *
 * A question brings the socket for its answer along, so that answers cannot be mixed up, and so
 * that the end of whoever was to answer is seen at once.  Then it is asked once more: a resolver
 * that has died is back within a second or two, and the master keeps the questions for it.
 *
 * Runs under the filter of a handler: socketpair, sendmsg, poll, recvfrom and close are all it
 * needs.  What comes back is checked as if it came from outside, since in a way it does.
 */
#include "config.h"

#include "worker/resolve.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <begat/handler.h>

#include "base/clock.h"
#include "worker/session.h"
#include "worker/worker.h"

#define GRACE_MS 250 /* the resolver keeps the limit by itself, and says so */

bool resolve_is_plain(const char *name)
{
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:")] == '\0';
}

static bool is_text(const char *text, size_t size)
{
	const size_t length = strnlen(text, size);

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length < size;
}

bool resolve_answer_is_sound(const struct resolve_answer *answer)
{
	if (answer->count > RESOLVE_ADDRESSES || !is_text(answer->name, sizeof(answer->name)))
		return false;
	for (size_t i = 0; i < answer->count; i++)
		if (answer->addresses[i].ss_family != AF_INET &&
		    answer->addresses[i].ss_family != AF_INET6)
			return false;
	return true;
}

/* EAGAIN: so many questions wait that there is no room for one more. */
static int send_question(int resolver_fd, const struct resolve_question *question, int answer_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} ancillary = { .bytes = { 0 } };
	struct iovec part = { (void *)(uintptr_t)question, sizeof(*question) };
	const struct msghdr message = { .msg_iov = &part,
					.msg_iovlen = 1,
					.msg_control = &ancillary,
					.msg_controllen = sizeof(ancillary.bytes) };
	ssize_t sent;

	ancillary.header.cmsg_level = SOL_SOCKET;
	ancillary.header.cmsg_type = SCM_RIGHTS;
	ancillary.header.cmsg_len = CMSG_LEN(sizeof(answer_fd));
	memcpy(CMSG_DATA(&ancillary.header), &answer_fd, sizeof(answer_fd));
	do
		sent = sendmsg(resolver_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno != EAGAIN)
		errno = ENOTCONN; /* it has ended, or the descriptor is no socket at all */
	return sent < 0 ? -1 : 0;
}

/* Its end without an answer is that of whoever was asked. */
static int receive(int fd, struct resolve_answer *answer)
{
	const ssize_t length = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT | MSG_TRUNC);

	if (length == sizeof(*answer) && resolve_answer_is_sound(answer))
		return 0;
	errno = length > 0 ? EBADMSG : ENOTCONN;
	return -1;
}

static int wait_for(int fd, int64_t due_ns, struct resolve_answer *answer)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int ready, left_ms;

	do {
		left_ms = clock_left_ms(due_ns);
		ready = poll(&wait, 1, left_ms);
	} while ((ready < 0 && (errno == EINTR || errno == EAGAIN)) || (ready == 0 && left_ms > 0));
	if (ready > 0)
		return receive(fd, answer);
	if (ready == 0)
		errno = ETIMEDOUT;
	return -1;
}

static int ask_once(int resolver_fd, const struct resolve_question *question, int64_t due_ns,
		    struct resolve_answer *answer)
{
	int ends[2], result, error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	result = send_question(resolver_fd, question, ends[1]);
	error = errno;
	(void)close(ends[1]); /* on its way, or not needed */
	errno = error;
	if (result == 0)
		result = wait_for(ends[0], due_ns, answer);
	error = errno;
	(void)close(ends[0]); /* nothing is written here */
	errno = error;
	return result;
}

int resolve_ask(int resolver_fd, const struct resolve_question *question,
		struct resolve_answer *answer)
{
	const int64_t due_ns = clock_now_ns() + (question->limit_ms + GRACE_MS) * NS_IN_MS;
	struct resolve_question again = *question;
	int result;

	if (resolver_fd < 0) {
		errno = ENOTCONN;
		return -1;
	}
	result = ask_once(resolver_fd, question, due_ns, answer);
	again.limit_ms = (uint32_t)clock_left_ms(due_ns);
	if (result == 0 || errno != ENOTCONN || again.limit_ms <= GRACE_MS)
		return result;
	again.limit_ms -= GRACE_MS;
	return ask_once(resolver_fd, &again, due_ns, answer);
}

static const char *describe(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return "no answer in time";
	case ENOTCONN:
		return "the resolver does not run";
	case EAGAIN:
		return "the resolver has too many questions";
	default:
		return "the resolver cannot be asked";
	}
}

static int fill(const struct begat_lookup *lookup, struct resolve_question *question)
{
	const long long limit_ms =
		lookup->limit_ms < RESOLVE_LIMIT_MS ? lookup->limit_ms : RESOLVE_LIMIT_MS;

	*question = (struct resolve_question){
		.kind = RESOLVE_HOST,
		.fresh = lookup->fresh,
		.limit_ms = limit_ms > 0 ? (uint32_t)limit_ms : 1,
		.port = (uint16_t)lookup->port,
		.datagrams = lookup->datagrams,
	};
	return resolve_is_plain(lookup->host) &&
			       strlcpy(question->name, lookup->host, RESOLVE_NAME) < RESOLVE_NAME
		       ? 0
		       : -1;
}

size_t begat_resolve(struct begat_session *session, const struct begat_lookup *lookup,
		     struct sockaddr_storage *addresses, size_t size, const char **why)
{
	static struct resolve_answer answer; /* why may point into it */
	const struct worker_task *task = session->set.task;
	struct resolve_question question;

	*why = "not the name of a host";
	if (fill(lookup, &question) < 0)
		return 0;
	if (resolve_ask(task ? worker_fd(task, WORKER_FD_RESOLVER) : -1, &question, &answer) < 0) {
		*why = describe(errno);
		return 0;
	}
	*why = answer.name[0] ? answer.name : "no address";
	if (answer.count < size)
		size = answer.count;
	memcpy(addresses, answer.addresses, size * sizeof(*addresses));
	return size;
}
