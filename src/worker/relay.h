/* SPDX-License-Identifier: ISC */
/* Internet line ends for a program that writes bare newlines.  Child side only. */
#ifndef RELAY_H
#define RELAY_H

#include "worker/worker.h"

/* Runs the program with its standard output in a pipe, passes that on to the client with each '\n'
 * as "\r\n", and ends as the program ended. */
void relay_run(const struct worker_task *task) __attribute__((noreturn));

#endif
