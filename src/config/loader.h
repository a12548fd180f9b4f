/* SPDX-License-Identifier: ISC */
/* What is known while a configuration is being loaded. */
#ifndef LOADER_H
#define LOADER_H

#include "config/config.h"
#include "config/problem.h"
#include "config/roster.h"
#include "config/section.h"

struct loader {
	struct config *config;
	struct problem_list problems;
	struct section global;	   /* of all files together */
	struct section *defaults;  /* NULL: there is none */
	struct section **services; /* in the order of the files */
	size_t nservices;
	void *titles;	/* of the services: tsearch(3) */
	size_t nlisten; /* addresses of all services */
	/* Most services run as the same user: the identity that was resolved last, and for which
	 * settings, spares a look into the user database for each. */
	struct service_identity identity;
	const struct setting *user, *group, *groups;
	bool resolved;
	/* Lists of the defaults may be long, and are made once for all services; those of a service
	 * are here while it is loaded. */
	struct roster shared[ROSTERS], own[ROSTERS];
	bool ties_checked;	      /* between those of the defaults */
	const struct schedule *times; /* of the defaults; NULL: not made yet */
};

/* The service of a section with what it takes from the defaults; problems are added, and the result
 * is complete only when there are none. */
struct service *service_load(struct loader *loader, const struct section *section);

/* The defaults by themselves, so that what is wrong in them shows even where no service uses it. */
void service_check_defaults(struct loader *loader);

/* What holds where nothing is set: the keys of the whole daemon, and those of a service that has
 * this handler, or a program where there is none. */
struct config *config_new_default(void);
struct service *service_new_default(const struct begat_handler *handler);

/* The keys of the control socket; after that of the pid file. */
void control_load(struct loader *loader);

/* Whether two listeners of the configuration are in each other's way: added to problems. */
void conflict_check(struct loader *loader);

#endif
