/* SPDX-License-Identifier: ISC */
/*
 * The text in effect: a configuration in the canonical form of print.h, without what is at its
 * default and without services that are disabled.  Loaded as a configuration it gives the same one
 * again, but for long lists of peers (print.h).  It is compared with the text of another version of
 * begat, which may know other keys.
 */
#ifndef EFFECT_H
#define EFFECT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* The caller frees it. */
char *effect_format(const struct config *config);

/* One service, or what is outside of them: part of the text that it was read from. */
struct effect_part {
	const char *name; /* NULL: outside */
	const char *text; /* of its keys, a line each */
	size_t size;
};

struct effect_key {
	const char *name, *value; /* not NUL-terminated */
	size_t name_length, value_length;
};

struct effect {
	char *text;
	struct effect_part global;
	struct effect_part *services; /* sorted by name, each once */
	size_t nservices;
	size_t nlines; /* at least as many as there are keys and services */
};

/* Reads the text behind a descriptor, from its start.  0, or -1 with errno and nothing to free;
 * EINVAL: it is no such text.  What is read has printable bytes only. */
int effect_read(int fd, struct effect *effect);
void effect_fini(struct effect *effect);

/* Takes the next key off the rest of a part; false at its end. */
bool effect_take_key(struct effect_part *rest, struct effect_key *key);

#endif
