/* SPDX-License-Identifier: ISC */
/*
 * States as a new master finds them.
 *
 * The bytes are taken as they are, and again with the magic, the stamp and the size of this build,
 * without which hardly any input gets further than the first comparison.  What is accepted must be
 * readable from one end to the other.
 */
#include "config.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/walk.h"
#include "plan/state.h"

#define SIZE_LIMIT (1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void take(const void *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	const struct state *state;

	require(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	require(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0);
	state = state_map(fd);
	if (state) {
		require(state->size == size);
		require(walk_state(state));
		state_unmap(state);
	}
	require(close(fd) == 0);
}

/* What state_new() of this build begins with. */
static void put_head(struct state *state, size_t size)
{
	const struct state_room none = { 0 };
	int fd;
	struct state *head = state_new(&none, &fd);

	require(head != NULL);
	memcpy(state, head, offsetof(struct state, size));
	state->size = (uint32_t)size;
	state_unmap(head);
	require(close(fd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state *state;

	if (size > SIZE_LIMIT)
		return 0;
	take(data, size);
	if (size < sizeof(*state))
		return 0;
	state = malloc(size);
	require(state != NULL);
	memcpy(state, data, size);
	put_head(state, size);
	take(state, size);
	free(state);
	return 0;
}
