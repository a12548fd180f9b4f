/* SPDX-License-Identifier: ISC */
/*
 * From the configuration to the plan: begatd's half of plan/.
 *
 * The plan grows in one buffer; everything put into it is aligned to eight bytes and known by its
 * offset from then on, so that growing may move the buffer.  Structs are therefore filled in on the
 * stack and put last.  Nothing is decided here: what the configuration says is only laid flat.
 */
#include "config.h"

#include "plan/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/memfd.h"
#include "handlers/handler.h"
#include "plan/layout.h"

_Static_assert(SERVICE_GROUPS_MAX <= PLAN_GROUPS_MAX, "a checked list of groups fits");

#define STANDARD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct buffer {
	char *bytes;
	uint32_t used, room;
	const struct build_texts *texts;
};

static uint32_t put(struct buffer *buffer, const void *bytes, size_t size)
{
	uint32_t at = buffer->used;
	size_t padded = (size + 7) & ~(size_t)7;

	if (at + padded > buffer->room) {
		buffer->room = 2 * (at + (uint32_t)padded);
		buffer->bytes = xreallocarray(buffer->bytes, 1, buffer->room);
	}
	memset(buffer->bytes + at, 0, padded);
	if (size)
		memcpy(buffer->bytes + at, bytes, size);
	buffer->used = at + (uint32_t)padded;
	return at;
}

static uint32_t put_text(struct buffer *buffer, const char *text)
{
	return text ? put(buffer, text, strlen(text) + 1) : 0;
}

static uint32_t put_vector(struct buffer *buffer, char *const *strings)
{
	uint32_t vector[1 + PLAN_VECTOR_MAX] = { 0 };

	if (strings == NULL)
		return 0;
	for (; strings[vector[0]] && vector[0] < PLAN_VECTOR_MAX; vector[0]++)
		vector[1 + vector[0]] = put_text(buffer, strings[vector[0]]);
	return put(buffer, vector, (1 + vector[0]) * sizeof(*vector));
}

static uint32_t put_values(struct buffer *buffer, const struct service *service)
{
	struct plan_value *values = xcalloc(service->nvalues, sizeof(*values));
	uint32_t at;

	for (size_t i = 0; i < service->nvalues; i++) {
		values[i].name = put_text(buffer, service->values[i].name);
		values[i].string = put_text(buffer, service->values[i].string);
		values[i].argv = put_vector(buffer, service->values[i].argv);
		values[i].number = service->values[i].number;
	}
	at = put(buffer, values, service->nvalues * sizeof(*values));
	free(values);
	return at;
}

/* The environment of a program: what we set, then what the administrator adds or passes on. */
struct environment {
	char **all;
	size_t count;
};

static const char *look_up(const struct build_texts *texts, const char *name)
{
	size_t length = strlen(name);

	for (char *const *each = texts->environment; each && *each; each++)
		if (strncmp(*each, name, length) == 0 && (*each)[length] == '=')
			return *each + length + 1;
	return NULL;
}

/* The last one of a name wins. */
static void set_text(struct environment *environment, const char *assignment)
{
	size_t name = (size_t)(strchrnul(assignment, '=') - assignment) + 1;

	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->all[i], assignment, name) != 0)
			continue;
		free(environment->all[i]);
		environment->all[i] = xstrdup(assignment);
		return;
	}
	if (environment->count < PLAN_VECTOR_MAX)
		strv_add(&environment->all, &environment->count, xstrdup(assignment));
}

static void set(struct environment *environment, const char *name, const char *value)
{
	char *assignment;

	if (value == NULL)
		return;
	assignment = xasprintf("%s=%s", name, value);
	set_text(environment, assignment);
	free(assignment);
}

static uint32_t put_environment(struct buffer *buffer, const struct service *service)
{
	struct environment environment = { NULL, 0 };
	const struct service_identity *who = &service->identity;
	uint32_t at;

	set(&environment, "PATH", STANDARD_PATH);
	set(&environment, "USER", who->user);
	set(&environment, "LOGNAME", who->user);
	set(&environment, "HOME", who->home);
	set(&environment, "SHELL", who->shell);
	set(&environment, "TZ", look_up(buffer->texts, "TZ"));
	set(&environment, "LANG", look_up(buffer->texts, "LANG"));
	set(&environment, "BEGAT_SERVICE", service->name);
	for (char *const *name = service->pass_env; name && *name; name++)
		set(&environment, *name, look_up(buffer->texts, *name));
	for (char *const *each = service->env; each && *each; each++)
		set_text(&environment, *each);
	at = put_vector(buffer, environment.all);
	strv_free(environment.all);
	return at;
}

static uint32_t put_arguments(struct buffer *buffer, const struct service *service)
{
	char *first = service->exec[0];
	uint32_t at;

	if (service->arg0)
		service->exec[0] = service->arg0;
	at = put_vector(buffer, service->exec);
	service->exec[0] = first;
	return at;
}

static void put_what(struct buffer *buffer, const struct service *service,
		     struct plan_service *planned)
{
	planned->handler = -1;
	if (service->handler) {
		planned->handler = (int32_t)handler_index(service->handler);
		planned->values = put_values(buffer, service);
		planned->nvalues = (uint32_t)service->nvalues;
	} else if (service->exec) {
		planned->path = put_text(buffer, service->exec[0]);
		planned->argv = put_arguments(buffer, service);
		planned->env = put_environment(buffer, service);
	}
}

static void put_who(struct buffer *buffer, const struct service *service,
		    struct plan_service *planned)
{
	const struct service_identity *who = &service->identity;

	planned->set_identity = who->set;
	planned->uid = who->uid;
	planned->gid = who->gid;
	planned->groups = put(buffer, who->groups, who->ngroups * sizeof(*who->groups));
	planned->ngroups = (uint32_t)who->ngroups;
	planned->umask = service->umask;
	planned->no_new_privileges = service->no_new_privileges;
}

/* The master is in / already, and so is a worker. */
static uint32_t put_directory(struct buffer *buffer, const char *directory)
{
	return directory && strcmp(directory, "/") != 0 ? put_text(buffer, directory) : 0;
}

static struct plan_service plan_one(struct buffer *buffer, const struct service *service)
{
	struct plan_service planned = {
		.name = put_text(buffer, service->name),
		.banner = put_text(buffer, service->banner),
		.directory = put_directory(buffer, service->directory),
		.crlf = service->crlf,
		.stderr_to = (enum plan_stderr)service->stderr_to,
		.instances = service->instances,
		.first_byte_ms = (int32_t)service->first_byte_ms,
		.idle_ms = (int32_t)service->idle_ms,
		.max_time_ms = service->max_time_ms,
		.kill_grace_ms = service->kill_grace_ms,
	};

	put_what(buffer, service, &planned);
	put_who(buffer, service, &planned);
	return planned;
}

static uint32_t put_services(struct buffer *buffer, const struct config *config)
{
	struct plan_service *services = xcalloc(config->nservices, sizeof(*services));
	uint32_t at;

	for (size_t i = 0; i < config->nservices; i++)
		services[i] = plan_one(buffer, config->services[i]);
	at = put(buffer, services, config->nservices * sizeof(*services));
	free(services);
	return at;
}

static struct plan_listener lay_listener(struct buffer *buffer, const struct listener *listener)
{
	const uint32_t asked = put_text(buffer, listener->asked);

	return (struct plan_listener){
		.fd = listener->fd,
		.service = (uint32_t)listener->service,
		.asked = asked,
		.address = strcmp(listener->address, listener->asked) == 0
				   ? asked
				   : put_text(buffer, listener->address),
		.path = put_text(buffer, listener->path),
		.internet = listener->internet,
		.device = listener->device,
		.inode = listener->inode,
		.backlog = listener->backlog,
		.socket_uid = listener->uid,
		.socket_gid = listener->gid,
		.socket_mode = listener->mode,
		.added = !listener->kept,
		.changed = listener->changed,
	};
}

static uint32_t put_listeners(struct buffer *buffer, const struct listener_set *set)
{
	struct plan_listener *listeners = xcalloc(set->count, sizeof(*listeners));
	uint32_t at;

	for (size_t i = 0; i < set->count; i++)
		listeners[i] = lay_listener(buffer, &set->all[i]);
	at = put(buffer, listeners, set->count * sizeof(*listeners));
	free(listeners);
	return at;
}

int build_plan(const struct config *config, const struct listener_set *listeners,
	       const struct plan_global *global, const struct build_texts *texts)
{
	struct plan plan = { .magic = PLAN_MAGIC, .stamp = PLAN_STAMP, .global = *global };
	struct buffer buffer = { .texts = texts };
	int fd;

	(void)put(&buffer, &plan, sizeof(plan)); /* its room: it is filled in at the end */
	plan.global.log_file = put_text(&buffer, config->log_file);
	plan.global.debug_topics = put_text(&buffer, texts->debug_topics);
	plan.global.pid_path = put_text(&buffer, config->pidfile);
	plan.global.config_path = put_text(&buffer, config->file);
	plan.global.begatd_path = put_text(&buffer, texts->begatd_path);
	plan.global.argv = put_vector(&buffer, texts->argv);
	plan.services = put_services(&buffer, config);
	plan.nservices = (uint32_t)config->nservices;
	plan.listeners = put_listeners(&buffer, listeners);
	plan.nlisteners = (uint32_t)listeners->count;
	plan.size = buffer.used;
	memcpy(buffer.bytes, &plan, sizeof(plan));
	fd = memfd_sealed("begat plan", buffer.bytes, buffer.used);
	free(buffer.bytes);
	return fd;
}
