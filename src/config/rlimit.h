/* SPDX-License-Identifier: ISC */
/* Limits of setrlimit(2) as the administrator writes them: "nofile=1024", "nofile=1024:4096". */
#ifndef RLIMIT_H
#define RLIMIT_H

#include "config/service.h"
#include "config/value.h"

#define RLIMIT_TEXT 96 /* bytes that rlimit_format() needs */

/* 0, or -1 with a reason. */
int rlimit_parse(const char *text, struct service_limit *limit, char why[static VALUE_WHY]);

/* The canonical form, which rlimit_parse() reads back to the same. */
void rlimit_format(const struct service_limit *limit, char text[static RLIMIT_TEXT]);

const char *rlimit_name(int resource); /* "nofile" */

#endif
