/* SPDX-License-Identifier: ISC */
/*
 * Fields of the JSON that a daemon has sent.  It may be of another version: what is missing or of
 * another type has a default, and none of these fails.  NULL is an object without fields.
 */
#ifndef FIELD_H
#define FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* 0 when it is not there. */
int64_t field_number(const json_t *object, const char *key);

bool field_flag(const json_t *object, const char *key);

/* A text as it may be shown on a terminal: escaped as by vis(3bsd), cut when it is very long.  ""
 * when it is not there. */
struct shown {
	char text[1024];
};
const char *field_show(const json_t *object, const char *key, struct shown *shown);
const char *text_show(const char *utf8, struct shown *shown);

/* Whether it is this very text. */
bool field_is(const json_t *object, const char *key, const char *text);

/* The sum of an object's numbers. */
int64_t field_sum(const json_t *object, const char *key);

#endif
