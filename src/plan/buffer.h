/* SPDX-License-Identifier: ISC */
/* A plan while it grows.  What is put into it is known by its offset from then on. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: empty.  Whoever owns it frees its bytes. */
struct buffer {
	char *bytes;
	size_t used, room;
	bool is_full; /* something did not fit into what 32 bits can tell: it is of no use any more
		       */
};

/* Each returns the offset, which is a multiple of eight; 0 when it is full. */
uint32_t buffer_put(struct buffer *buffer, const void *bytes, size_t size);

/* These take NULL too, which is none: 0.  Of a vector, the first PLAN_VECTOR_MAX strings. */
uint32_t buffer_put_text(struct buffer *buffer, const char *text);
uint32_t buffer_put_vector(struct buffer *buffer, char *const *strings);

#endif
