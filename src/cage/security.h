/* SPDX-License-Identifier: ISC */
/*
 * begatd --security: what the workers of each service keep, and how much that exposes.
 *
 * The score goes from 0 to 10, and less is better: it is the sum of the weights of those items of
 * one table that hold for a service.  The table is in begatd(8) too, for people who want to know
 * what to set.
 */
#ifndef SECURITY_H
#define SECURITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "cage/cage.h"
#include "cage/kernel.h"
#include "cage/security-calls.h"
#include "cage/security-paths.h"
#include "config/config.h"

#define SECURITY_ITEMS	34
#define SECURITY_GROUPS 64 /* supplementary groups that are looked at */

enum security_area {
	SECURITY_WHO,
	SECURITY_CALLS,
	SECURITY_FILES,
	SECURITY_NETWORK,
	SECURITY_REST,
	SECURITY_AREAS
};

struct security {
	const struct service *service;
	const struct cage *cage;
	const struct kernel *kernel;
	const struct calls *calls;
	gid_t groups[SECURITY_GROUPS];
	size_t ngroups;
	uint64_t capabilities; /* by number */
	struct rules own;      /* owned: what its programs cannot start without */
	struct security_paths paths;
	bool costs[SECURITY_ITEMS];
	unsigned score; /* in tenths, to 100 */
};

struct security_item {
	const char *name; /* for programs */
	const char *what; /* for people */
	const char *keys; /* that close it, with commas */
	enum security_area area;
	unsigned weight; /* in tenths; all of them make 100 */
	bool (*costs)(const struct security *security);
};

extern const struct security_item security_items[SECURITY_ITEMS];

/* Everything but the service is borrowed for as long as the result is used, and that too. */
void security_assess(const struct service *service, const struct cage *cage,
		     const struct kernel *kernel, struct calls_memory *memory,
		     struct security *security);
void security_fini(struct security *security);

enum security_word { SECURITY_TIGHT, SECURITY_GOOD, SECURITY_FAIR, SECURITY_EXPOSED };
enum security_word security_word(unsigned score);
extern const char *const security_words[];

/* Whether nothing stands between the workers and all that is in an area. */
bool security_is_open(const struct security *security, enum security_area area);

/* Whether its workers can do with the calls that are left to them (enum calls_use). */
bool security_can(const struct security *security, unsigned uses);

/* Whether they can get at anything but their connection, Unix sockets aside. */
bool security_has_network(const struct security *security);

/* What its workers can reach by TCP (enum landlock_port_right). */
bool security_has_all_ports(const struct security *security, uint64_t right);
size_t security_count_ports(const struct security *security, uint64_t right);

/* Assesses each enabled service, in the order of the files. */
typedef void security_seen(void *context, const struct security *security);
void security_each(const struct config *config, security_seen *seen, void *context);

/* A line for each enabled service, in the order of the files, with reasons beneath those that are
 * not tight.  On a terminal in its width and with colours, but see NO_COLOR in begatd(8). */
void security_print(const struct config *config, FILE *out);

/* All of it, as a list in JSON. */
void security_print_json(const struct config *config, FILE *out);

#endif
