/* SPDX-License-Identifier: ISC */
/*
 * The descriptors that cross an exec.
 *
 * A descriptor that is lost in a reload takes its clients along, and one that leaks is there for
 * years.  So there is one list, made from what a plan and a state speak of: before an exec exactly
 * these lose their close-on-exec, and after it everything that is not in it is closed.
 */
#include "config.h"

#include "master/descriptors.h"

#include <stdlib.h>

#include "base/fd.h"

#define OF_PLAN	 4
#define OF_STATE 11

void descriptors_add(struct descriptors *list, int fd)
{
	if (fd >= 0)
		list->all[list->count++] = fd;
}

static void add_plan(struct descriptors *list, const struct plan *plan)
{
	descriptors_add(list, plan->global.pid_fd);
	descriptors_add(list, plan->global.begatd_fd);
	descriptors_add(list, plan->global.master_fd);
	descriptors_add(list, plan->global.effective_fd);
	for (size_t i = 0; i < plan->nlisteners; i++) {
		descriptors_add(list, plan_listener(plan, i)->fd);
		descriptors_add(list, plan_listener(plan, i)->sources_fd);
	}
	for (size_t i = 0; i < plan->nfds; i++)
		descriptors_add(list, plan_fds(plan)[i]);
}

static void add_state(struct descriptors *list, const struct state *state)
{
	descriptors_add(list, state->reports_fd);
	descriptors_add(list, state->sources_fd);
	descriptors_add(list, state->resolver_workers_fd);
	descriptors_add(list, state->resolver_resolvers_fd);
	descriptors_add(list, state->plan_fd);
	descriptors_add(list, state->state_fd);
	descriptors_add(list, state->back.master_fd);
	descriptors_add(list, state->back.plan_fd);
	descriptors_add(list, state->back.state_fd);
	descriptors_add(list, state->back.begatd_fd);
	descriptors_add(list, state->back.effective_fd);
	for (size_t i = 0; i < state->nservices; i++) {
		descriptors_add(list, state_services(state)[i].stderr_reader);
		descriptors_add(list, state_services(state)[i].stderr_writer);
	}
	for (size_t i = 0; i < state->nchildren; i++) {
		descriptors_add(list, state_children(state)[i].talk_fd);
		descriptors_add(list, state_children(state)[i].offered_fd);
	}
	for (size_t i = 0; i < state->ndropped; i++)
		descriptors_add(list, state_dropped(state)[i].fd);
	for (size_t i = 0; i < state->nspent; i++)
		descriptors_add(list, state_spent(state)[i]);
}

int descriptors_list(const struct plan *plan, const struct state *state, size_t more,
		     struct descriptors *list)
{
	size_t room = OF_PLAN + 2 * (size_t)plan->nlisteners + plan->nfds + more;

	if (state)
		room += OF_STATE + 2 * (size_t)state->nservices + 2 * (size_t)state->nchildren +
			state->ndropped + state->nspent;
	list->count = 0;
	list->all = calloc(room, sizeof(*list->all));
	if (list->all == NULL)
		return -1;
	add_plan(list, plan);
	if (state)
		add_state(list, state);
	return 0;
}

int descriptors_set_cloexec(const struct descriptors *list, bool on)
{
	int result = 0;

	for (size_t i = 0; i < list->count; i++)
		if (fd_set_cloexec(list->all[i], on) < 0)
			result = -1;
	return result;
}

void descriptors_fini(struct descriptors *list)
{
	free(list->all);
	*list = (struct descriptors){ NULL, 0 };
}
