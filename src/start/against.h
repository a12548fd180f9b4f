/* SPDX-License-Identifier: ISC */
/* begatd -t --against PIDFILE: what a reload would change. */
#ifndef AGAINST_H
#define AGAINST_H

#include <stdio.h>

#include "config/config.h"

/* Prints what differs between a configuration and what the daemon of that pid file runs with.  Ends
 * the program with EXIT_NOT_RUNNING when there is none, and when it cannot be read. */
void against_print(const char *pid_path, const struct config *config, FILE *out);

#endif
