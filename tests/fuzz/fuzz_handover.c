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
	.listener = { .fd = 80, .sources_fd = -1 },
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

static bool is_fd(int fd)
{
	return fd == -1 || fd > 2;
}

static void check_listener(const struct handover_listener *listener)
{
	require(listener->asked && listener->address && is_fd(listener->sources_fd));
	require((listener->fd == -1) == (strncmp(listener->asked, "fifo:", 5) == 0));
	require(is_fd(listener->fd));
}

static void check_child(const struct handover *handover, const struct state_child *child)
{
	require(child->pid > 1 && child->pid != handover->pid);
	require(child->service < handover->nservices && child->place < 4194304);
	require(is_fd(child->talk_fd) && is_fd(child->offered_fd));
	require(child->role >= 0 && child->role <= STATE_KEEPER);
	require(child->listener >= -1 && child->listener < (int64_t)handover->nlisteners);
	require(child->refused >= REFUSAL_NONE && child->refused < REFUSALS);
}

static void check(const struct handover *handover)
{
	require(handover->config_path && handover->begatd_path);
	require(handover->master_fd > 2 && handover->plan_fd > 2 && handover->state_fd > 2);
	require(is_fd(handover->sources_fd) && is_fd(handover->reports_fd));
	require((handover->pid_path == NULL) == (handover->pid_fd == -1));
	for (size_t i = 0; i < handover->nlisteners; i++)
		check_listener(&handover->listeners[i]);
	for (size_t i = 0; i < handover->nchildren; i++)
		check_child(handover, &handover->children[i]);
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
