/* SPDX-License-Identifier: ISC */
/*
 * What standing workers tell of their clients (worker/note.h): heard, counted, logged.
 *
 * Whoever has broken into a worker may say anything here, as often as it likes.  So it is numbers
 * that are taken, sums that cannot run over, and from a worker that says more than it has to
 * nothing at all any more.
 */
#include "config.h"

#include "master/notes.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inet.h"
#include "master/serving.h"
#include "report/log.h"
#include "worker/note.h"

static void format_peer(const struct sockaddr_in6 *said, char *text, size_t size)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = said->sin6_port };

	switch (said->sin6_family) {
	case AF_INET:
		memcpy(&in.sin_addr, &said->sin6_addr.s6_addr[12], 4);
		memcpy(&peer, &in, sizeof(in));
		break;
	case AF_INET6:
		memcpy(&peer, said, sizeof(*said));
		break;
	case AF_UNIX:
		snprintf(text, size, "unix:uid=%u", (unsigned)said->sin6_scope_id);
		return;
	default:
		snprintf(text, size, "-");
		return;
	}
	inet_format((const struct sockaddr *)&peer, text, size);
}

/* Nobody has as many; and every later sum must be a number, too. */
static void add(uint64_t *sum, uint64_t more)
{
	*sum = more < INT64_MAX - *sum ? *sum + more : INT64_MAX;
}

static void hear_refused(struct child *child, enum refusal refusal, const struct note_refused *said)
{
	char peer[INET_TEXT];

	if (said->count == 0)
		return;
	format_peer(&said->peer, peer, sizeof(peer));
	add(&child->denied, said->count);
	serving_told(child->serving, refusal, said->count, peer);
	if (said->banned)
		serving_told_ban(child->serving, peer);
}

static void hear_note(struct child *child, const struct note *note)
{
	add(&child->served, note->served);
	add(&child->serving->record->stats.served, note->served);
	for (int refusal = 1; refusal < REFUSALS; refusal++)
		hear_refused(child, (enum refusal)refusal, &note->refused[refusal]);
}

static void stop_hearing(struct child *child)
{
	if (child->talk.fd < 0)
		return;
	loop_del(&child->talk);
	(void)close(child->talk.fd); /* all is said */
	child->talk.fd = -1;
}

/* One packet.  False when there is nothing more to be heard now, or ever. */
static bool hear_one(struct child *child)
{
	struct note note;
	const ssize_t length = recv(child->talk.fd, &note, sizeof(note), MSG_DONTWAIT | MSG_TRUNC);

	if (length == sizeof(note))
		hear_note(child, &note);
	else if (length == 0 || (length < 0 && errno != EAGAIN && errno != EINTR))
		stop_hearing(child);
	return length > 0; /* nonsense counts as much as a note */
}

/* One a second is what was agreed on, and one at the end. */
static bool tells_too_much(struct child *child)
{
	return ++child->notes > (clock_now_ns() - child->started_ns) / NS_IN_S + 2;
}

static void hear(void *context)
{
	struct child *child = context;

	if (!hear_one(child) || !tells_too_much(child))
		return;
	log_line(LOG_WARNING, "%s[%d] tells more than it has to; killed", child->serving->name,
		 (int)child->pid);
	stop_hearing(child);
	(void)kill(child->pid, SIGKILL); /* not reaped yet, so it is there */
}

int notes_open(struct child *child, int fd)
{
	child->talk = (struct watch){ .fd = fd, .ready = hear, .context = child };
	return loop_add(&child->talk);
}

/* What is queued is heard, and no more than that. */
void notes_close(struct child *child)
{
	if (child->talk.fd >= 0)
		(void)shutdown(child->talk.fd, SHUT_RD); /* it is connected: cannot fail */
	while (child->talk.fd >= 0 && hear_one(child))
		continue;
	stop_hearing(child);
}
