/* SPDX-License-Identifier: ISC */
/*
 * What a master knows, as JSON: the state of a reload, and what an administrator is shown.
 *
 * A process that the master has forked calls this, while the master may stand still and clients
 * wait.  So the document is not built as one tree: each service, listener and child is built,
 * dumped behind the others into one buffer, and freed again, which is twice as fast and needs a
 * tenth of the memory.  For the same reason children are lists of values under one list of their
 * fields, and what is at its default is left out.
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

#include "base/fd.h"
#include "base/latin1.h"
#include "plan/handover.h"
#include "report/stats.h"

#define ROOM_FIRST (256 << 10) /* bytes of the buffer, which doubles */

struct document {
	const struct plan *plan;
	const struct state *state;
	uint32_t *active; /* live children by service */
	char *bytes;
	size_t used, room;
	bool failed; /* memory */
};

static void set(struct document *document, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new_nocheck(object, key, value) < 0)
		document->failed = true;
}

static void add(struct document *document, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		document->failed = true;
}

static json_t *make_text(const char *bytes)
{
	const size_t size = LATIN1_ENCODED(strlen(bytes));
	json_t *text = NULL;
	char *utf8;

	if (latin1_is_ascii(bytes))
		return json_string_nocheck(bytes);
	utf8 = malloc(size);
	if (utf8 && latin1_encode(bytes, utf8, size) == 0)
		text = json_string_nocheck(utf8);
	free(utf8);
	return text;
}

/* As decimal text what an integer of JSON cannot be sure to hold. */
static json_t *make_unsigned(uint64_t number)
{
	return number <= INT64_MAX ? json_integer((json_int_t)number)
				   : json_sprintf("%llu", (unsigned long long)number);
}

static json_t *make_limit(uint64_t limit)
{
	return limit == UINT64_MAX ? json_null() : make_unsigned(limit); /* RLIM_INFINITY */
}

static void set_text(struct document *document, json_t *object, const char *key, const char *text)
{
	if (text)
		set(document, object, key, make_text(text));
}

static void set_number(struct document *document, json_t *object, const char *key, int64_t number)
{
	set(document, object, key, json_integer(number));
}

static void set_unsigned(struct document *document, json_t *object, const char *key,
			 uint64_t number)
{
	set(document, object, key, make_unsigned(number));
}

/* Left out: 0, "as it comes", "no such descriptor". */
static void set_unless(struct document *document, json_t *object, const char *key, int64_t number,
		       int64_t nothing)
{
	if (number != nothing)
		set_number(document, object, key, number);
}

static bool grow(struct document *document, size_t wanted)
{
	size_t room = document->room ? document->room : ROOM_FIRST;
	char *bytes;

	while (room - document->used < wanted)
		room *= 2;
	bytes = realloc(document->bytes, room);
	if (bytes == NULL) {
		document->failed = true;
		return false;
	}
	document->bytes = bytes;
	document->room = room;
	return true;
}

static void put(struct document *document, const char *text)
{
	const size_t length = strlen(text);

	if (document->room - document->used < length && !grow(document, length))
		return;
	memcpy(document->bytes + document->used, text, length);
	document->used += length;
}

/* Takes the value over. */
static void put_value(struct document *document, json_t *value, size_t flags)
{
	const size_t room = document->room - document->used;
	size_t size;

	flags |= JSON_COMPACT;
	size = json_dumpb(value, document->bytes + document->used, room, flags);
	if (size > room && grow(document, size))
		size = json_dumpb(value, document->bytes + document->used, size, flags);
	if (size == 0)
		document->failed = true;
	json_decref(value);
	if (!document->failed)
		document->used += size;
}

typedef json_t *make_element(struct document *document, size_t index);

/* A line for each element. */
static void put_list(struct document *document, const char *opening, size_t count,
		     make_element *make)
{
	put(document, opening);
	for (size_t i = 0; i < count && !document->failed; i++) {
		put(document, i ? ",\n" : "\n");
		put_value(document, make(document, i), 0);
	}
	put(document, "]");
}

static void set_file(struct document *document, json_t *object, const char *key, const char *path,
		     int fd)
{
	json_t *file = json_object();

	set_text(document, file, "path", path);
	set_unless(document, file, "fd", fd, -1);
	set(document, object, key, file);
}

static void set_files(struct document *document, json_t *head)
{
	const struct plan *plan = document->plan;
	const struct plan_global *global = &plan->global;
	const struct state *state = document->state;

	set_text(document, head, "config", plan_text(plan, global->config_path));
	if (global->pid_fd >= 0)
		set_file(document, head, "pidfile", plan_text(plan, global->pid_path),
			 global->pid_fd);
	set_file(document, head, "begatd", plan_text(plan, global->begatd_path), global->begatd_fd);
	if (state->begatd_gone)
		set(document, json_object_get(head, "begatd"), "gone", json_true());
	set_file(document, head, "master", NULL, global->master_fd);
	set_file(document, head, "plan", NULL, state->plan_fd);
	set_file(document, head, "state", NULL, state->state_fd);
	set_file(document, head, "effective", NULL, global->effective_fd);
	set_file(document, head, "failures", NULL, state->failures_fd);
}

static void set_limits(struct document *document, json_t *head)
{
	json_t *nofile = json_object();

	set(document, nofile, "soft", make_limit(document->plan->global.nofile_soft));
	set(document, nofile, "hard", make_limit(document->plan->global.nofile_hard));
	set(document, head, "nofile", nofile);
}

static void set_reloads(struct document *document, json_t *head)
{
	const struct state *state = document->state;
	json_t *reloads = json_object();

	set_unsigned(document, reloads, "ok", state->reloads.succeeded);
	set_unsigned(document, reloads, "failed", state->reloads.failed);
	set_unless(document, reloads, "last", state->reloads.last_s, 0);
	set_text(document, reloads, "failure", state_text(state, state->last_failure));
	if (state->reload_again)
		set(document, reloads, "again", json_true());
	set(document, head, "reloads", reloads);
}

static void set_received(struct document *document, json_t *head)
{
	const int *received = state_received(document->state);
	json_t *list = json_array();

	for (uint32_t i = 0; i < document->state->nreceived; i++)
		add(document, list, json_integer(received[i]));
	set(document, head, "received", list);
}

/* All that there is one of. */
static json_t *make_head(struct document *document)
{
	const struct plan_global *global = &document->plan->global;
	const struct state *state = document->state;
	json_t *head = json_object();

	set_text(document, head, "program", PACKAGE_NAME);
	set_number(document, head, "version", HANDOVER_VERSION);
	set_text(document, head, "release", PACKAGE_VERSION);
	set_number(document, head, "pid", getppid()); /* the master's: we are forked */
	set_number(document, head, "generation", state->generation);
	set_number(document, head, "started", state->started_s);
	set_number(document, head, "started-ns", state->started_ns);
	set_files(document, head);
	set(document, head, "detached", json_boolean(global->detached));
	set(document, head, "terminal", json_boolean(global->has_terminal));
	set_limits(document, head);
	set_unsigned(document, head, "log-dropped", state->log_dropped);
	set_reloads(document, head);
	set_received(document, head);
	return head;
}

static void set_ended(struct document *document, json_t *object, const struct service_stats *stats)
{
	json_t *ended = NULL;

	for (int result = 0; result < RESULTS; result++) {
		if (stats->ended[result] == 0)
			continue;
		if (ended == NULL)
			ended = json_object();
		set_unsigned(document, ended, stats_result_name((enum worker_result)result),
			     stats->ended[result]);
	}
	if (ended)
		set(document, object, "ended", ended);
}

static void set_throttle(struct document *document, json_t *object,
			 const struct state_service *service)
{
	json_t *throttle;

	if (service->bad == 0 && service->pause_s == 0 && service->pause_due_ns == 0)
		return;
	throttle = json_object();
	set_number(document, throttle, "bad", service->bad);
	set_unless(document, throttle, "pause-s", service->pause_s, 0);
	set_unless(document, throttle, "until-ns", service->pause_due_ns, 0);
	set(document, object, "throttle", throttle);
}

static void set_stderr(struct document *document, json_t *object,
		       const struct state_service *service)
{
	json_t *ends;

	if (service->stderr_reader < 0 && service->stderr_writer < 0)
		return;
	ends = json_object();
	set_unless(document, ends, "reader", service->stderr_reader, -1);
	set_unless(document, ends, "writer", service->stderr_writer, -1);
	set(document, object, "stderr", ends);
}

static json_t *make_service(struct document *document, size_t index)
{
	const struct state_service *service = &state_services(document->state)[index];
	json_t *object = json_object();

	set_text(document, object, "name", state_text(document->state, service->name));
	set_number(document, object, "kill-grace-ms", service->kill_grace_ms);
	set_unsigned(document, object, "begat", service->stats.begat);
	set_ended(document, object, &service->stats);
	set_number(document, object, "active", document->active[index]);
	set_throttle(document, object, service);
	set_stderr(document, object, service);
	return object;
}

static void set_socket_file(struct document *document, json_t *object,
			    const struct plan_listener *listener)
{
	if (listener->path) {
		set_text(document, object, "path", plan_text(document->plan, listener->path));
		set_unsigned(document, object, "device", listener->device);
		set_unsigned(document, object, "inode", listener->inode);
	}
	set_unless(document, object, "uid", listener->socket_uid, (uid_t)-1);
	set_unless(document, object, "gid", listener->socket_gid, (gid_t)-1);
	set_unless(document, object, "mode", listener->socket_mode, (mode_t)-1);
}

static json_t *make_listener(struct document *document, size_t index)
{
	const struct plan *plan = document->plan;
	const struct plan_listener *listener = plan_listener(plan, index);
	json_t *object = json_object();

	set_text(document, object, "asked", plan_text(plan, listener->asked));
	set_text(document, object, "address", plan_text(plan, listener->address));
	set_text(document, object, "service",
		 plan_text(plan, plan_service(plan, listener->service)->name));
	set_number(document, object, "fd", listener->fd);
	set_number(document, object, "backlog", listener->backlog);
	set_socket_file(document, object, listener);
	return object;
}

/* Those at the end are left out as long as they are 0 or false. */
static const char child_fields[] =
	",\n\"children-fields\":[\"pid\",\"service\",\"place\",\"started-ns\",\"peer\",\"due-ns\","
	"\"ending\",\"timed-out\",\"client-gone\"]";

static json_t *make_child(struct document *document, size_t index)
{
	const struct state_child *child = &state_children(document->state)[index];
	json_t *row = json_array();

	add(document, row, json_integer(child->pid));
	add(document, row, json_integer(child->service));
	add(document, row, json_integer(child->place));
	add(document, row, json_integer(child->started_ns));
	add(document, row, make_text(child->peer));
	if (child->due_ns || child->ending || child->timed_out || child->client_gone)
		add(document, row, json_integer(child->due_ns));
	if (child->ending || child->timed_out || child->client_gone) {
		add(document, row, json_integer(child->ending));
		add(document, row, json_boolean(child->timed_out));
		add(document, row, json_boolean(child->client_gone));
	}
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
		document->active[state_children(state)[i].service]++;
}

static void make_document(struct document *document)
{
	const struct state *state = document->state;

	count_active(document);
	put(document, "{");
	put_value(document, make_head(document), JSON_EMBED);
	put_list(document, ",\n\"services\":[", state->nservices, make_service);
	put_list(document, ",\n\"listeners\":[", document->plan->nlisteners, make_listener);
	put(document, child_fields);
	put_list(document, ",\n\"children\":[", state->nchildren, make_child);
	put(document, "}\n");
}

int status_write(const struct plan *plan, const struct state *state, int fd)
{
	struct document document = { .plan = plan, .state = state };
	int result = -1, error = ENOMEM;

	make_document(&document);
	if (!document.failed) {
		result = fd_write_all(fd, document.bytes, document.used);
		error = errno;
	}
	free(document.active);
	free(document.bytes);
	errno = error;
	return result;
}
