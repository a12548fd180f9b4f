/* SPDX-License-Identifier: ISC */
/* Whether what stands in a plan or in a state lies within it.  Every question can be asked of any
 * bytes: nothing outside the bounds is looked at, and no sum overflows. */
#ifndef BOUNDS_H
#define BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOUNDS_CHILDREN 4194304 /* more processes there cannot be: pid_max of proc(5) */

struct bounds {
	const char *base;
	uint32_t from;	    /* where the header ends: nothing begins before it */
	uint32_t size;	    /* bytes, the header included */
	uint32_t texts_end; /* just behind the last NUL: what begins before it ends inside */
};

/* base is aligned for any type, and header is at most size. */
void bounds_init(struct bounds *bounds, const void *base, size_t header, uint32_t size);

/* An array of count elements of so many bytes each; an empty one may be anywhere inside, or 0. */
bool bounds_has_array(const struct bounds *bounds, uint32_t offset, uint32_t count, size_t each);

/* A text with its NUL; the second takes 0, which is none, too. */
bool bounds_has_text(const struct bounds *bounds, uint32_t offset);
bool bounds_has_text_or_none(const struct bounds *bounds, uint32_t offset);

/* Whether a bool is one: reading any other byte as a bool has no defined result. */
bool bounds_is_bool(const bool *value);

/* Whether a duration can be added to a clock in nanoseconds. */
bool bounds_is_duration(int64_t ms);

#endif
