/* SPDX-License-Identifier: ISC */
/* The built-in handlers: one table, in the order in which begatd --handlers lists them. */
#ifndef HANDLERS_HANDLER_H
#define HANDLERS_HANDLER_H

#include <begat/handler.h>

extern const struct begat_handler chargen_handler, daytime_handler, discard_handler, echo_handler,
	fortune_handler, ident_handler, motd_handler, qotd_handler, redirect_handler, shell_handler,
	tcpmux_handler, time_handler, users_handler;

/* NULL when there is none of that name. */
const struct begat_handler *handler_find(const char *name);

/* By place; NULL after the last. */
const struct begat_handler *handler_at(size_t index);

/* The place of a built-in handler, the inverse of handler_at(): a plan names its handlers so. */
size_t handler_index(const struct begat_handler *handler);

#endif
