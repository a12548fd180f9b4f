/* SPDX-License-Identifier: ISC */
/* The options of a handler, checked against the table that it declares. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "config/problem.h"
#include "config/section.h"
#include "config/service.h"

/* Fills service->values: one for each declared option that is no COMMAND, in the table's order,
 * then the commands as they were written.  setting may be NULL: all defaults. */
void options_load(struct service *service, const struct setting *setting,
		  struct problem_list *problems);

/* "name=value" as it would be written, or NULL when the value is not set; the caller frees it. */
char *options_format(const struct begat_handler *handler, const struct begat_value *value);

void options_free(struct begat_value *values, size_t count);

#endif
