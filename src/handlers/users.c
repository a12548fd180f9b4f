/* SPDX-License-Identifier: ISC */
/*
 * users, RFC 866: the names of those who are logged in, one a line, then the end.
 *
 * Each user once, however many terminals they have, in the order in which they come in the list.
 * Names are sent as they are or not at all: one that is not all printing ASCII is nobody's here.  A
 * machine that keeps no list, as in a container, has nobody logged in, and says nothing.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "handlers/file.h"
#include "handlers/handler.h"
#include "handlers/logins.h"
#include "handlers/once.h"

#define NAME_SIZE (sizeof(((struct utmpx *)NULL)->ut_user))
#define USERS_MAX 1024 /* different ones; no more are listed */

struct users {
	size_t count;
	char names[USERS_MAX][NAME_SIZE]; /* filled up with NULs */
};

static bool is_printing(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] > '~')
			return false;
	return length > 0;
}

/* Whether it is the first of this name. */
static bool add_name(struct users *users, const char *name, size_t length)
{
	for (size_t i = 0; i < users->count; i++)
		if (strncmp(users->names[i], name, NAME_SIZE) == 0)
			return false;
	if (users->count == USERS_MAX)
		return false;
	memset(users->names[users->count], 0, NAME_SIZE);
	memcpy(users->names[users->count++], name, length);
	return true;
}

static void write_name(struct begat_session *session, struct users *users, const char *name)
{
	char line[NAME_SIZE + 1];
	const size_t length = strnlen(name, NAME_SIZE);

	if (!is_printing(name, length) || !add_name(users, name, length))
		return;
	memcpy(line, name, length);
	line[length] = '\n';
	(void)begat_write_text(session, line, length + 1); /* the session remembers a failure */
}

static bool users_answer(struct begat_session *session, const void *bytes, size_t length)
{
	static struct users users; /* static: a stack would be cleared, and touched, whole */
	const struct utmpx *entry;
	struct logins logins;
	const int error = logins_open(&logins) < 0 && errno != ENOENT ? errno : 0;

	(void)bytes;
	(void)length;
	file_complain("users", logins_path, error ? strerror(error) : NULL);
	users.count = 0;
	while ((entry = logins_next(&logins)))
		write_name(session, &users, entry->ut_user);
	logins_close(&logins);
	return error == 0;
}

static int users_serve(struct begat_session *session)
{
	return once_serve(session, &users_handler);
}

static const struct begat_path users_paths[] = {
	{ .path = "/run/utmp" },
	{ .path = NULL },
};

const struct begat_handler users_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "users",
	.summary = "the names of those who are logged in (RFC 866)",
	.paths = users_paths,
	.serve = users_serve,
	.answer = users_answer,
	.at_once = true,
};
