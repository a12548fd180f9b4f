/* SPDX-License-Identifier: ISC */
/* A line for the client, with fields: banner and banner-fail of begat.conf(5). */
#ifndef BANNER_H
#define BANNER_H

#include <stdbool.h>
#include <stddef.h>

#include "admit/connection.h"

#define BANNER_TEXT 4096 /* bytes of one when it is expanded; more is cut off */

struct banner {
	const char *text; /* unexpanded: %h %n %p %s %t %% */
	const char *service;
	const char *name; /* of the client, checked; NULL or "": not known, %n is its address */
	const struct connection *connection; /* described already */
	bool crlf;			     /* lines end with "\r\n" */
};

/* Expands it into out, with a line end behind it and no NUL.  How many bytes these are.  Allocates
 * nothing. */
size_t banner_format(const struct banner *banner, char out[static BANNER_TEXT]);

/* Writes one to the task's client, who is not looked up.  One that is gone is no error.  Child side
 * only, as below. */
struct begat_session;
struct worker_task;
void banner_write(struct begat_session *session, const struct worker_task *task, const char *text);

/* Writes that of the service.  Where it has %n the client is looked up, for two seconds at most. */
void banner_greet(struct begat_session *session, const struct worker_task *task);

#endif
