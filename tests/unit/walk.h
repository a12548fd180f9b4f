/* SPDX-License-Identifier: ISC */
/*
 * Reads all of a state as its users do, and asks of each part, by other means than the code under
 * test, whether it lies inside.  Used by the unit test and by the fuzz target.
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <string.h>

#include "plan/state.h"

/* strnlen(3) where the code under test looks for the last NUL. */
static inline bool walk_text(const struct state *state, uint32_t offset)
{
	size_t most = state->size - offset;

	return offset < state->size && strnlen(state_text(state, offset), most) < most;
}

static inline bool walk_array(const struct state *state, const void *array, uint32_t count,
			      size_t each)
{
	const char *end = (const char *)state + state->size;

	return (const char *)array <= end &&
	       (uint64_t)count * each <= (uint64_t)(end - (const char *)array);
}

static inline bool walk_services(const struct state *state)
{
	const struct state_service *services = state_services(state);

	if (!walk_array(state, services, state->nservices, sizeof(*services)))
		return false;
	for (uint32_t i = 0; i < state->nservices; i++)
		if (!walk_text(state, services[i].name) || services[i].plan < -1 ||
		    services[i].rate_ns < 0 ||
		    (services[i].throttled_why && !walk_text(state, services[i].throttled_why)))
			return false;
	return true;
}

static inline bool walk_child(const struct state *state, const struct state_child *child)
{
	bool flags = child->timed_out | child->client_gone; /* a sanitizer looks at both */

	return child->pid > 1 && child->service < state->nservices && child->place < 1 << 22 &&
	       child->ending >= 0 && child->ending < 3 && child->talk_fd >= -1 &&
	       child->offered_fd >= -1 && child->role >= 0 && child->role < 4 &&
	       child->listener >= -1 && child->refused >= REFUSAL_NONE &&
	       child->refused <= REFUSAL_PAUSED &&
	       strnlen(child->peer, sizeof(child->peer)) < sizeof(child->peer) && (flags || !flags);
}

static inline bool walk_children(const struct state *state)
{
	const struct state_child *children = state_children(state);

	if (!walk_array(state, children, state->nchildren, sizeof(*children)))
		return false;
	for (uint32_t i = 0; i < state->nchildren; i++)
		if (!walk_child(state, &children[i]))
			return false;
	return true;
}

static inline bool walk_list(const struct state *state, const int *list, uint32_t count)
{
	if (!walk_array(state, list, count, sizeof(*list)))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (list[i] < -1)
			return false;
	return true;
}

static inline bool walk_descriptors(const struct state *state)
{
	const struct state_dropped *dropped = state_dropped(state);

	if (!walk_array(state, dropped, state->ndropped, sizeof(*dropped)))
		return false;
	for (uint32_t i = 0; i < state->ndropped; i++)
		if (dropped[i].fd < -1 || !walk_text(state, dropped[i].address) ||
		    (dropped[i].path && !walk_text(state, dropped[i].path)))
			return false;
	return walk_list(state, state_received(state), state->nreceived) &&
	       walk_list(state, state_spent(state), state->nspent);
}

static inline bool walk_state(const struct state *state)
{
	return (state->reload_again || !state->reload_again) && walk_services(state) &&
	       walk_children(state) && walk_descriptors(state) &&
	       (!state->last_failure || walk_text(state, state->last_failure));
}

#endif
