/* SPDX-License-Identifier: ISC */
/* A program that a client may start by name, and whose output it gets. */
#ifndef HANDLERS_COMMAND_H
#define HANDLERS_COMMAND_H

#include <begat/handler.h>

#define COMMAND_OUTPUT_MAX (1U << 20) /* bytes that one command may write */

enum command_end {
	COMMAND_EXITED,	     /* code is its exit status */
	COMMAND_SIGNALLED,   /* code is the signal */
	COMMAND_TIMEOUT,     /* killed: it took too long */
	COMMAND_OVERFLOW,    /* killed: it wrote too much */
	COMMAND_ABANDONED,   /* killed: the client is gone */
	COMMAND_NOT_STARTED, /* errno says why */
};

/* Runs the program argv[0], an absolute path, with exactly these arguments and no shell: standard
 * input is /dev/null, standard output and error go to the client as text.  Returns when the program
 * has exited, or after timeout_ms (0: no limit), and has reaped it.  Killing means its process
 * group; what it left running in the background when it exited by itself is left alone. */
enum command_end command_run(struct begat_session *session, char *const argv[],
			     long long timeout_ms, int *code);

#endif
