/* SPDX-License-Identifier: ISC */
/*
 * The bounds of something flat, a plan or a state: what plan/sound.c and plan/state.c judge by.
 *
 * Texts are not read to see where they end.  The last NUL is looked for once; every text that
 * begins before it has an end inside, so that each of them costs one comparison, and a text that is
 * referred to a million times costs no more than one that is referred to once.
 */
#include "config.h"

#include "plan/bounds.h"

#include <string.h>

#include "base/clock.h"

#define ALIGNMENT 8 /* of all arrays, whatever their elements */

void bounds_init(struct bounds *bounds, const void *base, size_t header, uint32_t size)
{
	const char *last = memrchr((const char *)base + header, '\0', size - header);

	*bounds = (struct bounds){
		.base = base,
		.from = (uint32_t)header,
		.size = size,
		.texts_end = last ? (uint32_t)(last - (const char *)base) + 1 : 0,
	};
}

bool bounds_has_array(const struct bounds *bounds, uint32_t offset, uint32_t count, size_t each)
{
	if (offset % ALIGNMENT != 0 || offset > bounds->size)
		return false;
	return count == 0 || (offset >= bounds->from && count <= (bounds->size - offset) / each);
}

bool bounds_has_text(const struct bounds *bounds, uint32_t offset)
{
	return offset >= bounds->from && offset < bounds->texts_end;
}

bool bounds_has_text_or_none(const struct bounds *bounds, uint32_t offset)
{
	return offset == 0 || bounds_has_text(bounds, offset);
}

bool bounds_is_bool(const bool *value)
{
	unsigned char byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

bool bounds_is_duration(int64_t ms)
{
	return ms >= 0 && ms <= INT64_MAX / NS_IN_MS / 2;
}
