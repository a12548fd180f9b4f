/* SPDX-License-Identifier: ISC */
/*
 * What a master knows, as JSON: the state of a reload, and what an administrator is shown.
 *
 * A process that the master has forked calls this, while the master may stand still and clients
 * wait.  So children are lists of values under one list of their fields, and what is at its default
 * is left out.  The table of sources is not in it for a reload, where it goes from hand to hand as
 * it is (admit/source.h), but for people: how full it is, and who is banned.
 *
 * plan/handover.c reads it, in this version and in later ones: a field may be added at any time,
 * but one that changes its meaning gets another name, or the version another number.
 */
#include "config.h"

#include "report/status.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admit/source.h"
#include "base/clock.h"
#include "base/fd.h"
#include "plan/handover.h"
#include "report/document.h"
#include "report/overflows.h"
#include "report/stats.h"

static json_t *make_limit(uint64_t limit)
{
	return limit == UINT64_MAX ? json_null()
				   : document_make_unsigned(limit); /* RLIM_INFINITY */
}

static void set_file(struct document *document, json_t *object, const char *key, const char *path,
		     int fd)
{
	json_t *file = json_object();

	document_set_text(document, file, "path", path);
	document_set_unless(document, file, "fd", fd, -1);
	document_set(document, object, key, file);
}

static void set_resolver(struct document *document, json_t *head)
{
	json_t *ends = json_object();

	document_set_unless(document, ends, "workers", document->state->resolver_workers_fd, -1);
	document_set_unless(document, ends, "resolvers", document->state->resolver_resolvers_fd,
			    -1);
	document_set_unless_empty(document, head, "resolver", ends);
}

static void set_files(struct document *document, json_t *head)
{
	const struct plan *plan = document->plan;
	const struct plan_global *global = &plan->global;
	const struct state *state = document->state;

	document_set_text(document, head, "config", plan_text(plan, global->config_path));
	if (global->pid_fd >= 0)
		set_file(document, head, "pidfile", plan_text(plan, global->pid_path),
			 global->pid_fd);
	set_file(document, head, "begatd", plan_text(plan, global->begatd_path), global->begatd_fd);
	if (state->begatd_gone)
		document_set(document, json_object_get(head, "begatd"), "gone", json_true());
	set_file(document, head, "master", NULL, global->master_fd);
	set_file(document, head, "plan", NULL, state->plan_fd);
	set_file(document, head, "state", NULL, state->state_fd);
	set_file(document, head, "effective", NULL, global->effective_fd);
	set_file(document, head, "reports", NULL, state->reports_fd);
	set_file(document, head, "source-table", NULL, state->sources_fd);
	set_resolver(document, head);
}

static void set_limits(struct document *document, json_t *head)
{
	json_t *nofile = json_object();

	document_set(document, nofile, "soft", make_limit(document->plan->global.nofile_soft));
	document_set(document, nofile, "hard", make_limit(document->plan->global.nofile_hard));
	document_set(document, head, "nofile", nofile);
}

static void set_reloads(struct document *document, json_t *head)
{
	const struct state *state = document->state;
	json_t *reloads = json_object();

	document_set_unsigned(document, reloads, "ok", state->reloads.succeeded);
	document_set_unsigned(document, reloads, "failed", state->reloads.failed);
	document_set_unless(document, reloads, "last", state->reloads.last_s, 0);
	document_set_text(document, reloads, "failure", state_text(state, state->last_failure));
	if (state->reload_again)
		document_set(document, reloads, "again", json_true());
	document_set(document, head, "reloads", reloads);
}

static void set_fds(struct document *document, json_t *head, const char *key, const int *fds,
		    size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		document_add(document, list, json_integer(fds[i]));
	document_set(document, head, key, list);
}

/* All that there is one of. */
static json_t *make_head(struct document *document)
{
	const struct plan_global *global = &document->plan->global;
	const struct state *state = document->state;
	json_t *head = json_object();

	document_set_text(document, head, "program", PACKAGE_NAME);
	document_set_number(document, head, "version", HANDOVER_VERSION);
	document_set_text(document, head, "release", PACKAGE_VERSION);
	document_set_number(document, head, "pid", getppid()); /* the master's: we are forked */
	document_set_number(document, head, "generation", state->generation);
	if (state->stopping)
		document_set(document, head, "stopping", json_true());
	document_set_number(document, head, "started", state->started_s);
	document_set_number(document, head, "started-ns", state->started_ns);
	document_set_number(document, head, "now-ns", clock_now_ns());
	set_files(document, head);
	document_set(document, head, "detached", json_boolean(global->detached));
	document_set(document, head, "terminal", json_boolean(global->has_terminal));
	set_limits(document, head);
	document_set_unsigned(document, head, "log-dropped", state->log_dropped);
	set_reloads(document, head);
	set_fds(document, head, "received", state_received(state), state->nreceived);
	set_fds(document, head, "cages", plan_fds(document->plan), document->plan->nfds);
	return head;
}

static void set_ended(struct document *document, json_t *object, const struct service_stats *stats)
{
	json_t *ended = json_object();

	for (int result = 0; result < RESULTS; result++)
		if (stats->ended[result])
			document_set_unsigned(document, ended,
					      stats_result_name((enum worker_result)result),
					      stats->ended[result]);
	document_set_unless_empty(document, object, "ended", ended);
}

static void set_refused(struct document *document, json_t *object,
			const struct service_stats *stats)
{
	json_t *refused = json_object();

	for (int refusal = 1; refusal < REFUSALS; refusal++)
		if (stats->refused[refusal])
			document_set_unsigned(document, refused, refusal_table[refusal].name,
					      stats->refused[refusal]);
	document_set_unless_empty(document, object, "refused", refused);
}

static void set_throttle(struct document *document, json_t *object,
			 const struct state_service *service)
{
	json_t *throttle;

	if (service->bad == 0 && service->pause_s == 0 && service->pause_due_ns == 0)
		return;
	throttle = json_object();
	document_set_number(document, throttle, "bad", service->bad);
	document_set_unless(document, throttle, "pause-s", service->pause_s, 0);
	document_set_unless(document, throttle, "until-ns", service->pause_due_ns, 0);
	document_set_text(document, throttle, "reason",
			  state_text(document->state, service->throttled_why));
	document_set(document, object, "throttle", throttle);
}

static void set_stderr(struct document *document, json_t *object,
		       const struct state_service *service)
{
	json_t *ends;

	if (service->stderr_reader < 0 && service->stderr_writer < 0)
		return;
	ends = json_object();
	document_set_unless(document, ends, "reader", service->stderr_reader, -1);
	document_set_unless(document, ends, "writer", service->stderr_writer, -1);
	document_set(document, object, "stderr", ends);
}

static json_t *make_service(struct document *document, size_t index)
{
	const struct state_service *service = &state_services(document->state)[index];
	json_t *object = json_object();

	document_set_text(document, object, "name", state_text(document->state, service->name));
	document_set_number(document, object, "kill-grace-ms", service->kill_grace_ms);
	document_set_unsigned(document, object, "begat", service->stats.begat);
	if (service->stats.served)
		document_set_unsigned(document, object, "served", service->stats.served);
	set_ended(document, object, &service->stats);
	set_refused(document, object, &service->stats);
	document_set_unless(document, object, "rate-ns", service->rate_ns, 0);
	if (service->plan >= 0)
		document_set_number(document, object, "instances",
				    plan_service(document->plan, (size_t)service->plan)->instances);
	if (service->plan >= 0 && plan_service(document->plan, (size_t)service->plan)->multiplexed)
		document_set(document, object, "multiplexed", json_true());
	document_set_number(document, object, "active", document->active[index]);
	set_throttle(document, object, service);
	set_stderr(document, object, service);
	return object;
}

static void set_socket_file(struct document *document, json_t *object,
			    const struct plan_listener *listener)
{
	if (listener->path) {
		document_set_text(document, object, "path",
				  plan_text(document->plan, listener->path));
		document_set_unsigned(document, object, "device", listener->device);
		document_set_unsigned(document, object, "inode", listener->inode);
	}
	document_set_unless(document, object, "uid", listener->socket_uid, (uid_t)-1);
	document_set_unless(document, object, "gid", listener->socket_gid, (gid_t)-1);
	document_set_unless(document, object, "mode", listener->socket_mode, (mode_t)-1);
}

static json_t *make_listener(struct document *document, size_t index)
{
	const struct plan *plan = document->plan;
	const struct plan_listener *listener = plan_listener(plan, index);
	json_t *object = json_object();

	document_set_text(document, object, "asked", plan_text(plan, listener->asked));
	document_set_text(document, object, "address", plan_text(plan, listener->address));
	if (listener->service == PLAN_CONTROL)
		document_set(document, object, "control", json_true());
	else
		document_set_text(document, object, "service",
				  plan_text(plan, plan_service(plan, listener->service)->name));
	document_set_unless(document, object, "fd", listener->fd, -1);
	document_set_unless(document, object, "sources-fd", listener->sources_fd, -1);
	document_set_number(document, object, "backlog", listener->backlog);
	set_socket_file(document, object, listener);
	return object;
}

/* Those at the end are left out as long as they are at their defaults. */
static const char child_fields[] =
	",\n\"children-fields\":[\"pid\",\"service\",\"place\",\"started-ns\",\"peer\",\"due-ns\","
	"\"source\",\"talk-fd\",\"ending\",\"timed-out\",\"client-gone\",\"refused\",\"lingers\","
	"\"role\",\"listener\",\"offered-fd\",\"served\",\"denied\"]";

/* Most children are asked for nothing; many have a time or a source; few are being ended. */
static void add_rest(struct document *document, json_t *row, const struct state_child *child)
{
	const bool is_special = child->role || child->listener >= 0;
	const bool is_ending = child->ending || child->timed_out || child->client_gone ||
			       child->refused || is_special;
	const bool has_source = child->source != STATE_NO_SOURCE || child->talk_fd >= 0;

	if (child->due_ns || has_source || is_ending)
		document_add(document, row, json_integer(child->due_ns));
	if (!has_source && !is_ending)
		return;
	document_add(
		document, row,
		json_integer(child->source == STATE_NO_SOURCE ? -1 : (json_int_t)child->source));
	document_add(document, row, json_integer(child->talk_fd));
	if (!is_ending)
		return;
	document_add(document, row, json_integer(child->ending));
	document_add(document, row, json_boolean(child->timed_out));
	document_add(document, row, json_boolean(child->client_gone));
	document_add(document, row, json_integer(child->refused));
	document_add(document, row, json_boolean(child->lingers));
	if (!is_special)
		return;
	document_add(document, row, json_integer(child->role));
	document_add(document, row, json_integer(child->listener));
	document_add(document, row, json_integer(child->offered_fd));
	document_add(document, row, json_integer((json_int_t)child->served));
	document_add(document, row, json_integer((json_int_t)child->denied));
}

static json_t *make_child(struct document *document, size_t index)
{
	const struct state_child *child = &state_children(document->state)[index];
	json_t *row = json_array();

	document_add(document, row, json_integer(child->pid));
	document_add(document, row, json_integer(child->service));
	document_add(document, row, json_integer(child->place));
	document_add(document, row, json_integer(child->started_ns));
	document_add(document, row, document_make_text(child->peer));
	add_rest(document, row, child);
	return row;
}

static void count_active(struct document *document)
{
	const struct state *state = document->state;

	document->active = calloc((size_t)state->nservices + 1, sizeof(*document->active));
	if (document->active == NULL) {
		document->failed = true;
		return;
	}
	for (uint32_t i = 0; i < state->nchildren; i++)
		if (state_children(state)[i].role != STATE_KEEPER)
			document->active[state_children(state)[i].service]++;
}

static const char *find_service(const struct plan *plan, uint64_t id)
{
	for (size_t i = 0; i < plan->nservices; i++)
		if (plan_service(plan, i)->id == id)
			return plan_text(plan, plan_service(plan, i)->name);
	return "";
}

/* One table after the other. */
static const struct source *find_source(const struct document *document, size_t index)
{
	const struct document_table *table = document->tables;

	for (; index >= table->count; table++)
		index -= table->count;
	return &table->sources[index];
}

static json_t *make_ban(struct document *document, size_t index)
{
	const struct source *source = find_source(document, index);
	char text[SOURCE_TEXT];
	json_t *ban;

	if (source->banned_until_ns <= clock_now_ns())
		return NULL;
	ban = json_object();
	source_format(&source->key, text, sizeof(text));
	document_set_text(document, ban, "service",
			  find_service(document->plan, source->key.service));
	document_set_text(document, ban, "source", text);
	document_set_number(document, ban, "until-ns", source->banned_until_ns);
	return ban;
}

static size_t add_table(struct document *document, int fd, size_t *used)
{
	size_t capacity = 0;
	const struct source *sources = sources_map(fd, used, &capacity);

	if (sources && *used > 0)
		document->tables[document->ntables++] = (struct document_table){ sources, *used };
	return capacity;
}

static size_t add_tables_of_listeners(struct document *document)
{
	const struct plan *plan = document->plan;
	size_t sum = 0;

	for (size_t i = 0; i < plan->nlisteners; i++) {
		size_t used = 0;

		if (plan_listener(plan, i)->sources_fd >= 0)
			(void)add_table(document, plan_listener(plan, i)->sources_fd, &used);
		sum += used;
	}
	return sum;
}

/* What takes a look around, which a reload has no time for. */
static void put_rest(struct document *document)
{
	json_t *counts = json_object();
	size_t used = 0, capacity, more;

	document->tables = calloc(1 + document->plan->nlisteners, sizeof(*document->tables));
	if (document->tables == NULL) {
		document->failed = true;
		json_decref(counts);
		return;
	}
	capacity = add_table(document, document->state->sources_fd, &used);
	more = add_tables_of_listeners(document);
	document_set_number(document, counts, "used", (int64_t)used);
	document_set_number(document, counts, "capacity", (int64_t)capacity);
	document_set_unless(document, counts, "standing", (int64_t)more, 0);
	document_put(document, ",\n\"listen-overflows\":");
	document_put_value(document, json_integer(overflows_read()), JSON_ENCODE_ANY);
	document_put(document, ",\n\"sources\":");
	document_put_value(document, counts, 0);
	document_put_list(document, ",\n\"bans\":[", used + more, make_ban);
}

static void make_document(struct document *document, enum status_reader reader)
{
	const struct state *state = document->state;

	count_active(document);
	document_put(document, "{");
	document_put_value(document, make_head(document), JSON_EMBED);
	document_put_list(document, ",\n\"services\":[", state->nservices, make_service);
	document_put_list(document, ",\n\"listeners\":[", document->plan->nlisteners,
			  make_listener);
	document_put(document, child_fields);
	document_put_list(document, ",\n\"children\":[", state->nchildren, make_child);
	if (reader == STATUS_FOR_PEOPLE)
		put_rest(document);
	document_put(document, "}\n");
}

int status_write(const struct plan *plan, const struct state *state, enum status_reader reader,
		 int fd)
{
	struct document document = { .plan = plan, .state = state };
	int result = -1, error = ENOMEM;

	make_document(&document, reader);
	if (!document.failed) {
		result = fd_write_all(fd, document.bytes, document.used);
		error = errno;
	}
	free(document.active);
	free(document.tables);
	free(document.bytes);
	errno = error;
	return result;
}
