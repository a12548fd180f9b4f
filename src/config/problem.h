/* SPDX-License-Identifier: ISC */
/* What is wrong with a configuration, collected while it is read. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

#define PROBLEMS_MAX 200 /* further ones are not kept */

struct problem {
	struct origin at; /* line 0: about the file as a whole */
	size_t rank;	  /* of the file, then the order in which they were found */
	size_t serial;
	bool warning;
	char *text;
};

struct problem_list {
	struct problem *items;
	size_t count;
	size_t errors; /* how often an error was added, those not kept too */
	bool full;     /* some were not kept */
};

/* Adds an error or a warning, once however often it is found.  Control characters of the text are
 * escaped.  at->file must live until problem_report(). */
void problem_add(struct problem_list *list, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void problem_warn(struct problem_list *list, const struct origin *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Moves everything into lines, sorted by the order of files and by line; the list is empty then. */
void problem_report(struct problem_list *list, char *const *files, struct config_problems *lines);

void problem_fini(struct problem_list *list);

#endif
