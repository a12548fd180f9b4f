/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the queries of RFC 1413, one by one and as a dialogue with an asker who has no
 * Internet address, so that the kernel is not asked.  What comes back has to be of the grammar.
 */
#include "config.h"

#include "handlers/ident.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "worker/session.h"

#define INPUT_MAX   4096
#define ANSWERS_MAX (64 * (INPUT_MAX + 1))

/* The same with white space around it is the same query. */
static void check_query(const uint8_t *bytes, size_t length)
{
	static char wide[INPUT_MAX + 2];
	struct ident_query query, again;
	const bool good = ident_query_parse((const char *)bytes, length, &query);
	char text[32];

	if (query.local > 99999 || query.foreign > 99999)
		abort();
	wide[0] = '\t';
	memcpy(wide + 1, bytes, length);
	wide[length + 1] = ' ';
	if (ident_query_parse(wide, length + 2, &again) != good || again.local != query.local ||
	    again.foreign != query.foreign)
		abort();
	snprintf(text, sizeof(text), "%u,%u", query.local, query.foreign);
	if (ident_query_parse(text, strlen(text), &again) != good || again.local != query.local ||
	    again.foreign != query.foreign)
		abort();
}

static void check_name(const uint8_t *bytes, size_t length)
{
	char *name = strndup((const char *)bytes, length);

	if (!name || (ident_is_name(name) &&
		      (strlen(name) > IDENT_NAME_MAX || strpbrk(name, ": \t\r\n\x7f\xff\x80"))))
		abort();
	free(name);
}

/* One answer is cut off; how long it was. */
static size_t check_answer(const char *text)
{
	unsigned local, foreign;
	char error[16], whole[64];

	if (sscanf(text, "%5u , %5u : ERROR : %15[A-Z-]", &local, &foreign, error) != 3)
		abort();
	snprintf(whole, sizeof(whole), "%u , %u : ERROR : %s\r\n", local, foreign, error);
	if (strncmp(text, whole, strlen(whole)) != 0)
		abort();
	/* What is no query is the last one. */
	if (strcmp(error, "UNKNOWN-ERROR") != 0 &&
	    (strcmp(error, "INVALID-PORT") != 0 || text[strlen(whole)] != '\0'))
		abort();
	return strlen(whole);
}

static void converse(const uint8_t *bytes, size_t length, char *answers)
{
	static struct begat_session session;
	struct session_settings settings = { .crlf = true };
	size_t got = 0;
	ssize_t more;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ||
	    send(ends[0], bytes, length, 0) != (ssize_t)length || shutdown(ends[0], SHUT_WR) < 0)
		abort();
	settings.fd = ends[1];
	session_init(&session, &settings);
	if (ident_handler.serve(&session) != 0)
		abort();
	close(ends[1]);
	while ((more = recv(ends[0], answers + got, ANSWERS_MAX - got, 0)) > 0)
		got += (size_t)more;
	answers[got] = '\0';
	close(ends[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	static char answers[ANSWERS_MAX + 1];

	if (length > INPUT_MAX)
		return 0;
	check_query(bytes, length);
	check_name(bytes, length);
	converse(bytes, length, answers);
	for (const char *at = answers; *at;)
		at += check_answer(at);
	return 0;
}
