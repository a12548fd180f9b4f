/* SPDX-License-Identifier: ISC */
/* What standing workers tell: of those that somebody has broken into, too. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/notes.h"
#include "master/serving.h"
#include "suite.h"
#include "worker/note.h"

static struct serving_record record;
static struct serving serving = { .name = "small", .record = &record };
static struct child child;
static int worker; /* its end of the socket */

static struct {
	enum refusal refusal;
	uint64_t count;
	char peer[INET_TEXT];
	unsigned calls, bans;
} told;

void serving_told(struct serving *of, enum refusal refusal, uint64_t count, const char *peer)
{
	ck_assert_ptr_eq(of, &serving);
	told.refusal = refusal;
	told.count = count;
	told.calls++;
	strcpy(told.peer, peer);
}

void serving_told_ban(struct serving *of, const char *peer)
{
	ck_assert_ptr_eq(of, &serving);
	ck_assert_str_eq(peer, told.peer);
	told.bans++;
}

static void begin(void)
{
	int ends[2];

	child = (struct child){ .pid = fork(), .serving = &serving, .started_ns = clock_now_ns() };
	if (child.pid == 0) {
		pause();
		_exit(1);
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(loop_open(), 0);
	worker = ends[1];
	ck_assert_int_eq(notes_open(&child, ends[0]), 0);
}

static void say(const void *bytes, size_t length)
{
	ck_assert_int_eq(send(worker, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void hear(void)
{
	child.talk.ready(child.talk.context);
}

static bool is_killed(void)
{
	int status = 0;

	usleep(50000); /* a signal that is not sent does not come later either */
	return waitpid(child.pid, &status, WNOHANG) == child.pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL;
}

static void end(void)
{
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
}

START_TEST(a_note_is_counted)
{
	struct note note = { .served = 7 };
	struct note_refused *refused = &note.refused[REFUSAL_PORT];

	begin();
	refused->count = 3;
	refused->banned = 1;
	refused->peer.sin6_family = AF_INET;
	refused->peer.sin6_port = htons(37);
	inet_pton(AF_INET, "192.0.2.7", &refused->peer.sin6_addr.s6_addr[12]);
	say(&note, sizeof(note));
	hear();
	ck_assert_uint_eq(child.served, 7);
	ck_assert_uint_eq(child.denied, 3);
	ck_assert_uint_eq(record.stats.served, 7);
	ck_assert_int_eq(told.refusal, REFUSAL_PORT);
	ck_assert_uint_eq(told.count, 3);
	ck_assert_str_eq(told.peer, "192.0.2.7:37");
	ck_assert_uint_eq(told.calls, 1);
	ck_assert_uint_eq(told.bans, 1);
	end();
}
END_TEST

START_TEST(peers_are_named_as_they_are)
{
	static const struct {
		sa_family_t family;
		const char *peer;
	} peers[] = { { AF_INET6, "[2001:db8::7]:4711" },
		      { AF_UNIX, "unix:uid=1000" },
		      { AF_UNSPEC, "-" },
		      { 255, "-" } };
	struct note note = { 0 };

	begin();
	note.refused[REFUSAL_RATE].count = 1;
	for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++) {
		struct sockaddr_in6 *peer = &note.refused[REFUSAL_RATE].peer;

		*peer = (struct sockaddr_in6){ .sin6_family = peers[i].family,
					       .sin6_port = htons(4711) };
		inet_pton(AF_INET6, "2001:db8::7", &peer->sin6_addr);
		peer->sin6_scope_id = peers[i].family == AF_UNIX ? 1000 : 0;
		child.notes = 0;
		say(&note, sizeof(note));
		hear();
		ck_assert_str_eq(told.peer, peers[i].peer);
	}
	end();
}
END_TEST

/* What a sum cannot hold, a reload could not hand on: nobody could reload any more. */
START_TEST(sums_do_not_run_over)
{
	struct note note = { .served = UINT64_MAX - 5 };

	begin();
	note.refused[REFUSAL_RATE].count = UINT64_MAX;
	for (int i = 0; i < 2; i++) {
		say(&note, sizeof(note));
		hear();
	}
	ck_assert_uint_eq(child.served, INT64_MAX);
	ck_assert_uint_eq(child.denied, INT64_MAX);
	ck_assert_uint_eq(record.stats.served, INT64_MAX);
	end();
}
END_TEST

/* P4: it could keep the master busy for ever. */
START_TEST(a_flood_of_notes_ends_its_worker)
{
	const struct note note = { .served = 1 };

	begin();
	for (int i = 0; i < 8 && child.talk.fd >= 0; i++) {
		say(&note, sizeof(note));
		hear();
	}
	ck_assert_int_eq(child.talk.fd, -1);
	ck_assert(is_killed());
	ck_assert_uint_le(child.served, 3);
}
END_TEST

START_TEST(nonsense_counts_as_much_as_a_note)
{
	begin();
	for (int i = 0; i < 8 && child.talk.fd >= 0; i++) {
		say("x", 1);
		hear();
	}
	ck_assert_int_eq(child.talk.fd, -1);
	ck_assert(is_killed());
	ck_assert_uint_eq(child.served, 0);
}
END_TEST

START_TEST(one_a_second_is_heard_for_ever)
{
	const struct note note = { .served = 1 };

	begin();
	for (int i = 0; i < 100; i++) {
		child.started_ns -= NS_IN_S;
		say(&note, sizeof(note));
		hear();
	}
	ck_assert_uint_eq(child.served, 100);
	ck_assert(!is_killed());
	end();
}
END_TEST

START_TEST(the_end_of_a_worker_is_heard)
{
	begin();
	hear(); /* nothing there */
	ck_assert_int_ge(child.talk.fd, 0);
	close(worker);
	hear();
	ck_assert_int_eq(child.talk.fd, -1);
	ck_assert(!is_killed());
	notes_close(&child);
	end();
}
END_TEST

/* Also where somebody still has the other end, and goes on talking. */
START_TEST(the_last_words_are_heard_and_no_more)
{
	const struct note note = { .served = 1 };

	begin();
	for (int i = 0; i < 3; i++)
		say(&note, sizeof(note));
	notes_close(&child);
	ck_assert_uint_eq(child.served, 3);
	ck_assert_int_eq(child.talk.fd, -1);
	ck_assert_int_lt(send(worker, &note, sizeof(note), MSG_NOSIGNAL), 0);
	ck_assert_int_eq(errno, EPIPE);
	end();
}
END_TEST

SUITE("notes", a_note_is_counted, peers_are_named_as_they_are, sums_do_not_run_over,
      a_flood_of_notes_ends_its_worker, nonsense_counts_as_much_as_a_note,
      one_a_second_is_heard_for_ever, the_end_of_a_worker_is_heard,
      the_last_words_are_heard_and_no_more)
