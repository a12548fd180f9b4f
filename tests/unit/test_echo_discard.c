/* SPDX-License-Identifier: ISC */
/* RFC 862 and RFC 863: all comes back, nothing comes back; and neither is held up for ever. */
#include "config.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "answering.h"
#include "talk.h"
#include "suite.h"

static const struct session_settings unlimited = { .crlf = true };
static const struct session_settings impatient = { .crlf = true, .idle_ms = 100 };

static pid_t send_in_background(const struct talk *talk, const void *bytes, size_t length)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		talk_send(talk, bytes, length);
		talk_half_close(talk);
		_exit(0);
	}
	return pid;
}

/* Byte for byte, line ends too, and what was read before the client half-closed is still sent. */
START_TEST(echo_everything)
{
	static char sent[1 << 20], heard[sizeof(sent) + 2];
	struct talk talk = talk_start(&echo_handler, &unlimited);
	pid_t pid;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 2654435761U >> 24);
	pid = send_in_background(&talk, sent, sizeof(sent));
	ck_assert_uint_eq(talk_hear(&talk, heard, sizeof(heard)), sizeof(sent));
	ck_assert_mem_eq(heard, sent, sizeof(sent));
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

START_TEST(echo_at_once)
{
	struct talk talk = talk_start(&echo_handler, &unlimited);

	talk_say(&talk, "a\n");
	talk_expect(&talk, "a\n");
	talk_say(&talk, "\xff\xfd\x01");
	talk_expect(&talk, "\xff\xfd\x01");
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

START_TEST(echo_silence)
{
	struct talk talk = talk_start(&echo_handler, &impatient);
	char heard[8];

	ck_assert_uint_eq(talk_hear(&talk, heard, sizeof(heard)), 0);
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

/* F25: it sends and never reads. */
START_TEST(echo_stalled_client)
{
	static const char much[16 << 20];
	struct talk talk = talk_start(&echo_handler, &impatient);
	int status;

	while (send(talk.fd, much, sizeof(much), MSG_NOSIGNAL) > 0)
		;
	ck_assert_int_eq(waitpid(talk.worker, &status, 0), talk.worker);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(discard_everything)
{
	static const char sent[1 << 20];
	struct talk talk = talk_start(&discard_handler, &unlimited);
	char heard[8];

	talk_send(&talk, sent, sizeof(sent));
	talk_half_close(&talk);
	ck_assert_uint_eq(talk_hear(&talk, heard, sizeof(heard)), 0);
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

/* It would hold its slot for ever otherwise. */
START_TEST(discard_silence)
{
	struct talk talk = talk_start(&discard_handler, &impatient);
	char heard[8];

	talk_say(&talk, "x");
	ck_assert_uint_eq(talk_hear(&talk, heard, sizeof(heard)), 0);
	ck_assert_int_eq(talk_end(&talk), 0);
}
END_TEST

static struct answering answering;

static void ask(const struct begat_handler *handler, size_t room, const void *bytes, size_t length)
{
	answering.handler = handler;
	answering.room = room;
	answering_ask(&answering, bytes, length);
}

/* The same bytes, also none, also the longest; and no part of what does not fit. */
START_TEST(echo_datagrams)
{
	static char longest[SESSION_ANSWER];

	ask(&echo_handler, 512, "a\n\0\xff", 4);
	ck_assert(answering.answered);
	ck_assert_uint_eq(answering.length, 4);
	ck_assert_mem_eq(answering.bytes, "a\n\0\xff", 4);
	ask(&echo_handler, 512, NULL, 0);
	ck_assert(answering.answered);
	ck_assert_uint_eq(answering.length, 0);
	memset(longest, 'x', sizeof(longest));
	ask(&echo_handler, sizeof(longest), longest, sizeof(longest));
	ck_assert(answering.answered);
	ck_assert_uint_eq(answering.length, sizeof(longest));
	ask(&echo_handler, 512, longest, 513);
	ck_assert(!answering.answered);
	ck_assert_uint_eq(answering.length, 0);
}
END_TEST

START_TEST(discard_datagrams)
{
	ask(&discard_handler, 512, "x", 1);
	ck_assert(!answering.answered);
	ask(&discard_handler, 512, NULL, 0);
	ck_assert(!answering.answered);
	ck_assert_uint_eq(answering.length, 0);
}
END_TEST

/* A plan names a handler by its place: the two programs must agree on it. */
START_TEST(registry)
{
	const struct begat_handler *handler;
	size_t count = 0;

	for (; (handler = handler_at(count)); count++) {
		ck_assert_ptr_eq(handler_find(handler->name), handler);
		ck_assert_uint_eq(handler_index(handler), count);
		ck_assert_uint_eq(handler->abi, BEGAT_HANDLER_ABI);
		ck_assert_ptr_nonnull(handler->summary);
		ck_assert_ptr_nonnull(handler->serve);
		ck_assert(handler->answer || !handler->at_once);
	}
	ck_assert_uint_ge(count, 13);
	ck_assert_ptr_null(handler_at(count + 1));
	ck_assert_ptr_null(handler_find("Echo"));
	ck_assert_ptr_null(handler_find(""));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("echo, discard");

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, echo_everything);
	tcase_add_test(tcase, echo_at_once);
	tcase_add_test(tcase, echo_silence);
	tcase_add_test(tcase, echo_stalled_client);
	tcase_add_test(tcase, discard_everything);
	tcase_add_test(tcase, discard_silence);
	tcase_add_test(tcase, echo_datagrams);
	tcase_add_test(tcase, discard_datagrams);
	tcase_add_test(tcase, registry);
	return suite_finish("echo, discard", tcase);
}
