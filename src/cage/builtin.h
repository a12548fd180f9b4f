/* SPDX-License-Identifier: ISC */
/* The system calls of built-in handlers, in one table. */
#ifndef BUILTIN_H
#define BUILTIN_H

#include <stdbool.h>

#include <begat/handler.h>

/* What its workers use: items for cage/syscalls.h, NULL-terminated and static.  commands: it is to
 * run programs, which inherit the filter. */
const char *const *builtin_system_calls(const struct begat_handler *handler, bool commands);

/* What our own code does in a program's filter: to become the program, or to say that it cannot. */
const char *const *builtin_calls_to_exec(void);

/* What a handler's worker does beside, where a proxy says who the client is: worker/client.c. */
const char *const *builtin_calls_to_meet(void);

/* The same for one that stands, worker/standing.c, and for one that looks up its client's name,
 * worker/resolve.c. */
const char *const *builtin_calls_to_stand(void);
const char *const *builtin_calls_to_ask(void);

/* The same where a time zone is set, whose rules tzset(3) takes for the name of a file at first. */
const char *const *builtin_calls_to_know_zones(void);

#endif
