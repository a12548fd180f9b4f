/* SPDX-License-Identifier: ISC */
/*
 * The option values of a session: what the administrator set for this service, as its handler asks
 * for it by name.
 *
 * begatd has checked every value against the handler's own table and filled in the defaults, so a
 * name that is not there is a bug of the handler, and ends the worker.  The values are borrowed
 * from the plan and never change.  Nothing that a client sent comes here.
 */
#include "config.h"

#include "worker/session.h"

#include <stdlib.h>
#include <string.h>

static const struct begat_value *value_find(const struct begat_session *session, const char *name)
{
	for (size_t i = 0; i < session->set.nvalues; i++)
		if (strcmp(session->set.values[i].name, name) == 0)
			return &session->set.values[i];
	abort(); /* the handler asks for an option that it does not declare */
}

const char *begat_string(const struct begat_session *session, const char *name)
{
	return value_find(session, name)->string;
}

long long begat_number(const struct begat_session *session, const char *name)
{
	return value_find(session, name)->number;
}

const struct begat_value *begat_command(const struct begat_session *session, const char *prefix,
					size_t index)
{
	for (size_t i = 0; i < session->set.nvalues; i++) {
		const struct begat_value *value = &session->set.values[i];

		if (value->argv && strncmp(value->name, prefix, strlen(prefix)) == 0 &&
		    index-- == 0)
			return value;
	}
	return NULL;
}
