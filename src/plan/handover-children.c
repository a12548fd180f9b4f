/* SPDX-License-Identifier: ISC */
/*
 * The children in the JSON of a handover: plan/handover.c calls this after it has read the
 * services.
 *
 * There may be thousands, and clients wait, so they are lists of values; "children-fields" says in
 * which order.  A field that this version does not know is passed over, and one that is not there
 * has its default, as in objects.  No two may have the same pid or the same place, and none may be
 * a number that kill(2) takes for more than one process.
 */
#include "config.h"

#include "plan/handover-children.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "plan/bounds.h"

static const struct range worker_range = { 2, BOUNDS_CHILDREN - 1, 0, true }; /* kill(-1): all */
static const struct range place_range = { 0, BOUNDS_CHILDREN - 1, 0, true };
static const struct range start_range = { 0, INT64_MAX, 0, true };
static const struct range due_range = { 0, INT64_MAX, 0, false };
static const struct range source_range = { -1, UINT32_MAX - 1, -1, false };
static const struct range talk_range = { -1, READER_SEEN - 1, -1, false };
static const struct range count_range = { 0, INT64_MAX, 0, false };
static const struct range refused_range = { 0, REFUSALS - 1, 0, false };
static const struct range role_range = { 0, 3, 0, false };   /* enum worker_role */
static const struct range ending_range = { 0, 2, 0, false }; /* enum child_ending */

enum field {
	FIELD_PID,
	FIELD_SERVICE,
	FIELD_PLACE,
	FIELD_STARTED,
	FIELD_PEER,
	FIELD_DUE,
	FIELD_SOURCE,
	FIELD_TALK,
	FIELD_ENDING,
	FIELD_TIMED_OUT,
	FIELD_CLIENT_GONE,
	FIELD_REFUSED,
	FIELD_LINGERS,
	FIELD_ROLE,
	FIELD_LISTENER,
	FIELD_OFFERED,
	FIELD_SERVED,
	FIELD_DENIED,
	FIELDS
};

static const char *const field_names[FIELDS] = {
	[FIELD_PID] = "pid",
	[FIELD_SERVICE] = "service",
	[FIELD_PLACE] = "place",
	[FIELD_STARTED] = "started-ns",
	[FIELD_PEER] = "peer",
	[FIELD_DUE] = "due-ns",
	[FIELD_SOURCE] = "source",
	[FIELD_TALK] = "talk-fd",
	[FIELD_ENDING] = "ending",
	[FIELD_TIMED_OUT] = "timed-out",
	[FIELD_CLIENT_GONE] = "client-gone",
	[FIELD_REFUSED] = "refused",
	[FIELD_LINGERS] = "lingers",
	[FIELD_ROLE] = "role",
	[FIELD_LISTENER] = "listener",
	[FIELD_OFFERED] = "offered-fd",
	[FIELD_SERVED] = "served",
	[FIELD_DENIED] = "denied",
};

struct children {
	size_t columns[FIELDS]; /* SIZE_MAX: there is none */
	struct range service_range, listener_range;
	struct reader_seen pids, places;
};

/* FIELDS: one that this version does not know. */
static enum field find_field(const json_t *name)
{
	int field = json_is_string(name) ? 0 : FIELDS;

	while (field < FIELDS && strcmp(json_string_value(name), field_names[field]) != 0)
		field++;
	return (enum field)field;
}

static void find_columns(struct reader *in, const json_t *root, struct children *children)
{
	const json_t *names = json_object_get(root, "children-fields");

	if (!json_is_array(names))
		reader_complain(in, "children-fields", names ? "not a list" : "missing");
	for (int field = 0; field < FIELDS; field++)
		children->columns[field] = SIZE_MAX;
	for (size_t i = 0; i < json_array_size(names); i++) {
		const enum field field = find_field(json_array_get(names, i));

		if (field < FIELDS)
			children->columns[field] = i;
	}
}

static int64_t read_cell(struct reader *in, const struct children *children, const json_t *row,
			 enum field field, const struct range *range)
{
	return reader_read_number(in, field_names[field],
				  json_array_get(row, children->columns[field]), range);
}

static bool read_flag_cell(struct reader *in, const struct children *children, const json_t *row,
			   enum field field)
{
	return reader_read_flag(in, field_names[field],
				json_array_get(row, children->columns[field]));
}

/* None, or one that nobody else has. */
static int read_fd_cell(struct reader *in, const struct children *children, const json_t *row,
			enum field field)
{
	const int64_t fd = read_cell(in, children, row, field, &talk_range);

	if (fd >= 0 && fd <= STDERR_FILENO)
		reader_complain(in, field_names[field], "%d is no descriptor of ours", (int)fd);
	else if (fd >= 0)
		reader_add(in, field_names[field], fd, &in->fds);
	return (int)fd;
}

static void read_child(struct reader *in, struct children *children, const json_t *row,
		       struct state_child *child)
{
	child->pid = (pid_t)read_cell(in, children, row, FIELD_PID, &worker_range);
	child->service =
		(uint32_t)read_cell(in, children, row, FIELD_SERVICE, &children->service_range);
	child->place = (uint32_t)read_cell(in, children, row, FIELD_PLACE, &place_range);
	child->started_ns = read_cell(in, children, row, FIELD_STARTED, &start_range);
	child->due_ns = read_cell(in, children, row, FIELD_DUE, &due_range);
	child->source = (uint32_t)read_cell(in, children, row, FIELD_SOURCE, &source_range);
	child->talk_fd = read_fd_cell(in, children, row, FIELD_TALK);
	child->refused = (int32_t)read_cell(in, children, row, FIELD_REFUSED, &refused_range);
	child->ending = (int32_t)read_cell(in, children, row, FIELD_ENDING, &ending_range);
	child->lingers = read_flag_cell(in, children, row, FIELD_LINGERS);
	child->role = (int32_t)read_cell(in, children, row, FIELD_ROLE, &role_range);
	child->listener =
		(int32_t)read_cell(in, children, row, FIELD_LISTENER, &children->listener_range);
	child->offered_fd = read_fd_cell(in, children, row, FIELD_OFFERED);
	child->served = (uint64_t)read_cell(in, children, row, FIELD_SERVED, &count_range);
	child->denied = (uint64_t)read_cell(in, children, row, FIELD_DENIED, &count_range);
	child->timed_out = read_flag_cell(in, children, row, FIELD_TIMED_OUT);
	child->client_gone = read_flag_cell(in, children, row, FIELD_CLIENT_GONE);
	reader_read_text(in, field_names[FIELD_PEER],
			 json_array_get(row, children->columns[FIELD_PEER]), child->peer,
			 sizeof(child->peer));
	reader_add(in, field_names[FIELD_PID], child->pid, &children->pids);
	reader_add(in, field_names[FIELD_PLACE], child->place, &children->places);
}

static void read_rows(struct reader *in, const json_t *root, struct children *children,
		      struct handover *handover)
{
	const json_t *list = json_object_get(root, "children"), *row;

	handover->children = reader_table(in, root, "children", sizeof(*handover->children),
					  &handover->nchildren);
	if (handover->nchildren)
		find_columns(in, root, children);
	in->list = "children";
	for (in->index = 0; in->index < handover->nchildren && !in->failed; in->index++) {
		row = json_array_get(list, in->index);
		if (json_is_array(row))
			read_child(in, children, row, &handover->children[in->index]);
		else
			reader_complain(in, "", "not a list");
	}
	in->list = NULL;
}

void handover_read_children(struct reader *in, const json_t *root, struct handover *handover)
{
	struct children children = {
		.service_range = { 0, (int64_t)handover->nservices - 1, 0, true },
		.listener_range = { -1, (int64_t)handover->nlisteners - 1, -1, false },
	};

	if (reader_seen_init(in, &children.pids) == 0 &&
	    reader_seen_init(in, &children.places) == 0) {
		reader_add(in, "pid", handover->pid, &children.pids); /* nobody is its own child */
		read_rows(in, root, &children, handover);
	}
	reader_seen_fini(&children.pids);
	reader_seen_fini(&children.places);
}
