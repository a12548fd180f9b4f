/* SPDX-License-Identifier: ISC */
/*
 * The registry of built-in handlers: the one place to add a line when a file is added here.
 *
 * begatd looks handlers up by name and checks their options; the master, which is another program
 * of the same build, finds them by their place in this table.
 */
#include "config.h"

#include "handlers/handler.h"

#include <stdlib.h>
#include <string.h>

static const struct begat_handler *const handlers[] = {
	&chargen_handler, &daytime_handler, &discard_handler, &echo_handler,	 &fortune_handler,
	&ident_handler,	  &motd_handler,    &qotd_handler,    &redirect_handler, &shell_handler,
	&tcpmux_handler,  &time_handler,    &users_handler,
};

#define HANDLERS (sizeof(handlers) / sizeof(handlers[0]))

const struct begat_handler *handler_find(const char *name)
{
	for (size_t i = 0; i < HANDLERS; i++)
		if (strcmp(handlers[i]->name, name) == 0)
			return handlers[i];
	return NULL;
}

const struct begat_handler *handler_at(size_t index)
{
	return index < HANDLERS ? handlers[index] : NULL;
}

size_t handler_index(const struct begat_handler *handler)
{
	for (size_t i = 0; i < HANDLERS; i++)
		if (handlers[i] == handler)
			return i;
	abort(); /* not a built-in: the caller's bug */
}
