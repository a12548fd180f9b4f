/* SPDX-License-Identifier: ISC */
/* Why a client is refused: one list of reasons, and one table of what each is called. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stdbool.h>

/* In the order in which they are asked for, where nothing else is said.  A reload hands on their
 * numbers. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_PROXY,	     /* not one of the proxies, and nobody else may come */
	REFUSAL_HEADER,	     /* a proxy, but no PROXY header, or a bad one */
	REFUSAL_ACCESS,	     /* only-from and no-access */
	REFUSAL_TIME,	     /* access-times */
	REFUSAL_BANNED,	     /* ban, after too many refusals */
	REFUSAL_SOURCE_RATE, /* rate-per-source */
	REFUSAL_SOURCE_FULL, /* per-source */
	REFUSAL_RATE,	     /* rate, where when-full = refuse */
	REFUSAL_FULL,	     /* instances, likewise */
	REFUSAL_ALL_FULL,    /* instances of all services, likewise */
	REFUSAL_SHORTAGE,    /* of descriptors, memory or processes */
	/* of datagrams alone, before anything else is asked */
	REFUSAL_PORT,	 /* from a port behind which something may answer our answer */
	REFUSAL_ADDRESS, /* from, or to, an address that no single host has */
	REFUSAL_SIZE,	 /* the answer would be too long, or too long for such a question */
	REFUSAL_UNSENT,	 /* the kernel did not take the answer */
	/* of clients that tcpmux hands over */
	REFUSAL_PAUSED, /* the service's workers fail, and it is throttled */
};
#define REFUSALS (REFUSAL_PAUSED + 1)

struct refusal_info {
	const char *name; /* in log lines, in JSON, of a counter: "source-rate" */
	const char *text; /* for people: "connects too often" */
	int level;	  /* of its log lines */
	bool is_own;	  /* the source itself brought it about: it counts towards a ban */
};

extern const struct refusal_info refusal_table[REFUSALS];

#endif
