/* SPDX-License-Identifier: ISC */
/* A JSON document that is written piece by piece.  Allocates: not for a master. */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "plan/state.h"

struct source; /* admit/source.h */

struct document_table {
	const struct source *sources;
	size_t count; /* from 1 */
};

struct document {
	const struct plan *plan;
	const struct state *state;
	uint32_t *active;	       /* live children by service */
	struct document_table *tables; /* of sources, where they are looked at; to be freed */
	size_t ntables;
	char *bytes; /* to be freed */
	size_t used, room;
	bool failed; /* memory; whatever comes after it changes nothing */
};

/* Puts a value, which is taken over, into an object or a list. */
void document_set(struct document *document, json_t *object, const char *key, json_t *value);
void document_add(struct document *document, json_t *array, json_t *value);

/* The same with a value that is made here.  Left out are a text that is NULL, a number that is
 * nothing, and an object without keys. */
void document_set_text(struct document *document, json_t *object, const char *key,
		       const char *text);
void document_set_number(struct document *document, json_t *object, const char *key,
			 int64_t number);
void document_set_unsigned(struct document *document, json_t *object, const char *key,
			   uint64_t number);
void document_set_unless(struct document *document, json_t *object, const char *key, int64_t number,
			 int64_t nothing);
void document_set_unless_empty(struct document *document, json_t *object, const char *key,
			       json_t *value);

/* Any bytes, as Latin-1; a number that an integer of JSON may not hold, as text then. */
json_t *document_make_text(const char *bytes);
json_t *document_make_unsigned(uint64_t number);

/* Puts text, or a value that is taken over, behind what is there already. */
void document_put(struct document *document, const char *text);
void document_put_value(struct document *document, json_t *value, size_t flags);

/* A list behind its opening, with a line for each element.  An element that is NULL is left out. */
typedef json_t *document_element(struct document *document, size_t index);
void document_put_list(struct document *document, const char *opening, size_t count,
		       document_element *make);

#endif
