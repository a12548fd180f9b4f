/* SPDX-License-Identifier: ISC */
/*
 * From the configuration to the plan: begatd's half of plan/.
 *
 * The plan grows in one buffer (plan/buffer.c), which may move: structs are filled in on the stack
 * and put last.  Nothing is decided here: what the configuration says is only laid flat.
 */
#include "config.h"

#include "plan/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/memfd.h"
#include "base/path.h"
#include "config/targets.h"
#include "config/value.h"
#include "handlers/handler.h"
#include "plan/admission.h"
#include "plan/buffer.h"
#include "plan/cage.h"
#include "plan/layout.h"

_Static_assert(SERVICE_GROUPS_MAX <= PLAN_GROUPS_MAX, "a checked list of groups fits");

/* What was put last of a handler's options. */
struct said {
	const struct service *service; /* NULL: nothing */
	uint32_t values;
};

/* The plan in the making, and what it is made with. */
struct draft {
	struct buffer buffer;
	struct admissions admissions;
	const struct cages *cages;
	uint32_t *cage_offsets; /* by their places */
	const struct build_texts *texts;
	struct said *said; /* by the places of handlers */
};

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Lists of words are rare, and not looked at. */
static bool has_same_values(const struct service *a, const struct service *b)
{
	bool same = a->handler == b->handler && a->nvalues == b->nvalues;

	for (size_t i = 0; same && i < a->nvalues; i++)
		same = is_same_text(a->values[i].name, b->values[i].name) &&
		       is_same_text(a->values[i].string, b->values[i].string) &&
		       a->values[i].number == b->values[i].number && !a->values[i].argv &&
		       !b->values[i].argv;
	return same;
}

static uint32_t put_values(struct buffer *buffer, const struct service *service)
{
	struct plan_value *values = xcalloc(service->nvalues, sizeof(*values));
	uint32_t at;

	for (size_t i = 0; i < service->nvalues; i++) {
		values[i].name = buffer_put_text(buffer, service->values[i].name);
		values[i].string = buffer_put_text(buffer, service->values[i].string);
		values[i].argv = buffer_put_vector(buffer, service->values[i].argv);
		values[i].number = service->values[i].number;
	}
	at = buffer_put(buffer, values, service->nvalues * sizeof(*values));
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

static uint32_t put_environment(struct draft *draft, const struct service *service)
{
	struct environment environment = { NULL, 0 };
	const struct service_identity *who = &service->identity;
	uint32_t at;

	set(&environment, "PATH", PATH_STANDARD);
	set(&environment, "USER", who->user);
	set(&environment, "LOGNAME", who->user);
	set(&environment, "HOME", who->home);
	set(&environment, "SHELL", who->shell);
	set(&environment, "TZ", look_up(draft->texts, "TZ"));
	set(&environment, "LANG", look_up(draft->texts, "LANG"));
	set(&environment, "BEGAT_SERVICE", service->name);
	for (char *const *name = service->pass_env; name && *name; name++)
		set(&environment, *name, look_up(draft->texts, *name));
	for (char *const *each = service->env; each && *each; each++)
		set_text(&environment, *each);
	at = buffer_put_vector(&draft->buffer, environment.all);
	strv_free(environment.all);
	return at;
}

static uint32_t put_arguments(struct buffer *buffer, const struct service *service)
{
	char *first = service->exec[0];
	uint32_t at;

	if (service->arg0)
		service->exec[0] = service->arg0;
	at = buffer_put_vector(buffer, service->exec);
	service->exec[0] = first;
	return at;
}

/* With the last one of that handler, where it says the same: most say nothing. */
static uint32_t share_values(struct draft *draft, const struct service *service)
{
	struct said *last = &draft->said[handler_index(service->handler)];

	if (last->service == NULL || !has_same_values(last->service, service)) {
		last->values = put_values(&draft->buffer, service);
		last->service = service;
	}
	return last->values;
}

/* Names are looked up for what a client is told, and for where it is sent. */
static bool asks_names(const struct service *service)
{
	if (service->banner && value_has_field(service->banner, 'n'))
		return true;
	for (char *const *target = service_targets(service); *target; target++)
		if (target_has_name(*target))
			return true;
	return false;
}

static void put_what(struct draft *draft, const struct service *service,
		     struct plan_service *planned)
{
	planned->handler = -1;
	if (service->handler) {
		planned->handler = (int32_t)handler_index(service->handler);
		planned->values = share_values(draft, service);
		planned->nvalues = (uint32_t)service->nvalues;
	} else if (service->exec) {
		planned->path = buffer_put_text(&draft->buffer, service->exec[0]);
		planned->argv = put_arguments(&draft->buffer, service);
		planned->env = put_environment(draft, service);
	}
}

static void put_who(struct buffer *buffer, const struct service *service,
		    struct plan_service *planned)
{
	const struct service_identity *who = &service->identity;

	planned->set_identity = who->set;
	planned->uid = who->uid;
	planned->gid = who->gid;
	planned->groups = buffer_put(buffer, who->groups, who->ngroups * sizeof(*who->groups));
	planned->ngroups = (uint32_t)who->ngroups;
	planned->umask = service->umask;
	planned->no_new_privileges = service->no_new_privileges;
}

/* The master is in / already, and so is a worker. */
static uint32_t put_directory(struct buffer *buffer, const char *directory)
{
	return directory && strcmp(directory, "/") != 0 ? buffer_put_text(buffer, directory) : 0;
}

/* Sources are known by it across reloads, where 0 stands for all services. */
static uint64_t id_of(const char *name)
{
	const uint64_t id = hash_text(name);

	return id ? id : 1;
}

/* One for each listener that a handler of ours stands at: it is no client's. */
static uint32_t count_instances(const struct service *service)
{
	const size_t listeners = service->handler && service_stands(service) ? service->nlisten : 0;

	return service->instances > listeners ? service->instances : (uint32_t)listeners;
}

static struct plan_service plan_one(struct draft *draft, const struct service *service,
				    uint32_t cage)
{
	struct buffer *buffer = &draft->buffer;
	struct plan_service planned = {
		.name = buffer_put_text(buffer, service->name),
		.admission = admission_put(&draft->admissions, buffer, &service->admission),
		.id = id_of(service->name),
		.cage = cage,
		.banner = buffer_put_text(buffer, service->banner),
		.directory = put_directory(buffer, service->directory),
		.crlf = service->crlf,
		.redirects = service->handler == &redirect_handler,
		.multiplexes = service->handler == &tcpmux_handler,
		.multiplexed = service->multiplexed,
		.asks_names = asks_names(service),
		.reply_max = service->reply_max,
		.reply_factor = service->reply_factor,
		.reply_rate = admission_rate(&service->reply_rate),
		.stderr_to = (enum plan_stderr)service->stderr_to,
		.instances = count_instances(service),
		.first_byte_ms = (int32_t)service->first_byte_ms,
		.idle_ms = (int32_t)service->idle_ms,
		.max_time_ms = (int32_t)service->max_time_ms,
		.kill_grace_ms = (int32_t)service->kill_grace_ms,
	};

	put_what(draft, service, &planned);
	put_who(buffer, service, &planned);
	return planned;
}

static size_t count_handlers(void)
{
	size_t count = 0;

	while (handler_at(count))
		count++;
	return count;
}

static uint32_t put_services(struct draft *draft, const struct config *config)
{
	struct plan_service *services = xcalloc(config->nservices, sizeof(*services));
	uint32_t at;

	draft->said = xcalloc(count_handlers(), sizeof(*draft->said));
	for (size_t i = 0; i < config->nservices; i++)
		services[i] = plan_one(draft, config->services[i],
				       draft->cage_offsets[draft->cages->of_service[i]]);
	at = buffer_put(&draft->buffer, services, config->nservices * sizeof(*services));
	free(services);
	free(draft->said);
	return at;
}

static enum plan_kind kind_of(const struct listener *listener)
{
	if (listener->type == SOCK_DGRAM)
		return PLAN_DATAGRAM;
	return listener->type == 0 ? PLAN_FIFO : PLAN_STREAM;
}

static struct plan_listener lay_listener(struct buffer *buffer, const struct listener *listener)
{
	const uint32_t asked = buffer_put_text(buffer, listener->asked);

	return (struct plan_listener){
		.fd = listener->fd,
		.kind = kind_of(listener),
		.standing = listener->standing,
		.sources_fd = listener->sources_fd,
		.service = listener->service == LISTENER_CONTROL ? PLAN_CONTROL
								 : (uint32_t)listener->service,
		.asked = asked,
		.address = strcmp(listener->address, listener->asked) == 0
				   ? asked
				   : buffer_put_text(buffer, listener->address),
		.path = buffer_put_text(buffer, listener->path),
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
	at = buffer_put(buffer, listeners, set->count * sizeof(*listeners));
	free(listeners);
	return at;
}

static int compare_ports(const void *a, const void *b)
{
	const uint16_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

static void put_ports(struct buffer *buffer, const struct listener_set *set, struct plan *plan)
{
	uint16_t *ports = xcalloc(set->count, sizeof(*ports));

	for (size_t i = 0; i < set->count; i++)
		if (set->all[i].port)
			ports[plan->nports++] = set->all[i].port;
	qsort(ports, plan->nports, sizeof(*ports), compare_ports);
	plan->ports = buffer_put(buffer, ports, plan->nports * sizeof(*ports));
	free(ports);
}

static void put_global(struct draft *draft, const struct config *config, struct plan_global *global)
{
	struct buffer *buffer = &draft->buffer;

	global->log_file = buffer_put_text(buffer, config->log_file);
	global->debug_topics = buffer_put_text(buffer, draft->texts->debug_topics);
	global->pid_path = buffer_put_text(buffer, config->pidfile);
	global->config_path = buffer_put_text(buffer, config->file);
	global->begatd_path = buffer_put_text(buffer, draft->texts->begatd_path);
	global->argv = buffer_put_vector(buffer, draft->texts->argv);
	global->sources = config->sources;
}

static void put_cages(struct draft *draft, struct plan *plan)
{
	const struct cages *cages = draft->cages;

	draft->cage_offsets = xcalloc(cages->count, sizeof(*draft->cage_offsets));
	for (size_t i = 0; i < cages->count; i++)
		draft->cage_offsets[i] = cage_put(&draft->buffer, cages, i);
	plan->fds = buffer_put(&draft->buffer, cages->fds, cages->nfds * sizeof(*cages->fds));
	plan->nfds = (uint32_t)cages->nfds;
}

static int seal(const struct buffer *buffer)
{
	if (buffer->is_full) {
		errno = EFBIG;
		return -1;
	}
	return memfd_sealed("begat plan", buffer->bytes, buffer->used);
}

int build_plan(const struct config *config, const struct listener_set *listeners,
	       const struct cages *cages, const struct plan_global *global,
	       const struct build_texts *texts)
{
	struct plan plan = { .magic = PLAN_MAGIC, .stamp = PLAN_STAMP, .global = *global };
	struct draft draft = { .cages = cages, .texts = texts };
	int fd;

	(void)buffer_put(&draft.buffer, &plan, sizeof(plan)); /* its room: filled in at the end */
	put_global(&draft, config, &plan.global);
	put_cages(&draft, &plan);
	plan.services = put_services(&draft, config);
	plan.nservices = (uint32_t)config->nservices;
	plan.listeners = put_listeners(&draft.buffer, listeners);
	plan.nlisteners = (uint32_t)listeners->count;
	put_ports(&draft.buffer, listeners, &plan);
	plan.size = (uint32_t)draft.buffer.used;
	memcpy(draft.buffer.bytes, &plan, sizeof(plan));
	admissions_fini(&draft.admissions);
	free(draft.cage_offsets);
	fd = seal(&draft.buffer);
	free(draft.buffer.bytes);
	return fd;
}
