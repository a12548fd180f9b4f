/* SPDX-License-Identifier: ISC */
/* Signals, read from a signalfd(2).  There are no handlers anywhere in begat. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <sys/types.h>

/* Called for each signal; pid is that of the child for SIGCHLD, and of the sender otherwise. */
typedef void signals_handle(int number, pid_t pid);

/* "TERM", "RTMIN+3": for messages.  Borrowed until the next call. */
const char *signals_name(int number);

/* Blocks every signal and starts to read them in the loop.  0, or -1 with errno. */
int signals_open(signals_handle *handle);

#endif
