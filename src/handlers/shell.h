/* SPDX-License-Identifier: ISC */
/* The command server's commands, as its dialogue calls them. */
#ifndef HANDLERS_SHELL_H
#define HANDLERS_SHELL_H

#include <begat/handler.h>

#define SHELL_LINE_MAX 4096 /* bytes that max-line may allow */
#define SHELL_PREFIX   "command."

/* A built-in command.  Takes no arguments; writes its answer, which ends with a line end. */
struct shell_command {
	const char *name;			    /* NULL ends the table */
	const char *help;			    /* one line */
	void (*run)(struct begat_session *session); /* NULL: ends the session */
};

extern const struct shell_command shell_commands[];

/* Bytes from outside made fit to be shown, as by vis(3bsd); the result needs SHELL_SHOWN(length).
 */
void shell_escape(char *shown, const char *bytes, size_t length);
#define SHELL_SHOWN(length) (4 * (length) + 1)

#endif
