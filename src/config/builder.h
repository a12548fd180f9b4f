/* SPDX-License-Identifier: ISC */
/* One service while it is made from its section and the defaults. */
#ifndef BUILDER_H
#define BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "config/loader.h"
#include "config/value.h"

struct builder {
	struct loader *loader;
	struct service *service;
	const struct section *own, *defaults; /* defaults may be NULL */
};

typedef int value_check(const char *text, char why[static VALUE_WHY]);

/* The setting of a key, or NULL: the service's own, that of the defaults, the one that holds. */
const struct setting *builder_own(const struct builder *builder, enum key key);
const struct setting *builder_default(const struct builder *builder, enum key key);
const struct setting *builder_find(const struct builder *builder, enum key key);

/* "file:line: key: why" */
void builder_complain(const struct builder *builder, const struct origin *at, enum key key,
		      const char *why);

/* Each reads a value when the key is set and right, and otherwise leaves what is there. */
void builder_number(const struct builder *builder, enum key key, long long max, /* from 1 */
		    long long *number);
void builder_integer(const struct builder *builder, enum key key, int min, int max, int *number);
void builder_size(const struct builder *builder, enum key key, long long max, /* from 1m */
		  int64_t *bytes);
void builder_duration(const struct builder *builder, enum key key, long long max, int64_t *ms);
void builder_rate(const struct builder *builder, enum key key, struct service_rate *rate);
void builder_bool(const struct builder *builder, enum key key, bool *yes);
void builder_mode(const struct builder *builder, enum key key, mode_t *mode);
void builder_text(const struct builder *builder, enum key key, value_check *check, char **text);
int builder_word(const struct builder *builder, enum key key, const char *const *words, int place);

/* A list of NAME or NAME=VALUE, no name twice; always a vector. */
void builder_names(const struct builder *builder, enum key key, size_t max, value_check *check,
		   char ***vector);

#endif
