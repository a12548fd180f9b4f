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

#include <linux/filter.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "plan/bounds.h"
#include "report/log.h"

#define SOURCES_MAX  16777216
#define WEEK_MINUTES 10080
#define REPLY_MAX    65507 /* bytes: what fits into a datagram */
#define REPLY_FACTOR 1000

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

/* Who may come: what the arrays promise is what a look-up goes by. */

static bool has_spans4(const struct bounds *bounds, const struct plan_access *access)
{
	const struct plan_span4 *spans;

	if (access->nspans4 == 0 ||
	    !bounds_has_array(bounds, access->spans4, access->nspans4, sizeof(*spans)))
		return false;
	spans = (const void *)(bounds->base + access->spans4);
	for (uint32_t i = 1; i < access->nspans4; i++)
		if (spans[i].first <= spans[i - 1].first)
			return false;
	return spans[0].first == 0;
}

static bool has_spans6(const struct bounds *bounds, const struct plan_access *access)
{
	const struct plan_span6 *spans;

	if (access->nspans6 == 0 ||
	    !bounds_has_array(bounds, access->spans6, access->nspans6, sizeof(*spans)))
		return false;
	spans = (const void *)(bounds->base + access->spans6);
	for (uint32_t i = 1; i < access->nspans6; i++)
		if (spans[i].high < spans[i - 1].high ||
		    (spans[i].high == spans[i - 1].high && spans[i].low <= spans[i - 1].low))
			return false;
	return spans[0].high == 0 && spans[0].low == 0;
}

static bool has_ids(const struct bounds *bounds, uint32_t offset, uint32_t count)
{
	const struct plan_id *ids;

	if (!bounds_has_array(bounds, offset, count, sizeof(*ids)))
		return false;
	ids = (const void *)(bounds->base + offset);
	for (uint32_t i = 1; i < count; i++)
		if (ids[i].id <= ids[i - 1].id)
			return false;
	return true;
}

static bool has_access_or_none(const struct bounds *bounds, uint32_t offset)
{
	const struct plan_access *access = (const void *)(bounds->base + offset);

	return offset == 0 || (bounds_has_array(bounds, offset, 1, sizeof(*access)) &&
			       has_spans4(bounds, access) && has_spans6(bounds, access) &&
			       has_ids(bounds, access->users, access->nusers) &&
			       has_ids(bounds, access->groups, access->ngroups) &&
			       bounds_is_bool(&access->others_allowed));
}

static bool has_times(const struct bounds *bounds, const struct plan_admission *admission)
{
	const struct plan_time *times;

	if (!bounds_has_array(bounds, admission->times, admission->ntimes, sizeof(*times)))
		return false;
	times = (const void *)(bounds->base + admission->times);
	for (uint32_t i = 0; i < admission->ntimes; i++)
		if (times[i].from >= times[i].to || times[i].to > WEEK_MINUTES ||
		    (i && times[i].from <= times[i - 1].to))
			return false;
	return true;
}

/* A clock, a window and a step can be added up. */
static bool is_sound_rate(const struct plan_rate *rate)
{
	if (rate->step_ns == 0)
		return rate->window_ns == 0;
	return rate->step_ns > 0 && rate->window_ns >= rate->step_ns &&
	       rate->window_ns <= INT64_MAX / 4 && rate->window_ns % rate->step_ns == 0;
}

static bool has_rates(const struct plan_admission *admission)
{
	return is_sound_rate(&admission->rate) && is_sound_rate(&admission->source_rate) &&
	       is_sound_rate(&admission->ban_after) && bounds_is_duration(admission->ban_ms);
}

static bool is_sound_admission(const struct bounds *bounds, const struct plan_admission *admission)
{
	return has_access_or_none(bounds, admission->access) &&
	       has_access_or_none(bounds, admission->proxies) && has_times(bounds, admission) &&
	       bounds_has_text_or_none(bounds, admission->banner_fail) && admission->prefix4 >= 1 &&
	       admission->prefix4 <= 32 && admission->prefix6 >= 1 && admission->prefix6 <= 128 &&
	       has_rates(admission) && bounds_is_bool(&admission->refuse_when_full);
}

static bool has_admission_or_none(const struct bounds *bounds, uint32_t offset)
{
	const struct plan_admission *admission = (const void *)(bounds->base + offset);

	return offset == 0 || (bounds_has_array(bounds, offset, 1, sizeof(*admission)) &&
			       is_sound_admission(bounds, admission));
}

/* Cages */

static bool has_limits_of(const struct bounds *bounds, const struct plan_cage *cage)
{
	const struct plan_limit *limits;

	if (!bounds_has_array(bounds, cage->limits, cage->nlimits, sizeof(*limits)))
		return false;
	limits = (const void *)(bounds->base + cage->limits);
	for (uint32_t i = 0; i < cage->nlimits; i++)
		if (limits[i].resource >= RLIM_NLIMITS || limits[i].soft > limits[i].hard)
			return false;
	return true;
}

static bool has_rules(const struct bounds *bounds, const struct plan_cage *cage)
{
	const struct plan_rule *rules;

	if (!bounds_has_array(bounds, cage->rules, cage->nrules, sizeof(*rules)))
		return false;
	rules = (const void *)(bounds->base + cage->rules);
	for (uint32_t i = 0; i < cage->nrules; i++)
		if (!bounds_has_text_or_none(bounds, rules[i].path) || rules[i].port > UINT16_MAX ||
		    !bounds_is_bool(&rules[i].fixed))
			return false;
	return true;
}

static bool has_filter(const struct bounds *bounds, const struct plan_cage *cage)
{
	return cage->nfilter <= BPF_MAXINSNS &&
	       bounds_has_array(bounds, cage->filter, cage->nfilter, sizeof(struct sock_filter));
}

static bool is_sound_cage(const struct bounds *bounds, const struct plan_cage *cage)
{
	return has_limits_of(bounds, cage) && has_rules(bounds, cage) && has_filter(bounds, cage) &&
	       bounds_has_text_or_none(bounds, cage->chroot) && is_fd(cage->ruleset_fd) &&
	       is_fd(cage->network_fd) && is_fd(cage->cgroup_fd) &&
	       bounds_is_bool(&cage->drop_bounding) && bounds_is_bool(&cage->set_capabilities) &&
	       bounds_is_bool(&cage->set_nice) && bounds_is_bool(&cage->private_tmp) &&
	       bounds_is_bool(&cage->private_pids) && bounds_is_bool(&cage->deny_write_execute) &&
	       bounds_is_bool(&cage->die_with_master);
}

/* 0 to 2 are never handed over, and the next begatd would not take a list with any of them. */
static bool has_fds_of_cages(const struct bounds *bounds, const struct plan *plan)
{
	const int *fds = (const void *)(bounds->base + plan->fds);

	if (!bounds_has_array(bounds, plan->fds, plan->nfds, sizeof(*fds)))
		return false;
	for (uint32_t i = 0; i < plan->nfds; i++)
		if (fds[i] <= STDERR_FILENO)
			return false;
	return true;
}

static bool has_cage_or_none(const struct bounds *bounds, uint32_t offset)
{
	const struct plan_cage *cage = (const void *)(bounds->base + offset);

	return offset == 0 ||
	       (bounds_has_array(bounds, offset, 1, sizeof(*cage)) && is_sound_cage(bounds, cage));
}

/* Services */

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
	       bounds_has_text_or_none(bounds, service->directory) && service->id != 0 &&
	       has_what(bounds, service) && has_admission_or_none(bounds, service->admission) &&
	       has_cage_or_none(bounds, service->cage) && has_groups(bounds, service) &&
	       has_limits(service) && bounds_is_bool(&service->set_identity) &&
	       bounds_is_bool(&service->no_new_privileges) && bounds_is_bool(&service->crlf) &&
	       bounds_is_bool(&service->redirects) && bounds_is_bool(&service->multiplexes) &&
	       bounds_is_bool(&service->multiplexed) && bounds_is_bool(&service->asks_names) &&
	       is_sound_rate(&service->reply_rate) && service->reply_max <= REPLY_MAX &&
	       service->reply_factor <= REPLY_FACTOR &&
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

/* Sorted, for plan_has_port(). */
static bool has_ports(const struct bounds *bounds, const struct plan *plan)
{
	const uint16_t *ports = (const void *)(bounds->base + plan->ports);

	if (!bounds_has_array(bounds, plan->ports, plan->nports, sizeof(*ports)))
		return false;
	for (uint32_t i = 1; i < plan->nports; i++)
		if (ports[i] < ports[i - 1])
			return false;
	return true;
}

static bool is_sound_listener(const struct bounds *bounds, const struct plan_listener *listener)
{
	const bool is_fifo = listener->kind == PLAN_FIFO;

	return (is_fifo ? listener->fd == -1 && listener->path != 0 : is_fd(listener->fd)) &&
	       (listener->sources_fd == -1 || is_fd(listener->sources_fd)) &&
	       (unsigned)listener->kind <= PLAN_FIFO && bounds_is_bool(&listener->standing) &&
	       bounds_has_text(bounds, listener->asked) &&
	       bounds_has_text(bounds, listener->address) &&
	       bounds_has_text_or_none(bounds, listener->path) &&
	       bounds_is_bool(&listener->internet) && bounds_is_bool(&listener->added) &&
	       bounds_is_bool(&listener->changed);
}

static bool has_owner(const struct plan *plan, const struct plan_listener *listener)
{
	return listener->service == PLAN_CONTROL ? listener == plan_control(plan)
						 : listener->service < plan->nservices;
}

static bool has_listeners(const struct bounds *bounds, const struct plan *plan)
{
	const struct plan_listener *listener;

	if (!bounds_has_array(bounds, plan->listeners, plan->nlisteners, sizeof(*listener)))
		return false;
	for (uint32_t i = 0; i < plan->nlisteners; i++) {
		listener = plan_listener(plan, i);
		if (!has_owner(plan, listener) || !is_sound_listener(bounds, listener))
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
	       global->sources <= SOURCES_MAX && global->headers > 0 &&
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
	       has_fds_of_cages(&bounds, plan) && has_listeners(&bounds, plan) &&
	       has_ports(&bounds, plan);
}
