/* SPDX-License-Identifier: ISC */
/* Users and groups of the system, by name or number, resolved while loading. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/problem.h"
#include "config/section.h"
#include "config/service.h"

/* Who a service is to run as, as it was asked for; any may be NULL. */
struct account_request {
	const struct setting *user, *group, *groups;
	struct origin at; /* of the section, for what is wrong without a key */
};

/* 0, or -1 when there is none. */
int account_find_user(const char *name, uid_t *uid);
int account_find_group(const char *name, gid_t *gid);

/* The name, or the number where there is none or it leads elsewhere; the caller frees it. */
char *account_user_name(uid_t uid);
char *account_group_name(gid_t gid);

/* Fills identity, which the caller gives back to account_fini() in any case; what is wrong is added
 * to problems.  As an ordinary user: oneself, with set = false, and whoever else is asked for is an
 * error. */
void account_resolve(const struct account_request *request, struct service_identity *identity,
		     struct problem_list *problems);
void account_fini(struct service_identity *identity);
void account_copy(const struct service_identity *from, struct service_identity *to);

#endif
