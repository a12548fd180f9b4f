/* SPDX-License-Identifier: ISC */
/*
 * A plan while it grows: begatd puts everything into one buffer, and then seals a copy of it.
 *
 * Growing may move the buffer, so nobody keeps a pointer into it: structs are filled in elsewhere
 * and put last, when the offsets of what they refer to are known.  The gaps between are zero, so
 * that the same configuration gives the same bytes.
 */
#include "config.h"

#include "plan/buffer.h"

#include <string.h>

#include "base/mem.h"
#include "plan/plan.h"

#define PADDED(size) (((size) + 7) & ~(size_t)7)
#define BUFFER_MAX   (UINT32_MAX & ~(size_t)7) /* padded as well */

static bool has_room(struct buffer *buffer, size_t size)
{
	if (buffer->is_full || size > BUFFER_MAX - buffer->used) {
		buffer->is_full = true;
		return false;
	}
	if (buffer->used + PADDED(size) > buffer->room) {
		buffer->room = 2 * (buffer->used + PADDED(size));
		buffer->bytes = xreallocarray(buffer->bytes, 1, buffer->room);
	}
	return true;
}

uint32_t buffer_put(struct buffer *buffer, const void *bytes, size_t size)
{
	const size_t at = buffer->used;

	if (!has_room(buffer, size))
		return 0;
	memset(buffer->bytes + at, 0, PADDED(size));
	if (size)
		memcpy(buffer->bytes + at, bytes, size);
	buffer->used += PADDED(size);
	return (uint32_t)at;
}

uint32_t buffer_put_text(struct buffer *buffer, const char *text)
{
	return text ? buffer_put(buffer, text, strlen(text) + 1) : 0;
}

uint32_t buffer_put_vector(struct buffer *buffer, char *const *strings)
{
	uint32_t vector[1 + PLAN_VECTOR_MAX] = { 0 };

	if (strings == NULL)
		return 0;
	for (; strings[vector[0]] && vector[0] < PLAN_VECTOR_MAX; vector[0]++)
		vector[1 + vector[0]] = buffer_put_text(buffer, strings[vector[0]]);
	return buffer_put(buffer, vector, (1 + vector[0]) * sizeof(*vector));
}
