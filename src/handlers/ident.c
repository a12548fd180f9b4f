/* SPDX-License-Identifier: ISC */
/*
 * ident, RFC 1413: whose is the connection from this port of ours to that port of the asker?
 *
 * An asker learns only of connections to its own address, and by default only that there is one.
 * Numbers go as "OTHER", which the RFC wants for what is not a user's normal name.  The owner is
 * who has made the socket, or accepted it, however their process has changed its user since.
 *
 * Queries may be many, and sent in advance; the first that is none ends the dialogue.  What it was
 * is not repeated, and nothing that an asker has sent is ever logged.  Names come out of a file in
 * the format of passwd(5), by fgetpwent(3): the master is linked statically, and has no NSS.
 */
#include "config.h"

#include "handlers/ident.h"

#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handlers/file.h"
#include "handlers/handler.h"
#include "handlers/socket-table.h"

#define PORT_DIGITS 5
#define PORT_MAX    65535
#define PASSWD_MAX  (64U << 20) /* bytes */

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

static unsigned parse_port(const char *at, const char *end)
{
	unsigned port = 0;

	at = skip_blanks(at, end);
	for (int i = 0; i < PORT_DIGITS && at < end && *at >= '0' && *at <= '9'; i++)
		port = 10 * port + (unsigned)(*at++ - '0');
	return skip_blanks(at, end) == end ? port : 0;
}

static bool is_port(unsigned port)
{
	return port >= 1 && port <= PORT_MAX;
}

bool ident_query_parse(const char *line, size_t length, struct ident_query *query)
{
	const char *comma = memchr(line, ',', length), *end = line + length;

	query->local = parse_port(line, comma ? comma : end);
	query->foreign = comma ? parse_port(comma + 1, end) : 0;
	return is_port(query->local) && is_port(query->foreign);
}

bool ident_is_name(const char *name)
{
	const size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
			return false;
	return length > 0 && length <= IDENT_NAME_MAX;
}

/* -- answers: 0, or -1 when the asker is gone -- */

static int say_error(struct begat_session *session, const struct ident_query *query,
		     const char *error)
{
	return begat_print(session, "%u , %u : ERROR : %s\n", query->local, query->foreign, error);
}

static int say_number(struct begat_session *session, const struct ident_query *query, uid_t owner)
{
	return begat_print(session, "%u , %u : USERID : OTHER : %lu\n", query->local,
			   query->foreign, (unsigned long)owner);
}

static int say_name(struct begat_session *session, const struct ident_query *query,
		    const char *name)
{
	if (!ident_is_name(name))
		return say_error(session, query, "UNKNOWN-ERROR");
	return begat_print(session, "%u , %u : USERID : UNIX : %s\n", query->local, query->foreign,
			   name);
}

/* The last one, because of something that is ours to set right. */
static int say_failure(struct begat_session *session, const struct ident_query *query)
{
	(void)say_error(session, query, "UNKNOWN-ERROR"); /* -1 in any case */
	return -1;
}

/* -- what they say; -1 too when answering has failed, which *status tells -- */

static FILE *open_passwd(const char *path)
{
	size_t size;
	int fd = file_open(path, PASSWD_MAX, &size);
	FILE *passwd = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd >= 0 && !passwd) {
		(void)close(fd); /* was not read from */
		errno = ENOMEM;
	}
	return passwd;
}

/* What begins with + or - speaks of NIS, and has a 0 where it gives no number. */
static const char *find_name(FILE *passwd, uid_t owner)
{
	const struct passwd *entry;

	while ((entry = fgetpwent(passwd)))
		if (entry->pw_uid == owner && !strchr("+-", entry->pw_name[0]))
			return entry->pw_name;
	return NULL;
}

static int answer_name(struct begat_session *session, const struct ident_query *query, uid_t owner,
		       int *status)
{
	const char *path = begat_string(session, "passwd"), *name;
	FILE *passwd = open_passwd(path);

	if (!passwd) {
		dprintf(STDERR_FILENO, "ident: %s: %s\n", path, strerror(errno));
		*status = 1;
		return say_failure(session, query);
	}
	name = find_name(passwd, owner);
	(void)fclose(passwd); /* was only read from */
	return name ? say_name(session, query, name) : say_number(session, query, owner);
}

static int answer_owner(struct begat_session *session, const struct ident_query *query, uid_t owner,
			int *status)
{
	const char *answer = begat_string(session, "answer");

	if (strcmp(answer, "uid") == 0)
		return say_number(session, query, owner);
	if (strcmp(answer, "user") == 0)
		return answer_name(session, query, owner, status);
	return say_error(session, query, "HIDDEN-USER");
}

static void set_port(struct sockaddr_storage *address, unsigned port)
{
	if (address->ss_family == AF_INET)
		((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
	else if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
}

/* Between the address that was asked and the asker's, and no others. */
static int find_owner(const struct begat_session *session, const struct ident_query *query,
		      uid_t *owner)
{
	struct sockaddr_storage local, foreign;

	if (begat_local_address(session, &local) < 0 || begat_peer_address(session, &foreign) < 0)
		return -1;
	set_port(&local, query->local);
	set_port(&foreign, query->foreign);
	return socket_table_find(&local, &foreign, owner);
}

static int answer(struct begat_session *session, const struct ident_query *query, int *status)
{
	uid_t owner;

	if (find_owner(session, query, &owner) == 0)
		return answer_owner(session, query, owner, status);
	if (errno == ENOENT)
		return say_error(session, query, "NO-USER");
	if (errno == ENOTSOCK || errno == EAFNOSUPPORT) /* asked over a Unix socket */
		return say_error(session, query, "UNKNOWN-ERROR");
	dprintf(STDERR_FILENO, "ident: the kernel's table of connections: %s\n",
		errno == EPROTONOSUPPORT ? "its module tcp_diag is missing" : strerror(errno));
	*status = 1;
	return say_failure(session, query);
}

static int ident_serve(struct begat_session *session)
{
	static char line[IDENT_LINE_MAX + 1];
	struct ident_query query = { 0 };
	enum begat_input input;
	size_t length;
	int status = 0;

	while ((input = begat_read_line(session, line, sizeof(line), &length)) == BEGAT_INPUT_OK) {
		if (!ident_query_parse(line, length, &query)) {
			say_error(session, &query, "INVALID-PORT");
			break;
		}
		if (answer(session, &query, &status) < 0)
			break;
	}
	if (input == BEGAT_INPUT_TOO_LONG)
		say_error(session, &(struct ident_query){ 0 }, "UNKNOWN-ERROR");
	begat_finish(session);
	return status;
}

static const char *check_answer(const char *text)
{
	static const char *const answers[] = { "hidden", "uid", "user" };

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		if (strcmp(text, answers[i]) == 0)
			return NULL;
	return "is not hidden, uid or user";
}

static const struct begat_option ident_options[] = {
	{ "answer", BEGAT_OPTION_STRING, "hidden", 0, 16,
	  "what is told of a connection's owner: hidden, uid or user", check_answer },
	{ "passwd", BEGAT_OPTION_PATH, "/etc/passwd", 0, 0,
	  "the names for answer=user, in the format of passwd(5)", NULL },
	{ .name = NULL },
};

static const struct begat_path ident_paths[] = {
	{ .option = "passwd" },
	{ .path = NULL },
};

const struct begat_handler ident_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "ident",
	.summary = "whose a TCP connection to the asker is (RFC 1413)",
	.options = ident_options,
	.paths = ident_paths,
	.serve = ident_serve,
};
