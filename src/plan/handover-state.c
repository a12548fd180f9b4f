/* SPDX-License-Identifier: ISC */
/*
 * From what the old master knew and the new plan to the state of the new master.
 *
 * Services are known by their names.  Those of the plan come first and in its order, so that the
 * place in the plan is the place in the state; then those that the plan does not have any more, but
 * whose workers or whose pipe to the log are still there: until the new master stands, nothing may
 * be closed that the old one would need.  All that a state can hold is counted before it is made.
 * Nothing here is decided by anything but the two: the preflight has done that.
 */
#include "config.h"

#include "plan/handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOWHERE UINT32_MAX

struct maker {
	const struct handover *old;
	const struct plan *plan;
	const struct handover_service **by_name; /* the old services, sorted */
	uint32_t *places;			 /* of the old services among the new; NOWHERE */
	size_t nservices;			 /* the new */
	int *fds;				 /* of the plan's listeners, two each, sorted */
	struct state_room room;
};

static int compare_names(const void *a, const void *b)
{
	const struct handover_service *const *first = a, *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

static int compare_fds(const void *a, const void *b)
{
	const int *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

static const char *planned_name(const struct plan *plan, size_t index)
{
	return plan_text(plan, plan_service(plan, index)->name);
}

static const struct handover_service *find_old(const struct maker *maker, const char *name)
{
	const struct handover_service key = { .name = (char *)(uintptr_t)name }, *wanted = &key;
	const struct handover_service **found =
		bsearch(&wanted, maker->by_name, maker->old->nservices, sizeof(*maker->by_name),
			compare_names);

	return found ? *found : NULL;
}

/* Whether the plan goes without this descriptor of an old listener; -1 is none. */
static bool is_left(const struct maker *maker, int fd)
{
	return fd >= 0 && bsearch(&fd, maker->fds, 2 * (size_t)maker->plan->nlisteners, sizeof(fd),
				  compare_fds) == NULL;
}

static int maker_init(struct maker *maker)
{
	const struct handover *old = maker->old;
	const struct plan *plan = maker->plan;

	maker->by_name = calloc(old->nservices + 1, sizeof(*maker->by_name));
	maker->places = calloc(old->nservices + 1, sizeof(*maker->places));
	maker->fds = calloc(2 * (size_t)plan->nlisteners + 1, sizeof(*maker->fds));
	if (maker->by_name == NULL || maker->places == NULL || maker->fds == NULL)
		return -1;
	for (size_t i = 0; i < old->nservices; i++) {
		maker->by_name[i] = &old->services[i];
		maker->places[i] = NOWHERE;
	}
	for (size_t i = 0; i < plan->nlisteners; i++) {
		maker->fds[2 * i] = plan_listener(plan, i)->fd;
		maker->fds[2 * i + 1] = plan_listener(plan, i)->sources_fd;
	}
	qsort(maker->by_name, old->nservices, sizeof(*maker->by_name), compare_names);
	qsort(maker->fds, 2 * (size_t)plan->nlisteners, sizeof(*maker->fds), compare_fds);
	return 0;
}

static void maker_fini(struct maker *maker)
{
	free(maker->by_name);
	free(maker->places);
	free(maker->fds);
}

static void place_left(struct maker *maker, size_t index)
{
	if (maker->places[index] == NOWHERE)
		maker->places[index] = (uint32_t)maker->nservices++;
}

static void place_services(struct maker *maker)
{
	const struct handover *old = maker->old;
	const struct handover_service *service;

	for (maker->nservices = 0; maker->nservices < maker->plan->nservices; maker->nservices++) {
		service = find_old(maker, planned_name(maker->plan, maker->nservices));
		if (service)
			maker->places[service - old->services] = (uint32_t)maker->nservices;
	}
	for (size_t i = 0; i < old->nchildren; i++)
		place_left(maker, old->children[i].service);
	for (size_t i = 0; i < old->nservices; i++)
		if (old->services[i].state.stderr_reader >= 0)
			place_left(maker, i);
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static void measure(struct maker *maker)
{
	const struct handover *old = maker->old;
	struct state_room *room = &maker->room;

	room->services = maker->nservices;
	room->children = old->nchildren;
	room->spent = old->ncages;
	room->text = text_size(old->last_failure);
	for (size_t i = 0; i < maker->plan->nservices; i++)
		room->text += text_size(planned_name(maker->plan, i));
	for (size_t i = 0; i < old->nservices; i++) {
		room->text += text_size(old->services[i].throttled_why);
		if (maker->places[i] != NOWHERE && maker->places[i] >= maker->plan->nservices)
			room->text += text_size(old->services[i].name);
	}
	for (size_t i = 0; i < old->nlisteners; i++) {
		room->spent += is_left(maker, old->listeners[i].sources_fd);
		if (!is_left(maker, old->listeners[i].fd))
			continue;
		room->dropped++;
		room->text += text_size(old->listeners[i].address);
		room->text += text_size(old->listeners[i].path);
	}
}

static void put_planned(const struct maker *maker, struct state *state)
{
	for (size_t i = 0; i < maker->plan->nservices; i++) {
		struct state_service *service = &state_services(state)[i];

		service->name = state_put_text(state, planned_name(maker->plan, i));
		service->plan = (int32_t)i;
		service->kill_grace_ms = plan_service(maker->plan, i)->kill_grace_ms;
	}
}

static void put_old_services(const struct maker *maker, struct state *state)
{
	for (size_t i = 0; i < maker->old->nservices; i++) {
		const struct handover_service *old = &maker->old->services[i];
		struct state_service *service;

		if (maker->places[i] == NOWHERE)
			continue;
		service = &state_services(state)[maker->places[i]];
		service->stats = old->state.stats;
		service->stderr_reader = old->state.stderr_reader;
		service->stderr_writer = old->state.stderr_writer;
		service->rate_ns = old->state.rate_ns;
		if (maker->places[i] < maker->plan->nservices)
			continue;
		service->name = state_put_text(state, old->name);
		service->plan = -1;
		service->kill_grace_ms = old->state.kill_grace_ms;
	}
}

static void put_throttles(const struct maker *maker, struct state *state,
			  handover_is_unchanged *is_unchanged, const void *context)
{
	for (size_t i = 0; i < maker->old->nservices; i++) {
		const struct handover_service *old = &maker->old->services[i];
		struct state_service *service;

		if (maker->places[i] >= maker->plan->nservices || !is_unchanged(old->name, context))
			continue;
		service = &state_services(state)[maker->places[i]];
		service->bad = old->state.bad;
		service->pause_s = old->state.pause_s;
		service->pause_due_ns = old->state.pause_due_ns;
		service->throttled_why = state_put_text(state, old->throttled_why);
	}
}

/* The place in the new plan of an old listener; -1: it is gone.  Of a FIFO there is no descriptor.
 */
static int32_t find_listener(const struct maker *maker, int32_t place)
{
	const struct handover_listener *old = place < 0 ? NULL : &maker->old->listeners[place];

	for (size_t i = 0; old && i < maker->plan->nlisteners; i++) {
		const struct plan_listener *listener = plan_listener(maker->plan, i);

		if (listener->fd == old->fd &&
		    (old->fd >= 0 ||
		     strcmp(plan_text(maker->plan, listener->asked), old->asked) == 0))
			return (int32_t)i;
	}
	return -1;
}

static void put_children(const struct maker *maker, struct state *state)
{
	struct state_child *children = state_children(state);

	for (size_t i = 0; i < maker->old->nchildren; i++) {
		children[i] = maker->old->children[i];
		children[i].service = maker->places[children[i].service];
		children[i].listener = find_listener(maker, children[i].listener);
	}
}

static void put_dropped(const struct maker *maker, struct state *state)
{
	struct state_dropped *dropped = state_dropped(state);

	for (size_t i = 0; i < maker->old->nlisteners; i++) {
		const struct handover_listener *old = &maker->old->listeners[i];

		if (!is_left(maker, old->fd))
			continue;
		*dropped++ = (struct state_dropped){
			.fd = old->fd,
			.address = state_put_text(state, old->address),
			.path = state_put_text(state, old->path),
			.device = old->device,
			.inode = old->inode,
		};
	}
}

/* What is needed to go back.  A descriptor that is only to be closed is not there when the plan
 * goes on with it. */
static struct state_back make_back(const struct handover *old, const struct plan_global *global)
{
	const bool keeps_begatd = old->begatd_fd == global->begatd_fd;
	const bool keeps_effective = old->effective_fd == global->effective_fd;

	return (struct state_back){
		.master_fd = old->master_fd,
		.plan_fd = old->plan_fd,
		.state_fd = old->state_fd,
		.begatd_fd = keeps_begatd ? -1 : old->begatd_fd,
		.effective_fd = keeps_effective ? -1 : old->effective_fd,
	};
}

/* Descriptors of cages, whose successors have come with the new plan, and of tables of sources. */
static void put_spent(const struct maker *maker, struct state *state)
{
	const struct handover *old = maker->old;
	int *spent = state_spent(state);

	for (size_t i = 0; i < old->ncages; i++)
		*spent++ = old->cages[i];
	for (size_t i = 0; i < old->nlisteners; i++)
		if (is_left(maker, old->listeners[i].sources_fd))
			*spent++ = old->listeners[i].sources_fd;
}

static void put_head(const struct maker *maker, const struct state_summary *summary,
		     struct state *state)
{
	const struct handover *old = maker->old;

	state->generation = old->generation + 1;
	state->reload_again = old->reload_again;
	state->summary = *summary;
	state->started_ns = old->started_ns;
	state->started_s = old->started_s;
	state->log_dropped = old->log_dropped;
	state->reloads = old->reloads;
	state->reloads.succeeded++;
	state->reloads.last_s = time(NULL);
	state->last_failure = state_put_text(state, old->last_failure);
	state->reports_fd = old->reports_fd;
	state->sources_fd = old->sources_fd;
	state->resolver_workers_fd = old->resolver_workers_fd;
	state->resolver_resolvers_fd = old->resolver_resolvers_fd;
	state->back = make_back(old, &maker->plan->global);
}

int handover_make_state(const struct handover *handover, const struct plan *plan,
			const struct state_summary *summary, handover_is_unchanged *is_unchanged,
			const void *context)
{
	struct maker maker = { .old = handover, .plan = plan };
	struct state *state = NULL;
	int fd = -1;

	if (maker_init(&maker) == 0) {
		place_services(&maker);
		measure(&maker);
		state = state_new(&maker.room, &fd);
	}
	if (state) {
		put_head(&maker, summary, state);
		put_planned(&maker, state);
		put_old_services(&maker, state);
		put_throttles(&maker, state, is_unchanged, context);
		put_children(&maker, state);
		put_dropped(&maker, state);
		put_spent(&maker, state);
		state_unmap(state);
	}
	maker_fini(&maker);
	return fd;
}
