/* SPDX-License-Identifier: ISC */
/*
 * The old master's state, read from JSON by the preflight of a reload, or by whoever asks what a
 * daemon runs with.
 *
 * report/status.c has written it, maybe that of another version: what is not known is passed over,
 * and what has a harmless default may be missing.  The master stands still meanwhile, so a document
 * with 5,000 children is to be read within a hundredth of a second.  Nothing here ends the process:
 * the caller says why a reload cannot be.  plan/handover-state.c is the other half.
 */
#include "config.h"

#include "plan/handover.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "plan/bounds.h"
#include "plan/handover-children.h"
#include "plan/reader.h"

#define ERROR_SIZE 256
#define BYTES_MAX  (256 << 20) /* of a document; 5,000 children are half a megabyte */

_Static_assert(ERROR_SIZE >= READER_ERROR, "the caller's buffer is what the reader writes to");

static const struct range version_range = { 1, INT64_MAX, 0, true };
static const struct range master_range = { 1, BOUNDS_CHILDREN - 1, 0, true };
static const struct range generation_range = { 0, UINT32_MAX - 1, 0, true };
static const struct range time_range = { 0, INT64_MAX, 0, false };
static const struct range duration_range = { 0, INT32_MAX, 0, true }; /* ms, as in the plan */
static const struct range count_range = { 0, UINT32_MAX, 0, false };
static const struct range backlog_range = { 0, INT_MAX, 0, false };
static const struct range id_range = { 0, UINT32_MAX - 1, -1, false };
static const struct range mode_range = { 0, 07777, -1, false };

/* Another program's document, or one of a later version, is not looked at any further. */
static bool is_ours(struct reader *in, const json_t *root)
{
	const json_t *program = json_object_get(root, "program");
	const int64_t version = reader_number(in, root, "version", &version_range);

	if (program &&
	    (!json_is_string(program) || strcmp(json_string_value(program), PACKAGE_NAME) != 0))
		reader_complain(in, "program", "not \"" PACKAGE_NAME "\"");
	if (version > HANDOVER_VERSION)
		reader_complain(in, "version",
				"the running daemon's is %lld, and this begatd reads up to %d: "
				"install a newer begatd",
				(long long)version, HANDOVER_VERSION);
	return !in->failed;
}

static void read_files(struct reader *in, const json_t *root, struct handover *handover)
{
	const json_t *begatd = reader_enter(in, root, "begatd");
	const json_t *pidfile;

	handover->begatd_path = reader_required_text(in, begatd, "path");
	handover->begatd_fd = reader_fd(in, begatd, "fd");
	handover->begatd_gone = reader_flag(in, begatd, "gone");
	pidfile = reader_enter(in, root, "pidfile");
	handover->pid_path = reader_text(in, pidfile, "path");
	handover->pid_fd = reader_fd(in, pidfile, "fd");
	reader_leave(in);
	if ((handover->pid_path == NULL) != (handover->pid_fd < 0))
		reader_complain(in, "pidfile", "has only one of path and fd");
	handover->config_path = reader_required_text(in, root, "config");
}

static int read_fd(struct reader *in, const json_t *root, const char *key)
{
	int fd = reader_required_fd(in, reader_enter(in, root, key), "fd");

	reader_leave(in);
	return fd;
}

static void read_fds(struct reader *in, const json_t *root, struct handover *handover)
{
	handover->master_fd = read_fd(in, root, "master");
	handover->plan_fd = read_fd(in, root, "plan");
	handover->state_fd = read_fd(in, root, "state");
	handover->effective_fd = read_fd(in, root, "effective");
	handover->reports_fd = reader_fd(in, reader_enter(in, root, "reports"), "fd");
	reader_leave(in);
	handover->sources_fd = reader_fd(in, reader_enter(in, root, "source-table"), "fd");
	reader_leave(in);
	handover->resolver_workers_fd =
		reader_fd(in, reader_enter(in, root, "resolver"), "workers");
	reader_leave(in);
	handover->resolver_resolvers_fd =
		reader_fd(in, reader_enter(in, root, "resolver"), "resolvers");
	reader_leave(in);
}

static void read_reloads(struct reader *in, const json_t *root, struct handover *handover)
{
	const json_t *reloads = reader_enter(in, root, "reloads");

	handover->reloads.succeeded = reader_unsigned(in, reloads, "ok");
	handover->reloads.failed = reader_unsigned(in, reloads, "failed");
	handover->reloads.last_s = reader_number(in, reloads, "last", &time_range);
	handover->last_failure = reader_text(in, reloads, "failure");
	handover->reload_again = reader_flag(in, reloads, "again");
	reader_leave(in);
}

static void read_head(struct reader *in, const json_t *root, struct handover *handover)
{
	const json_t *nofile = reader_enter(in, root, "nofile");

	handover->nofile_soft = reader_limit(in, nofile, "soft");
	handover->nofile_hard = reader_limit(in, nofile, "hard");
	reader_leave(in);
	handover->pid = (long)reader_number(in, root, "pid", &master_range);
	handover->generation = (unsigned)reader_number(in, root, "generation", &generation_range);
	handover->started_s = reader_number(in, root, "started", &time_range);
	handover->started_ns = reader_number(in, root, "started-ns", &time_range);
	handover->detached = reader_flag(in, root, "detached");
	handover->has_terminal = reader_flag(in, root, "terminal");
	handover->log_dropped = reader_unsigned(in, root, "log-dropped");
}

static int *read_list(struct reader *in, const json_t *root, const char *key, size_t *count)
{
	static const struct range fd_range = { 3, READER_SEEN - 1, 3, true };
	const json_t *list = json_object_get(root, key);
	int *fds;

	if (list == NULL)
		return NULL;
	fds = reader_table(in, root, key, sizeof(int), count);
	in->list = key;
	for (in->index = 0; in->index < *count && !in->failed; in->index++) {
		int64_t fd = reader_read_number(in, "", json_array_get(list, in->index), &fd_range);

		reader_add(in, "", fd, &in->fds);
		fds[in->index] = (int)fd;
	}
	in->list = NULL;
	return fds;
}

/* Its keeper has it: nothing of it is open in the master. */
static int read_listener_fd(struct reader *in, const json_t *object, const char *asked)
{
	static const struct range none = { -1, -1, -1, false };

	if (asked && strncmp(asked, "fifo:", strlen("fifo:")) == 0)
		return (int)reader_number(in, object, "fd", &none);
	return reader_required_fd(in, object, "fd");
}

static void read_listener(struct reader *in, const json_t *object,
			  struct handover_listener *listener)
{
	listener->asked = reader_required_text(in, object, "asked");
	listener->service = reader_text(in, object, "service");
	listener->address = reader_required_text(in, object, "address");
	listener->path = reader_text(in, object, "path");
	listener->fd = read_listener_fd(in, object, listener->asked);
	listener->sources_fd = reader_fd(in, object, "sources-fd");
	listener->backlog = (int)reader_number(in, object, "backlog", &backlog_range);
	listener->uid = (uid_t)reader_number(in, object, "uid", &id_range);
	listener->gid = (gid_t)reader_number(in, object, "gid", &id_range);
	listener->mode = (mode_t)reader_number(in, object, "mode", &mode_range);
	listener->device = (dev_t)reader_unsigned(in, object, "device");
	listener->inode = (ino_t)reader_unsigned(in, object, "inode");
}

static void read_throttle(struct reader *in, const json_t *object, struct handover_service *service)
{
	struct state_service *state = &service->state;
	const json_t *throttle = reader_enter(in, object, "throttle");

	state->bad = (uint32_t)reader_number(in, throttle, "bad", &count_range);
	state->pause_s = (uint32_t)reader_number(in, throttle, "pause-s", &count_range);
	state->pause_due_ns = reader_number(in, throttle, "until-ns", &time_range);
	service->throttled_why = reader_text(in, throttle, "reason");
	reader_leave(in);
}

static void read_stats(struct reader *in, const json_t *object, struct service_stats *stats)
{
	const json_t *ended, *refused;

	stats->begat = reader_unsigned(in, object, "begat");
	stats->served = reader_unsigned(in, object, "served");
	ended = reader_enter(in, object, "ended");
	for (int result = 0; result < RESULTS; result++)
		stats->ended[result] =
			reader_unsigned(in, ended, stats_result_name((enum worker_result)result));
	reader_leave(in);
	refused = reader_enter(in, object, "refused");
	for (int refusal = 1; refusal < REFUSALS; refusal++)
		stats->refused[refusal] = reader_unsigned(in, refused, refusal_table[refusal].name);
	reader_leave(in);
}

static void read_service(struct reader *in, const json_t *object, struct handover_service *service)
{
	struct state_service *state = &service->state;
	const json_t *ends;

	service->name = reader_required_text(in, object, "name");
	state->plan = -1;
	state->kill_grace_ms = reader_number(in, object, "kill-grace-ms", &duration_range);
	read_stats(in, object, &state->stats);
	read_throttle(in, object, service);
	state->rate_ns = reader_number(in, object, "rate-ns", &time_range);
	ends = reader_enter(in, object, "stderr");
	state->stderr_reader = reader_fd(in, ends, "reader");
	state->stderr_writer = reader_fd(in, ends, "writer");
	reader_leave(in);
}

/* The next element of a list of objects; NULL after the last one, and after a mistake. */
static const json_t *next_object(struct reader *in, const json_t *list)
{
	const json_t *object = json_array_get(list, in->index);

	if (object && !json_is_object(object))
		reader_complain(in, "", "not an object");
	return in->failed ? NULL : object;
}

static void read_listeners(struct reader *in, const json_t *root, struct handover *handover)
{
	const json_t *list = json_object_get(root, "listeners"), *each;

	handover->listeners = reader_table(in, root, "listeners", sizeof(*handover->listeners),
					   &handover->nlisteners);
	in->list = "listeners";
	for (in->index = 0; (each = next_object(in, list)); in->index++)
		read_listener(in, each, &handover->listeners[in->index]);
	in->list = NULL;
}

static void read_services(struct reader *in, const json_t *root, struct handover *handover)
{
	const json_t *list = json_object_get(root, "services"), *each;

	handover->services = reader_table(in, root, "services", sizeof(*handover->services),
					  &handover->nservices);
	in->list = "services";
	for (in->index = 0; (each = next_object(in, list)); in->index++)
		read_service(in, each, &handover->services[in->index]);
	in->list = NULL;
}

static void read_root(struct reader *in, const json_t *root, struct handover *handover)
{
	if (!is_ours(in, root) || reader_seen_init(in, &in->fds) < 0)
		return;
	read_head(in, root, handover);
	read_files(in, root, handover);
	read_fds(in, root, handover);
	read_reloads(in, root, handover);
	handover->received = read_list(in, root, "received", &handover->nreceived);
	handover->cages = read_list(in, root, "cages", &handover->ncages);
	read_listeners(in, root, handover);
	read_services(in, root, handover);
	handover_read_children(in, root, handover);
}

static struct handover *read_bytes(struct reader *in, const char *bytes, size_t size)
{
	struct handover *handover = calloc(1, sizeof(*handover));
	json_t *root;

	if (handover == NULL) {
		reader_complain(in, "memory", "%s", strerror(errno));
		return NULL;
	}
	root = reader_parse(in, bytes, size);
	if (root)
		read_root(in, root, handover);
	json_decref(root);
	reader_seen_fini(&in->fds);
	if (!in->failed)
		return handover;
	handover_free(handover);
	return NULL;
}

/* 0, or -1 with errno: ENODATA when there is less than that. */
static int read_all(int fd, char *bytes, size_t size)
{
	ssize_t got;

	for (size_t done = 0; done < size; done += (size_t)got) {
		got = pread(fd, bytes + done, size - done, (off_t)done);
		if (got == 0)
			errno = ENODATA;
		if (got == 0 || (got < 0 && errno != EINTR))
			return -1;
		if (got < 0)
			got = 0;
	}
	return 0;
}

struct handover *handover_read(int fd, char error[static ERROR_SIZE])
{
	struct reader in = { .error = error };
	struct handover *handover = NULL;
	struct stat status;
	char *bytes = NULL;

	if (fstat(fd, &status) < 0)
		reader_complain(&in, "fstat", "%s", strerror(errno));
	else if (status.st_size == 0)
		reader_complain(&in, "JSON", "empty");
	else if (status.st_size > BYTES_MAX)
		reader_complain(&in, "JSON", "larger than %d bytes", BYTES_MAX);
	else
		bytes = malloc((size_t)status.st_size);
	if (bytes && read_all(fd, bytes, (size_t)status.st_size) == 0)
		handover = read_bytes(&in, bytes, (size_t)status.st_size);
	else
		reader_complain(&in, "read", "%s", strerror(errno));
	free(bytes);
	return handover;
}

void handover_free(struct handover *handover)
{
	if (handover == NULL)
		return;
	for (size_t i = 0; i < handover->nlisteners; i++) {
		free(handover->listeners[i].asked);
		free(handover->listeners[i].service);
		free(handover->listeners[i].address);
		free(handover->listeners[i].path);
	}
	for (size_t i = 0; i < handover->nservices; i++) {
		free(handover->services[i].name);
		free(handover->services[i].throttled_why);
	}
	free(handover->config_path);
	free(handover->pid_path);
	free(handover->begatd_path);
	free(handover->last_failure);
	free(handover->received);
	free(handover->cages);
	free(handover->listeners);
	free(handover->services);
	free(handover->children);
	free(handover);
}
