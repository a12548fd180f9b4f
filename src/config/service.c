/* SPDX-License-Identifier: ISC */
/*
 * The settings of one service.
 *
 * A service takes each key from its own section, or else from "defaults", or else the default that
 * begat.conf(5) gives.  Every value is parsed by value.c and every problem is added, so one pass
 * shows all.  What a key means for some services only (what.c, standing.c) is an error where the
 * service itself sets it and is none of these, and is passed over where it comes from "defaults".
 */
#include "config.h"

#include "config/service.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/ability.h"
#include "config/account.h"
#include "config/admission.h"
#include "config/builder.h"
#include "config/cage.h"
#include "config/options.h"
#include "config/socket.h"
#include "config/standing.h"
#include "config/value.h"
#include "config/what.h"
#include "handlers/handler.h"

#define HOUR_MS	      3600000LL
#define DAY_MS	      (24 * HOUR_MS)

#define VARIABLES_MAX 100 /* of each kind: together they fit into a plan's vector */

/* How it runs */

/* A handler has nothing to gain, and without it no cage: that of the defaults is for programs. */
static void load_no_new_privileges(const struct builder *builder)
{
	const struct setting *own = builder_own(builder, KEY_NO_NEW_PRIVILEGES);
	struct service *service = builder->service;

	if (service->handler && own == NULL)
		return;
	builder_bool(builder, KEY_NO_NEW_PRIVILEGES, &service->no_new_privileges);
	if (service->handler && !service->no_new_privileges)
		problem_warn(&builder->loader->problems, &own->origin,
			     "no-new-privileges: \"%s\" is a handler, and false leaves it without "
			     "its filter of system calls and its list of files",
			     service->name);
}

static void load_how(const struct builder *builder)
{
	static const char *const stderr_words[] = { "log", "client", "null", NULL };
	struct service *service = builder->service;

	builder_text(builder, KEY_BANNER, value_check_banner, &service->banner);
	if (service->exec)
		builder_bool(builder, KEY_CRLF, &service->crlf);
	service->stderr_to = (enum service_stderr)builder_word(builder, KEY_STDERR, stderr_words,
							       SERVICE_STDERR_LOG);
	builder_text(builder, KEY_DIRECTORY, value_check_path, &service->directory);
	builder_names(builder, KEY_ENV, VARIABLES_MAX, value_check_assignment, &service->env);
	builder_names(builder, KEY_PASS_ENV, VARIABLES_MAX, value_check_variable,
		      &service->pass_env);
	builder_mode(builder, KEY_UMASK, &service->umask);
	load_no_new_privileges(builder);
}

/* A session with a handler is over some day; what a program or a redirect is for, nobody knows. */
static bool has_max_time(const struct service *service)
{
	return service->handler && service->handler != &redirect_handler;
}

static void load_limits(const struct builder *builder)
{
	struct service *service = builder->service;
	long long instances = 100;

	builder_number(builder, KEY_INSTANCES, 1000000, &instances);
	service->instances = (unsigned)instances;
	service->max_time_ms = has_max_time(service) ? HOUR_MS : 0;
	builder_duration(builder, KEY_MAX_TIME, 7 * DAY_MS, &service->max_time_ms);
	builder_duration(builder, KEY_KILL_GRACE, HOUR_MS, &service->kill_grace_ms);
	admission_load(builder);
	if (service->exec)
		return;
	service->idle_ms = 5 * 60000;
	builder_duration(builder, KEY_IDLE_TIMEOUT, DAY_MS, &service->idle_ms);
	if (service->handler == &redirect_handler)
		return;
	service->first_byte_ms = 60000;
	builder_duration(builder, KEY_FIRST_BYTE_TIMEOUT, DAY_MS, &service->first_byte_ms);
}

/* As whom: from the inside out, up to the place that names the user.  A group that belongs to an
 * outer user is none for an inner one. */
static void find_account(const struct builder *builder, struct account_request *request)
{
	const struct section *places[] = { builder->own, builder->defaults,
					   &builder->loader->global };

	for (size_t i = 0; i < 3 && request->user == NULL; i++) {
		const struct section *place = places[i];

		if (place == NULL)
			continue;
		if (request->group == NULL && section_has(place, KEY_GROUP))
			request->group = &place->settings[KEY_GROUP];
		if (request->groups == NULL && section_has(place, KEY_GROUPS))
			request->groups = &place->settings[KEY_GROUPS];
		if (section_has(place, KEY_USER))
			request->user = &place->settings[KEY_USER];
	}
}

static void load_account(const struct builder *builder)
{
	struct loader *loader = builder->loader;
	struct account_request request = { .at = builder->service->origin };

	find_account(builder, &request);
	if (!loader->resolved || request.user != loader->user || request.group != loader->group ||
	    request.groups != loader->groups) {
		account_fini(&loader->identity);
		account_resolve(&request, &loader->identity, &loader->problems);
		loader->user = request.user;
		loader->group = request.group;
		loader->groups = request.groups;
		loader->resolved = true;
	}
	account_copy(&loader->identity, &builder->service->identity);
}

static struct service *new_service(const struct section *section)
{
	struct service *service = xcalloc(1, sizeof(*service));

	service->name = xstrdup(section->title ? section->title : "defaults");
	service->origin = section->origin;
	service->socket_uid = (uid_t)-1;
	service->socket_gid = (gid_t)-1;
	service->socket_mode = 0600;
	service->directory = xstrdup("/");
	service->kill_grace_ms = 5000;
	service->umask = 022;
	service->no_new_privileges = true;
	return service;
}

struct service *service_load(struct loader *loader, const struct section *section)
{
	struct service *service = new_service(section);
	struct builder builder = {
		.loader = loader, .service = service, .own = section, .defaults = loader->defaults
	};
	char why[VALUE_WHY];

	if (value_check_name(service->name, why) < 0)
		problem_add(&loader->problems, &section->origin, "service: %s", why);
	/* First, since others look at them. */
	builder_bool(&builder, KEY_DISABLE, &service->disable);
	builder_bool(&builder, KEY_TCPMUX, &service->multiplexed);
	socket_load_listen(&builder);
	socket_load(&builder);
	cage_load_root(&builder); /* before what is looked up in it */
	ability_check_root(&builder);
	what_load(&builder);
	load_how(&builder);
	load_limits(&builder);
	standing_load(&builder);
	load_account(&builder);
	cage_load(&builder);
	return service;
}

struct service *service_new_default(const struct begat_handler *handler)
{
	static const struct section none = { .kind = SECTION_SERVICE };
	struct loader loader = { .config = NULL };
	struct service *service = new_service(&none);
	struct builder builder = { .loader = &loader, .service = service, .own = &none };

	service->handler = handler;
	if (handler)
		options_load(service, NULL, &loader.problems);
	socket_load(&builder);
	load_how(&builder);
	load_limits(&builder);
	standing_load_values(&builder);
	load_account(&builder);
	account_fini(&loader.identity);
	problem_fini(&loader.problems);
	return service;
}

void service_check_defaults(struct loader *loader)
{
	struct section none = { .kind = SECTION_SERVICE, .origin = loader->defaults->origin };
	struct service *service = new_service(&none);
	struct builder builder = {
		.loader = loader, .service = service, .own = &none, .defaults = loader->defaults
	};

	builder_bool(&builder, KEY_DISABLE, &service->disable);
	builder_bool(&builder, KEY_TCPMUX, &service->multiplexed);
	socket_load(&builder);
	cage_load_root(&builder);
	what_check_defaults(&builder);
	load_how(&builder);
	load_limits(&builder);
	standing_load_values(&builder);
	load_account(&builder);
	cage_load_values(&builder);
	service_free(service);
}

bool service_listen_stands(const struct service *service, const struct service_listen *listen)
{
	if (listen->address.type == SOCK_STREAM)
		return service->waits;
	return listen->address.type == SOCK_DGRAM;
}

bool service_stands(const struct service *service)
{
	for (size_t i = 0; i < service->nlisten; i++)
		if (service_listen_stands(service, &service->listen[i]))
			return true;
	return false;
}

bool service_stands_wholly(const struct service *service)
{
	if (service->nlisten == 0 || service->multiplexed)
		return false;
	for (size_t i = 0; i < service->nlisten; i++)
		if (!service_listen_stands(service, &service->listen[i]))
			return false;
	return true;
}

const struct service_listen *service_find_listen(const struct service *service, int type)
{
	for (size_t i = 0; i < service->nlisten; i++)
		if (service->listen[i].address.type == type)
			return &service->listen[i];
	return NULL;
}

char *const *service_targets(const struct service *service)
{
	static char *const none[] = { NULL };

	if (service->handler != &redirect_handler)
		return none;
	for (size_t i = 0; i < service->nvalues; i++)
		if (strcmp(service->values[i].name, "target") == 0 && service->values[i].argv)
			return service->values[i].argv;
	return none;
}

void service_free(struct service *service)
{
	if (service == NULL)
		return;
	account_fini(&service->identity);
	admission_fini(&service->admission);
	cage_settings_fini(&service->cage);
	options_free(service->values, service->nvalues);
	strv_free(service->exec);
	strv_free(service->env);
	strv_free(service->pass_env);
	free(service->name);
	free(service->listen);
	free(service->arg0);
	free(service->banner);
	free(service->directory);
	free(service);
}
