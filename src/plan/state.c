/* SPDX-License-Identifier: ISC */
/*
 * The state: made, filled in and mapped again.
 *
 * A master saves itself in one while clients wait, so all of its memory is there from the start:
 * filling it in cannot fail, and cannot raise SIGBUS.  Its size is sealed for the same reason.  Its
 * bytes are not, because a seal against writing does not go with a mapping that is written through:
 * state_map() is for a process whose writer is done.  Nobody goes by a state that state_map() has
 * not checked, and nothing in it is followed before it is checked.
 */
#include "config.h"

#include "plan/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memfd.h"
#include "plan/bounds.h"
#include "plan/layout.h"

#define STATE_MAGIC  "begatST" /* 8 bytes with its NUL */
#define STATE_SEALS  (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)

#define FIRST_FD     3 /* 0 to 2 are never handed over */
#define LAST_ENDING  2 /* of enum child_ending, which plan/ does not see */
#define PADDED(size) (((size) + 7) & ~(uint64_t)7)

static const struct state empty = {
	.magic = STATE_MAGIC,
	.stamp = PLAN_STAMP,
	.reports_fd = -1,
	.sources_fd = -1,
	.resolver_workers_fd = -1,
	.resolver_resolvers_fd = -1,
	.plan_fd = -1,
	.state_fd = -1,
	.back = { -1, -1, -1, -1, -1 },
};

/* Behind what is there already.  No sum of these overflows 64 bits. */
static uint32_t lay_array(uint64_t *used, size_t count, size_t each, uint32_t *offset)
{
	const uint32_t within = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;

	*offset = (uint32_t)*used;
	*used += PADDED((uint64_t)within * each);
	return within;
}

/* 0, or -1 when that is more than a state can be. */
static int lay_out(const struct state_room *room, struct state *head)
{
	uint64_t used = PADDED(sizeof(*head));

	head->nservices =
		lay_array(&used, room->services, sizeof(struct state_service), &head->services);
	head->nchildren =
		lay_array(&used, room->children, sizeof(struct state_child), &head->children);
	head->ndropped =
		lay_array(&used, room->dropped, sizeof(struct state_dropped), &head->dropped);
	head->nreceived = lay_array(&used, room->received, sizeof(int), &head->received);
	head->nspent = lay_array(&used, room->spent, sizeof(int), &head->spent);
	if (used > UINT32_MAX || room->text > UINT32_MAX - used)
		return -1;
	head->used = (uint32_t)used;
	head->size = (uint32_t)(used + room->text);
	return 0;
}

static void set_no_fds(struct state *state)
{
	struct state_service *services = state_services(state);
	struct state_child *children = state_children(state);
	struct state_dropped *dropped = state_dropped(state);
	int *received = state_received(state), *spent = state_spent(state);

	for (uint32_t i = 0; i < state->nservices; i++)
		services[i].stderr_reader = services[i].stderr_writer = -1;
	for (uint32_t i = 0; i < state->nchildren; i++)
		children[i].talk_fd = children[i].offered_fd = children[i].listener = -1;
	for (uint32_t i = 0; i < state->ndropped; i++)
		dropped[i].fd = -1;
	for (uint32_t i = 0; i < state->nreceived; i++)
		received[i] = -1;
	for (uint32_t i = 0; i < state->nspent; i++)
		spent[i] = -1;
}

/* With all of its memory, which ftruncate(2) would leave to the first write. */
static int set_size(int fd, uint32_t size)
{
	while (fallocate(fd, 0, 0, (off_t)size) < 0)
		if (errno != EINTR)
			return -1;
	return fcntl(fd, F_ADD_SEALS, STATE_SEALS);
}

static void *map_sized(int fd, uint32_t size)
{
	void *memory;

	if (set_size(fd, size) < 0)
		return NULL;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

struct state *state_new(const struct state_room *room, int *fd)
{
	struct state head = empty, *state;
	int own, error;

	errno = EOVERFLOW;
	if (lay_out(room, &head) < 0)
		return NULL;
	own = memfd_open("begat state");
	if (own < 0)
		return NULL;
	state = map_sized(own, head.size);
	if (state == NULL) {
		error = errno;
		(void)close(own); /* failing already */
		errno = error;
		return NULL;
	}
	*state = head;
	set_no_fds(state);
	*fd = own;
	return state;
}

static void *at(const struct state *state, uint32_t offset)
{
	return (char *)(uintptr_t)state + offset;
}

struct state_service *state_services(const struct state *state)
{
	return at(state, state->services);
}

struct state_child *state_children(const struct state *state)
{
	return at(state, state->children);
}

struct state_dropped *state_dropped(const struct state *state)
{
	return at(state, state->dropped);
}

int *state_received(const struct state *state)
{
	return at(state, state->received);
}

int *state_spent(const struct state *state)
{
	return at(state, state->spent);
}

const char *state_text(const struct state *state, uint32_t offset)
{
	return offset ? at(state, offset) : NULL;
}

uint32_t state_put_text(struct state *state, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;
	uint32_t offset = state->used;

	if (size == 0 || size > state->size - state->used)
		return 0;
	memcpy(at(state, offset), text, size);
	state->used += (uint32_t)size;
	return offset;
}

static bool is_fd(int fd)
{
	return fd == -1 || fd >= FIRST_FD;
}

static bool is_sound_service(const struct bounds *bounds, const struct state_service *service)
{
	return bounds_has_text(bounds, service->name) && service->plan >= -1 &&
	       bounds_is_duration(service->kill_grace_ms) && service->pause_due_ns >= 0 &&
	       service->rate_ns >= 0 && bounds_has_text_or_none(bounds, service->throttled_why) &&
	       is_fd(service->stderr_reader) && is_fd(service->stderr_writer);
}

static bool has_services(const struct bounds *bounds, const struct state *state)
{
	const struct state_service *services;

	if (!bounds_has_array(bounds, state->services, state->nservices, sizeof(*services)))
		return false;
	services = state_services(state);
	for (uint32_t i = 0; i < state->nservices; i++)
		if (!is_sound_service(bounds, &services[i]))
			return false;
	return true;
}

/* kill(2) takes 0, 1 and -1 to mean many: no child has such a number. */
static bool is_pid(pid_t pid)
{
	return pid > 1 && pid < BOUNDS_CHILDREN;
}

static bool is_sound_child(const struct state *state, const struct state_child *child)
{
	return is_pid(child->pid) && child->service < state->nservices &&
	       child->place < BOUNDS_CHILDREN && child->ending >= 0 &&
	       child->ending <= LAST_ENDING && child->started_ns >= 0 && child->due_ns >= 0 &&
	       is_fd(child->talk_fd) && is_fd(child->offered_fd) && child->role >= 0 &&
	       child->role <= STATE_KEEPER && child->listener >= -1 && child->refused >= 0 &&
	       child->refused < REFUSALS && bounds_is_bool(&child->lingers) &&
	       bounds_is_bool(&child->timed_out) && bounds_is_bool(&child->client_gone) &&
	       memchr(child->peer, '\0', sizeof(child->peer)) != NULL;
}

static bool has_children(const struct bounds *bounds, const struct state *state)
{
	const struct state_child *children;

	if (!bounds_has_array(bounds, state->children, state->nchildren, sizeof(*children)))
		return false;
	children = state_children(state);
	for (uint32_t i = 0; i < state->nchildren; i++)
		if (!is_sound_child(state, &children[i]))
			return false;
	return true;
}

static bool has_dropped(const struct bounds *bounds, const struct state *state)
{
	const struct state_dropped *dropped;

	if (!bounds_has_array(bounds, state->dropped, state->ndropped, sizeof(*dropped)))
		return false;
	dropped = state_dropped(state);
	for (uint32_t i = 0; i < state->ndropped; i++)
		if (!is_fd(dropped[i].fd) || !bounds_has_text(bounds, dropped[i].address) ||
		    !bounds_has_text_or_none(bounds, dropped[i].path))
			return false;
	return true;
}

static bool has_list(const struct bounds *bounds, uint32_t offset, uint32_t count)
{
	const int *list = (const void *)(bounds->base + offset);

	if (!bounds_has_array(bounds, offset, count, sizeof(*list)))
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!is_fd(list[i]))
			return false;
	return true;
}

static bool has_fds(const struct state *state)
{
	const struct state_back *back = &state->back;

	return is_fd(state->reports_fd) && is_fd(state->sources_fd) &&
	       is_fd(state->resolver_workers_fd) && is_fd(state->resolver_resolvers_fd) &&
	       is_fd(state->plan_fd) && is_fd(state->state_fd) && is_fd(back->master_fd) &&
	       is_fd(back->plan_fd) && is_fd(back->state_fd) && is_fd(back->begatd_fd) &&
	       is_fd(back->effective_fd);
}

static bool is_sound(const struct state *state)
{
	struct bounds bounds;

	bounds_init(&bounds, state, sizeof(*state), state->size);
	return state->used <= state->size && state->started_ns >= 0 &&
	       bounds_is_bool(&state->stopping) && bounds_is_bool(&state->reload_again) &&
	       bounds_is_bool(&state->begatd_gone) && has_fds(state) &&
	       bounds_has_text_or_none(&bounds, state->last_failure) &&
	       has_services(&bounds, state) && has_children(&bounds, state) &&
	       has_dropped(&bounds, state) &&
	       has_list(&bounds, state->received, state->nreceived) &&
	       has_list(&bounds, state->spent, state->nspent);
}

static int check(const struct state *state, size_t size)
{
	if (memcmp(state->magic, empty.magic, sizeof(state->magic)) != 0)
		return EINVAL;
	if (memcmp(state->stamp, empty.stamp, sizeof(state->stamp)) != 0)
		return ESTALE;
	return state->size == size && is_sound(state) ? 0 : EINVAL;
}

const struct state *state_map(int fd)
{
	const struct state *state;
	struct stat status;
	int error;

	if (fstat(fd, &status) < 0)
		return NULL;
	errno = EINVAL;
	if ((uint64_t)status.st_size < sizeof(*state) || (uint64_t)status.st_size > UINT32_MAX ||
	    !memfd_has_seals(fd, STATE_SEALS))
		return NULL;
	state = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		return NULL;
	error = check(state, (size_t)status.st_size);
	if (error == 0)
		return state;
	(void)munmap((void *)(uintptr_t)state, (size_t)status.st_size); /* failing already */
	errno = error;
	return NULL;
}

void state_unmap(const struct state *state)
{
	(void)munmap((void *)(uintptr_t)state, state->size); /* it is mapped */
}
