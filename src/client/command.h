/* SPDX-License-Identifier: ISC */
/* The commands of begat(1). */
#ifndef COMMAND_H
#define COMMAND_H

/* Each gets its own name and arguments, and the path of the control socket.  What goes wrong ends
 * the program with a message and an exit code of the LSB. */
typedef void command_run(const char *control, int argc, char **argv);

command_run status_run; /* status [--json] [SERVICE] */
command_run unban_run;	/* unban PREFIX [SERVICE] */

#endif
