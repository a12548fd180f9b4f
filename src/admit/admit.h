/* SPDX-License-Identifier: ISC */
/*
 * Who may come in: the ordered questions that a connection is asked before a worker is made for it.
 * Nothing here looks a name up, reads a file, waits, or touches the connection.
 */
#ifndef ADMIT_H
#define ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "admit/connection.h"
#include "admit/limit.h"
#include "admit/source.h"
#include "plan/plan.h"
#include "report/refusal.h"

/* What the clients of a service use up together. */
struct quota {
	struct limit limit;
	int64_t rate_ns; /* bucket */
};

/* One connection that asks. */
struct admission {
	const struct plan *plan;
	const struct plan_service *service;
	const struct connection *connection;
	struct quota *quota;
	struct limit *all; /* instances of all services together */
	int64_t now_ns;
	bool is_datagram; /* whose source may be forged: it has a rate, and is never banned */
};

/* At the door: where a PROXY header is to come, the proxy and what has nothing to do with the
 * client; else everything.  Takes nothing. */
enum refusal admit_check(const struct admission *admission);

/* What has nothing to do with a client at all.  Takes nothing. */
enum refusal admit_check_door(const struct admission *admission);

/* Where a PROXY header has come: the rest, for the client that it names.  Takes nothing. */
enum refusal admit_check_client(const struct admission *admission);

/* Takes what an admitted connection uses up, but for its instance, which the caller takes; or gives
 * it back.  The client's part is its source, or NULL where its service does not count sources. */
void admit_take(const struct admission *admission);
void admit_give(const struct admission *admission);
struct source *admit_take_client(const struct admission *admission);

/* Takes what a client uses up that is served at once: tokens, and no place. */
void admit_pass(const struct admission *admission);

/* Counts a refusal against its source where it is the source's own.  True when that has just banned
 * it. */
bool admit_refuse(const struct admission *admission, enum refusal refusal);

/* The service's admission, or that of one which has none of these keys. */
const struct plan_admission *admission_of(const struct plan *plan,
					  const struct plan_service *service);

/* Whether a PROXY header is to come. */
bool admission_wants_header(const struct plan *plan, const struct plan_service *service);

#endif
