/* SPDX-License-Identifier: ISC */
/*
 * Values out of a JSON document, each with its check.  The first mistake is kept as one line that
 * says where it is; after it everything reads on with defaults, so that nobody has to ask before
 * the end.
 */
#ifndef READER_H
#define READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t; /* jansson's */

#define READER_ERROR 256

/* Numbers, by which something is known, that have been read already. */
struct reader_seen {
	uint64_t *words;
};

#define READER_SEEN 4194304 /* they are all below this */

struct reader {
	char *error; /* READER_ERROR bytes */
	bool failed;
	const char *list;  /* the one that we are in; NULL: none */
	size_t index;	   /* in it */
	const char *group; /* the object that we are in, in there; NULL: none */
	struct reader_seen fds;
};

/* What a number may be; and what it is when it is not there, unless it must be. */
struct range {
	int64_t least, most, missing;
	bool required;
};

/* The same error for all.  key is "" for an element, which has none. */
void reader_complain(struct reader *in, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A document of an object.  NULL with a complaint; the caller frees it with json_decref(). */
struct json_t *reader_parse(struct reader *in, const char *bytes, size_t size);

/* 0, or -1 with a complaint.  The caller calls fini in both cases. */
int reader_seen_init(struct reader *in, struct reader_seen *seen);
void reader_seen_fini(struct reader_seen *seen);

/* A value that somebody else has found; NULL: it is not there. */
int64_t reader_read_number(struct reader *in, const char *key, const struct json_t *value,
			   const struct range *range);
bool reader_read_flag(struct reader *in, const char *key, const struct json_t *value);
void reader_read_text(struct reader *in, const char *key, const struct json_t *value, char *text,
		      size_t size);

/* Complains when the same number has been read before.  Takes what was read without a complaint. */
void reader_add(struct reader *in, const char *key, int64_t number, struct reader_seen *seen);

/* A value of an object; when that is NULL, or no object, the value is not there. */
int64_t reader_number(struct reader *in, const struct json_t *object, const char *key,
		      const struct range *range);
bool reader_flag(struct reader *in, const struct json_t *object, const char *key);

/* Descriptors from 3 on, no two of which may be the same in a document; -1: it is not there. */
int reader_fd(struct reader *in, const struct json_t *object, const char *key);
int reader_required_fd(struct reader *in, const struct json_t *object, const char *key);

/* From 0 to UINT64_MAX: what an integer does not hold comes as decimal text.  0: it is not there.
 */
uint64_t reader_unsigned(struct reader *in, const struct json_t *object, const char *key);

/* A resource limit: null stands for RLIM_INFINITY.  It must be there. */
uint64_t reader_limit(struct reader *in, const struct json_t *object, const char *key);

/* The caller frees it.  NULL: it is not there. */
char *reader_text(struct reader *in, const struct json_t *object, const char *key);
char *reader_required_text(struct reader *in, const struct json_t *object, const char *key);

/* Enters an object inside another, for the messages, and returns it; leaves it again. */
const struct json_t *reader_enter(struct reader *in, const struct json_t *object, const char *key);
void reader_leave(struct reader *in);

/* A table for what a list that must be there holds: zeroed, with the number of its elements, and
 * for the caller to free.  NULL with a count of 0 when there is none. */
void *reader_table(struct reader *in, const struct json_t *root, const char *key, size_t size,
		   size_t *count);

#endif
