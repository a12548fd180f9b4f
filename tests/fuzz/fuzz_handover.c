/* SPDX-License-Identifier: ISC */
/*
 * The state of another master, as JSON.
 *
 * What is accepted must name nobody but single processes and descriptors that are handed over, and
 * must make a state that the next master takes.  What is refused has its reason, in one line.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plan/handover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A service and a listener that the corpus has too. */
static const struct {
	struct plan plan;
	struct plan_service service;
	struct plan_listener listener;
	char name[8];
} next = {
	.plan = {
		.size = sizeof(next),
		.services = sizeof(struct plan),
		.nservices = 1,
		.listeners = sizeof(struct plan) + sizeof(struct plan_service),
		.nlisteners = 1,
	},
	.service = { .name = sizeof(next) - sizeof(next.name), .kill_grace_ms = 5000 },
	.listener = { .fd = 80 },
	.name = "daytime",
};

_Static_assert(sizeof(next) == sizeof(next.plan) + sizeof(next.service) + sizeof(next.listener) +
				       sizeof(next.name),
	       "the offsets in it are right");

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct handover *handover)
{
	require(handover->config_path && handover->begatd_path);
	require(handover->master_fd > 2 && handover->plan_fd > 2 && handover->state_fd > 2);
	require(handover->sources_fd == -1 || handover->sources_fd > 2);
	require((handover->pid_path == NULL) == (handover->pid_fd == -1));
	for (size_t i = 0; i < handover->nlisteners; i++)
		require(handover->listeners[i].fd > 2 && handover->listeners[i].asked);
	for (size_t i = 0; i < handover->nchildren; i++) {
		require(handover->children[i].pid > 1);
		require(handover->children[i].pid != handover->pid);
		require(handover->children[i].service < handover->nservices);
		require(handover->children[i].place < 4194304);
		require(handover->children[i].talk_fd == -1 || handover->children[i].talk_fd > 2);
		require(handover->children[i].refused >= REFUSAL_NONE &&
			handover->children[i].refused < REFUSALS);
	}
}

static bool is_unchanged(const char *service, const void *length)
{
	return strlen(service) > *(const size_t *)length;
}

static void make_state(const struct handover *handover)
{
	const struct state_summary summary = { 0 };
	const size_t length = 3;
	int fd = handover_make_state(handover, &next.plan, &summary, is_unchanged, &length);
	const struct state *state = state_map(fd);

	require(state != NULL);
	require(state->nchildren == handover->nchildren);
	require(state->generation == handover->generation + 1);
	require(state->nservices >= 1 && state_services(state)[0].plan == 0);
	state_unmap(state);
	close(fd);
}

static int save(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = save(data, size);
	char error[256] = "";
	struct handover *handover = handover_read(fd, error);

	close(fd);
	if (handover) {
		require(error[0] == '\0');
		check(handover);
		make_state(handover);
	} else {
		require(error[0] != '\0' && strchr(error, '\n') == NULL);
	}
	handover_free(handover);
	return 0;
}
