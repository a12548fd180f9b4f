/* SPDX-License-Identifier: ISC */
/*
 * Whether a plan can be gone by: plan_is_sound().
 *
 * The master trusts its plan as it trusts its own code, and reads it without looking twice.  Before
 * a new one takes over, a process that may crash asks here: each offset, count and place, each bool
 * and enum, and each duration is one that the master's rooms can take.  What needs more than the
 * plan is not asked: whether the registry has a handler of that place, and whether descriptors are
 * open, which they are not yet when this is asked.  It must never follow anything that it has not
 * checked before.
 */
#include "config.h"

#include "plan/plan.h"

#include "plan/bounds.h"
#include "report/log.h"

static bool is_fd(int fd)
{
	return fd >= -1;
}

/* Of at least so many strings; none is as good as an empty one. */
static bool has_vector(const struct bounds *bounds, uint32_t offset, uint32_t least)
{
	const uint32_t *vector;

	if (offset == 0)
		return least == 0;
	if (!bounds_has_array(bounds, offset, 1, sizeof(*vector)))
		return false;
	vector = (const uint32_t *)(const void *)(bounds->base + offset);
	if (*vector < least || *vector > PLAN_VECTOR_MAX ||
	    !bounds_has_array(bounds, offset, 1 + *vector, sizeof(*vector)))
		return false;
	for (uint32_t i = 1; i <= *vector; i++)
		if (!bounds_has_text(bounds, vector[i]))
			return false;
	return true;
}

static bool has_values(const struct bounds *bounds, const struct plan_service *service)
{
	const struct plan_value *values;

	if (!bounds_has_array(bounds, service->values, service->nvalues, sizeof(*values)))
		return false;
	values = (const void *)(bounds->base + service->values);
	for (uint32_t i = 0; i < service->nvalues; i++)
		if (!bounds_has_text(bounds, values[i].name) ||
		    !bounds_has_text_or_none(bounds, values[i].string) ||
		    !has_vector(bounds, values[i].argv, 0))
			return false;
	return true;
}

/* In ascending order, as getgroups(2) gives them to the worker that compares. */
static bool has_groups(const struct bounds *bounds, const struct plan_service *service)
{
	const gid_t *groups;

	if (service->ngroups > PLAN_GROUPS_MAX ||
	    !bounds_has_array(bounds, service->groups, service->ngroups, sizeof(*groups)))
		return false;
	groups = (const void *)(bounds->base + service->groups);
	for (uint32_t i = 1; i < service->ngroups; i++)
		if (groups[i] < groups[i - 1])
			return false;
	return true;
}

/* A handler with its options, or a program with its arguments. */
static bool has_what(const struct bounds *bounds, const struct plan_service *service)
{
	const bool is_program = service->handler == -1;

	return service->handler >= -1 && has_values(bounds, service) &&
	       (!is_program || service->path != 0) &&
	       bounds_has_text_or_none(bounds, service->path) &&
	       has_vector(bounds, service->argv, is_program) && has_vector(bounds, service->env, 0);
}

static bool has_limits(const struct plan_service *service)
{
	return service->first_byte_ms >= 0 && service->idle_ms >= 0 &&
	       bounds_is_duration(service->max_time_ms) &&
	       bounds_is_duration(service->kill_grace_ms);
}

static bool is_sound_service(const struct bounds *bounds, const struct plan_service *service)
{
	return bounds_has_text(bounds, service->name) &&
	       bounds_has_text_or_none(bounds, service->banner) &&
	       bounds_has_text_or_none(bounds, service->directory) && has_what(bounds, service) &&
	       has_groups(bounds, service) && has_limits(service) &&
	       bounds_is_bool(&service->set_identity) &&
	       bounds_is_bool(&service->no_new_privileges) && bounds_is_bool(&service->crlf) &&
	       (unsigned)service->stderr_to <= PLAN_STDERR_NULL;
}

static bool has_services(const struct bounds *bounds, const struct plan *plan)
{
	if (!bounds_has_array(bounds, plan->services, plan->nservices, sizeof(struct plan_service)))
		return false;
	for (uint32_t i = 0; i < plan->nservices; i++)
		if (!is_sound_service(bounds, plan_service(plan, i)))
			return false;
	return true;
}

static bool is_sound_listener(const struct bounds *bounds, const struct plan_listener *listener)
{
	return is_fd(listener->fd) && bounds_has_text(bounds, listener->asked) &&
	       bounds_has_text(bounds, listener->address) &&
	       bounds_has_text_or_none(bounds, listener->path) &&
	       bounds_is_bool(&listener->internet) && bounds_is_bool(&listener->added) &&
	       bounds_is_bool(&listener->changed);
}

static bool has_listeners(const struct bounds *bounds, const struct plan *plan)
{
	const struct plan_listener *listener;

	if (!bounds_has_array(bounds, plan->listeners, plan->nlisteners, sizeof(*listener)))
		return false;
	for (uint32_t i = 0; i < plan->nlisteners; i++) {
		listener = plan_listener(plan, i);
		if (listener->service >= plan->nservices || !is_sound_listener(bounds, listener))
			return false;
	}
	return true;
}

static bool has_log(const struct bounds *bounds, const struct plan_global *global)
{
	return global->log_level >= LOG_EMERG && global->log_level <= LOG_DEBUG &&
	       global->log_sink >= LOG_SINK_STDERR && global->log_sink <= LOG_SINK_FILE &&
	       bounds_has_text_or_none(bounds, global->debug_topics) &&
	       bounds_has_text_or_none(bounds, global->log_file) &&
	       (global->log_sink != LOG_SINK_FILE || global->log_file != 0);
}

static bool has_fds(const struct plan_global *global)
{
	return is_fd(global->pid_fd) && is_fd(global->begatd_fd) && is_fd(global->master_fd) &&
	       is_fd(global->effective_fd) && is_fd(global->ready_fd);
}

static bool is_sound_global(const struct bounds *bounds, const struct plan_global *global)
{
	return has_fds(global) && has_log(bounds, global) &&
	       bounds_has_text_or_none(bounds, global->pid_path) &&
	       bounds_has_text(bounds, global->config_path) &&
	       bounds_has_text_or_none(bounds, global->begatd_path) &&
	       has_vector(bounds, global->argv, 0) && global->instances <= BOUNDS_CHILDREN &&
	       bounds_is_duration(global->stop_timeout_ms) &&
	       bounds_is_duration(global->reload_timeout_ms) && bounds_is_bool(&global->detached) &&
	       bounds_is_bool(&global->has_terminal) && bounds_is_bool(&global->restore_nofile);
}

bool plan_is_sound(const struct plan *plan)
{
	struct bounds bounds;

	if (plan->size < sizeof(*plan))
		return false;
	bounds_init(&bounds, plan, sizeof(*plan), plan->size);
	return is_sound_global(&bounds, &plan->global) && has_services(&bounds, plan) &&
	       has_listeners(&bounds, plan);
}
