/* SPDX-License-Identifier: ISC */
/*
 * What a daemon says about itself, for people.
 *
 * What somebody needs at three in the morning comes first: is it there, since when, did the last
 * reload fail; then which service is in trouble and why.  Nothing is printed that is as usual, and
 * what an older daemon does not say is not missed.
 */
#include "config.h"

#include "client/report.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "client/duration.h"
#include "client/field.h"
#include "client/table.h"
#include "report/log.h"

#define BANS_SHOWN 20 /* of all services together; of one there is no limit */

enum state { STATE_OPEN, STATE_FULL, STATE_THROTTLED, STATE_CLOSED };

static const char *const state_names[] = {
	[STATE_OPEN] = "open",
	[STATE_FULL] = "full",
	[STATE_THROTTLED] = "throttled",
	[STATE_CLOSED] = "closed",
};

struct view {
	const json_t *status;
	int64_t now_ns; /* the daemon's: ours is the same clock, but later */
	json_t *places; /* the names of the services that listen somewhere */
	FILE *out;
};

/* One that is disabled, or was removed while it has workers, listens nowhere. */
static json_t *list_places(const json_t *status)
{
	const json_t *listeners = json_object_get(status, "listeners");
	json_t *places = json_object();
	const char *service;

	for (size_t i = 0; i < json_array_size(listeners); i++) {
		service =
			json_string_value(json_object_get(json_array_get(listeners, i), "service"));
		if (service && json_object_set_new(places, service, json_true()) < 0)
			fatal(EXIT_GENERIC, "memory");
	}
	return places;
}

static void view_init(struct view *view, const json_t *status, FILE *out)
{
	*view = (struct view){
		.status = status,
		.now_ns = field_number(status, "now-ns"),
		.places = list_places(status),
		.out = out,
	};
	if (view->now_ns == 0)
		view->now_ns = clock_now_ns();
}

static void view_fini(struct view *view)
{
	json_decref(view->places);
}

static const char *plural(int64_t count)
{
	return count == 1 ? "" : "s";
}

/* The head */

static void print_reload(const struct view *view)
{
	const json_t *reloads = json_object_get(view->status, "reloads");
	const time_t last = (time_t)field_number(reloads, "last");
	struct shown failure;
	struct tm local;
	char when[32];

	if (last == 0 || localtime_r(&last, &local) == NULL)
		return;
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
	fprintf(view->out, "last reload %s; %lld succeeded, %lld failed\n", when,
		(long long)field_number(reloads, "ok"), (long long)field_number(reloads, "failed"));
	if (field_number(reloads, "failed"))
		fprintf(view->out, "last failure: %s\n", field_show(reloads, "failure", &failure));
}

static void print_head(const struct view *view)
{
	const json_t *status = view->status;
	const long long dropped = field_number(status, "log-dropped");
	const long long overflows = field_number(status, "listen-overflows");
	struct shown release;
	char up[DURATION_TEXT];
	int64_t up_ns;

	if (__builtin_sub_overflow(view->now_ns, field_number(status, "started-ns"), &up_ns))
		up_ns = 0;
	fprintf(view->out, "begat %s %s, pid %lld, up %s, generation %lld\n",
		field_show(status, "release", &release),
		field_flag(status, "stopping") ? "stopping" : "running",
		(long long)field_number(status, "pid"), duration_format(up_ns / NS_IN_S, up),
		(long long)field_number(status, "generation"));
	print_reload(view);
	if (dropped)
		fprintf(view->out, "%lld line%s of the log dropped\n", dropped, plural(dropped));
	if (overflows > 0)
		fprintf(view->out, "%lld client%s of this host lost to a full backlog\n", overflows,
			plural(overflows));
}

/* A line for each service */

static enum state find_state(const struct view *view, const json_t *service)
{
	const json_t *throttle = json_object_get(service, "throttle");
	const char *name = json_string_value(json_object_get(service, "name"));
	const int64_t most = field_number(service, "instances");

	if (name && json_object_get(view->places, name) == NULL &&
	    !field_flag(service, "multiplexed"))
		return STATE_CLOSED;
	if (field_number(throttle, "until-ns") > view->now_ns)
		return STATE_THROTTLED;
	return most && field_number(service, "active") >= most ? STATE_FULL : STATE_OPEN;
}

/* "12 s left: exit status 1" */
static char *format_throttle(const struct view *view, const json_t *service, char *text,
			     size_t size)
{
	const json_t *throttle = json_object_get(service, "throttle");
	struct shown shown;
	const char *reason = field_show(throttle, "reason", &shown);
	char left[DURATION_TEXT];

	duration_format_left(field_number(throttle, "until-ns"), view->now_ns, left);
	snprintf(text, size, "%s left%s%s", left, *reason ? ": " : "", reason);
	return text;
}

static void add_active(const json_t *service, struct table *table)
{
	const long long active = field_number(service, "active");
	const long long most = field_number(service, "instances");

	if (most)
		table_add(table, "%lld/%lld", active, most);
	else
		table_add(table, "%lld", active);
}

static void add_service(const struct view *view, const json_t *service, struct table *table)
{
	const enum state state = find_state(view, service);
	struct shown shown;

	table_add(table, "%s", field_show(service, "name", &shown));
	table_add(table, "%s", state_names[state]);
	add_active(service, table);
	table_add(table, "%lld", (long long)field_number(service, "begat"));
	table_add(table, "%lld", (long long)field_sum(service, "refused"));
	if (state == STATE_THROTTLED)
		table_add(table, "%s",
			  format_throttle(view, service, shown.text, sizeof(shown.text)));
	else
		table_add(table, "%s", state == STATE_FULL ? "all instances are busy" : "");
}

static void print_table(const struct view *view)
{
	static const char *const heads[] = {
		"SERVICE", "STATE", "ACTIVE", "TOTAL", "REFUSED", "WHY"
	};
	const json_t *services = json_object_get(view->status, "services");
	struct table table;

	table_init(&table, sizeof(heads) / sizeof(*heads), 1U << 2 | 1U << 3 | 1U << 4);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		table_add(&table, "%s", heads[i]);
	for (size_t i = 0; i < json_array_size(services); i++)
		add_service(view, json_array_get(services, i), &table);
	putc('\n', view->out);
	table_print(&table, view->out);
	table_fini(&table);
}

/* Refusals and bans */

/* "12 access, 3 banned"; nothing when all of them are 0. */
static void print_counts(const struct view *view, const char *head, json_t *counts)
{
	const char *before = head;
	struct shown shown;

	for (void *at = json_object_iter(counts); at; at = json_object_iter_next(counts, at)) {
		const char *name = json_object_iter_key(at);
		const long long count = field_number(counts, name);

		if (count == 0)
			continue;
		fprintf(view->out, "%s%lld %s", before, count, text_show(name, &shown));
		before = ", ";
	}
	if (before != head)
		putc('\n', view->out);
}

/* Clients of standing workers, of which one is a worker for many. */
static void print_served(const struct view *view)
{
	const json_t *services = json_object_get(view->status, "services");
	bool gap = true;
	struct shown name;

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *each = json_array_get(services, i);
		const long long served = field_number(each, "served");

		if (served == 0)
			continue;
		fprintf(view->out, "%sserved by standing workers of %s: %lld\n", gap ? "\n" : "",
			field_show(each, "name", &name), served);
		gap = false;
	}
}

static void print_refusals(const struct view *view)
{
	const json_t *services = json_object_get(view->status, "services");
	bool gap = true;
	struct shown name;

	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *each = json_array_get(services, i);

		if (field_sum(each, "refused") == 0)
			continue;
		fprintf(view->out, "%srefused by %s: ", gap ? "\n" : "",
			field_show(each, "name", &name));
		print_counts(view, "", json_object_get(each, "refused"));
		gap = false;
	}
}

static void print_ban(const struct view *view, const json_t *ban)
{
	struct shown source, service;
	char left[DURATION_TEXT];

	duration_format_left(field_number(ban, "until-ns"), view->now_ns, left);
	fprintf(view->out, "ban %s from %s, %s left\n", field_show(ban, "source", &source),
		field_show(ban, "service", &service), left);
}

/* Of one service, or NULL: of all. */
static void print_bans(const struct view *view, const char *service, size_t most)
{
	const json_t *bans = json_object_get(view->status, "bans");
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(bans); i++) {
		const json_t *each = json_array_get(bans, i);

		if (service && !field_is(each, "service", service))
			continue;
		if (count == 0 && service == NULL)
			putc('\n', view->out);
		if (count++ < most)
			print_ban(view, each);
	}
	if (count > most)
		fprintf(view->out, "and %zu more: --json has them all\n", count - most);
}

void report_print(const json_t *status, FILE *out)
{
	struct view view;

	view_init(&view, status, out);
	print_head(&view);
	print_table(&view);
	print_served(&view);
	print_refusals(&view);
	print_bans(&view, NULL, BANS_SHOWN);
	view_fini(&view);
}

/* One service */

static void print_state(const struct view *view, const json_t *service)
{
	const enum state state = find_state(view, service);
	struct shown shown;

	fprintf(view->out, "%s: %s", field_show(service, "name", &shown), state_names[state]);
	if (state == STATE_THROTTLED)
		fprintf(view->out, ", %s",
			format_throttle(view, service, shown.text, sizeof(shown.text)));
	putc('\n', view->out);
}

static void print_listeners(const struct view *view, const char *service)
{
	const json_t *listeners = json_object_get(view->status, "listeners");
	struct shown address;

	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *each = json_array_get(listeners, i);

		if (field_is(each, "service", service))
			fprintf(view->out, "listening on %s\n",
				field_show(each, "address", &address));
	}
}

static void print_workers(const struct view *view, const json_t *service)
{
	const long long active = field_number(service, "active");
	const long long most = field_number(service, "instances");

	fprintf(view->out, "%lld worker%s", active, plural(active));
	if (most)
		fprintf(view->out, " of at most %lld", most);
	fprintf(view->out, ", %lld since the start\n", (long long)field_number(service, "begat"));
	if (field_number(service, "served"))
		fprintf(view->out, "served by standing workers: %lld\n",
			(long long)field_number(service, "served"));
	print_counts(view, "ended: ", json_object_get(service, "ended"));
	print_counts(view, "refused: ", json_object_get(service, "refused"));
}

void report_print_service(const json_t *status, const json_t *service, FILE *out)
{
	const char *name = json_string_value(json_object_get(service, "name"));
	struct view view;

	view_init(&view, status, out);
	print_state(&view, service);
	print_listeners(&view, name);
	print_workers(&view, service);
	print_bans(&view, name, SIZE_MAX);
	view_fini(&view);
}
