/* SPDX-License-Identifier: ISC */
/*
 * Datagrams, answered in batches.
 *
 * One system call takes what has come, up to a batch, and one sends the answers, each from the
 * address that was asked.  Everything that speaks against an answer is asked before the handler
 * sees the datagram (datagram.c, admit/), and what is dropped is dropped without a word.  Memory is
 * taken once; a datagram longer than any answer may be is cut, and an error of the network that is
 * reported here was meant for somebody who is no longer asked.
 */
#include "config.h"

#include "worker/standing.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "handlers/handler.h"
#include "worker/datagram.h"

#define QUESTION_MIN 2048 /* bytes that are read at least */
#define FUTILE_MS    50	  /* after nothing was there, although it was readable */

/* One direction of a batch. */
struct batch {
	struct mmsghdr heads[STANDING_BATCH];
	struct iovec pieces[STANDING_BATCH];
	struct sockaddr_in6 peers[STANDING_BATCH];
	union datagram_control controls[STANDING_BATCH];
	char *bytes; /* STANDING_BATCH times size */
	size_t size;
};

static struct {
	struct batch in, out;
	unsigned asked, answered; /* how many of each are in use */
} turn;

static int init_batch(struct batch *batch, size_t size)
{
	batch->size = size;
	batch->bytes = calloc(STANDING_BATCH, size);
	for (unsigned i = 0; batch->bytes && i < STANDING_BATCH; i++)
		batch->pieces[i].iov_base = batch->bytes + i * size;
	return batch->bytes ? 0 : -1;
}

/* As recvmsg(2) wants it, and changes it. */
static void rewind_in(void)
{
	struct batch *in = &turn.in;

	for (unsigned i = 0; i < STANDING_BATCH; i++) {
		in->pieces[i].iov_len = in->size;
		in->heads[i].msg_hdr = (struct msghdr){
			.msg_name = &in->peers[i],
			.msg_namelen = sizeof(in->peers[i]),
			.msg_iov = &in->pieces[i],
			.msg_iovlen = 1,
			.msg_control = &in->controls[i],
			.msg_controllen = sizeof(in->controls[i]),
		};
	}
}

static void queue_answer(unsigned question, const void *bytes, size_t length)
{
	const unsigned i = turn.answered++;
	struct batch *in = &turn.in, *out = &turn.out;
	struct msghdr *message = &out->heads[i].msg_hdr;

	memcpy(out->pieces[i].iov_base, bytes, length);
	out->pieces[i].iov_len = length;
	out->peers[i] = in->peers[question];
	out->controls[i] = in->controls[question];
	*message = in->heads[question].msg_hdr;
	message->msg_name = &out->peers[i];
	message->msg_iov = &out->pieces[i];
	message->msg_control = &out->controls[i];
	message->msg_flags = 0;
	datagram_forget_interface(message);
}

static void answer(struct standing *standing, struct begat_session *session, unsigned i,
		   const struct connection *connection)
{
	const struct begat_handler *handler = handler_at((size_t)standing->service->handler);
	const size_t length = turn.in.heads[i].msg_len;
	size_t answered;
	const void *bytes;
	bool says;

	session_begin_answer(session, datagram_room(standing->service, length));
	says = handler->answer(session, turn.in.bytes + i * turn.in.size, length);
	standing_says(standing, says || !session_answer_is_whole(session));
	bytes = session_answer(session, &answered);
	if (says && (answered > 0 || session_answer_is_whole(session)))
		queue_answer(i, bytes, answered);
	else if (!session_answer_is_whole(session))
		standing_refuse(standing, connection, REFUSAL_SIZE);
	else
		standing_serves(standing);
}

static void look_at(struct standing *standing, struct begat_session *session, unsigned i)
{
	struct connection connection = { .fd = -1 };
	enum refusal refusal;

	datagram_read(&turn.in.heads[i].msg_hdr, &connection);
	refusal = datagram_check(standing->task->plan, &connection);
	if (refusal != REFUSAL_NONE)
		standing_refuse(standing, &connection, refusal);
	else if (standing_admits(standing, &connection))
		answer(standing, session, i, &connection);
}

static void count_unsent(struct standing *standing, unsigned i)
{
	struct connection connection = { .fd = -1 };

	datagram_read(&turn.out.heads[i].msg_hdr, &connection);
	standing_refuse(standing, &connection, REFUSAL_UNSENT);
}

/* What the kernel does not take is dropped, as the network would do it. */
static void send_answers(struct standing *standing)
{
	unsigned done = 0;
	int sent;

	while (done < turn.answered) {
		sent = sendmmsg(0, turn.out.heads + done, turn.answered - done,
				MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			count_unsent(standing, done++);
		for (int i = 0; i < sent; i++)
			standing_serves(standing);
		done += sent > 0 ? (unsigned)sent : 0;
	}
}

/* How many there were; 0: nothing has come, or nothing but an error of somebody else's. */
static unsigned pass_batch(struct standing *standing, struct begat_session *session)
{
	int count;

	rewind_in();
	do
		count = recvmmsg(0, turn.in.heads, STANDING_BATCH, MSG_DONTWAIT, NULL);
	while (count < 0 && errno == EINTR);
	turn.answered = 0;
	for (int i = 0; i < count; i++)
		look_at(standing, session, (unsigned)i);
	send_answers(standing);
	return count > 0 ? (unsigned)count : 0;
}

static void init(const struct standing *standing)
{
	const size_t most = standing->service->reply_max;

	/* One byte more than may be answered, so that what is cut is seen to be too long. */
	if (init_batch(&turn.in, most < QUESTION_MIN ? QUESTION_MIN : most + 1) < 0 ||
	    init_batch(&turn.out, most + 1) < 0)
		worker_fail(standing->task, WORKER_STEP_SOURCES, -ENOMEM);
}

void standing_serve_datagrams(struct standing *standing, struct begat_session *session)
{
	struct pollfd fds[STANDING_FDS];
	int wait_ms;

	init(standing);
	while ((wait_ms = standing_turn(standing)) >= 0) {
		standing_watch(standing, fds);
		if (poll(fds, STANDING_FDS, wait_ms) <= 0 || fds[0].revents == 0)
			continue;
		if (pass_batch(standing, session) > 0)
			standing_hears(standing);
		else
			(void)poll(fds + 1, 1, FUTILE_MS); /* shut down by somebody, or so */
	}
}
