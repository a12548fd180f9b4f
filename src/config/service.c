/* SPDX-License-Identifier: ISC */
/*
 * The settings of one service.
 *
 * A service takes each key from its own section, or else from "defaults", or else the default that
 * begat.conf(5) gives.  Every value is parsed by value.c and every problem is added, so one pass
 * shows all.  What a key means for handlers only, or for programs only, is an error where the
 * service itself sets it for the other kind, and is passed over where it comes from "defaults".
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
#include "config/nearest.h"
#include "config/options.h"
#include "config/socket.h"
#include "config/value.h"
#include "handlers/handler.h"

#define HOUR_MS	      3600000LL
#define DAY_MS	      (24 * HOUR_MS)

#define ARGUMENTS_MAX 250
#define VARIABLES_MAX 100 /* of each kind: together they fit into a plan's vector */

/* What is served */

static void complain_handler(const struct builder *builder, const struct setting *setting)
{
	struct nearest nearest = { .wanted = setting->items[0].text };
	char suggestion[NEAREST_SUFFIX];

	for (size_t i = 0; handler_at(i); i++)
		nearest_offer(&nearest, handler_at(i)->name);
	nearest_format(&nearest, suggestion);
	problem_add(&builder->loader->problems, &setting->origin,
		    "handler: there is no handler \"%.64s\"%s", nearest.wanted, suggestion);
}

static void load_handler(const struct builder *builder, const struct setting *setting)
{
	struct service *service = builder->service;
	const struct setting *options = builder_own(builder, KEY_OPTIONS);

	service->handler = handler_find(setting->items[0].text);
	if (service->handler == NULL) {
		complain_handler(builder, setting);
		return;
	}
	/* Those of the defaults are meant for the handler of the defaults. */
	if (options == NULL && setting == builder_default(builder, KEY_HANDLER))
		options = builder_default(builder, KEY_OPTIONS);
	options_load(service, options, &builder->loader->problems);
}

static void load_exec(const struct builder *builder, const struct setting *setting)
{
	struct origin at = item_origin(setting, 0);
	struct service *service = builder->service;
	char why[VALUE_WHY];
	size_t count = 0;

	if (setting->count == 0) {
		builder_complain(builder, &at, KEY_EXEC, "the list is empty");
		return;
	}
	if (setting->count > ARGUMENTS_MAX)
		problem_add(&builder->loader->problems, &at, "exec: %zu words are more than %d",
			    setting->count, ARGUMENTS_MAX);
	for (size_t i = 0; i < setting->count; i++)
		strv_add(&service->exec, &count, xstrdup(setting->items[i].text));
	/* Software may well be away while its service is off. */
	if (!service->disable &&
	    value_check_program(service->cage.chroot, service->exec[0], why) < 0)
		builder_complain(builder, &at, KEY_EXEC, why);
	else if (value_check_path(service->exec[0], why) < 0)
		builder_complain(builder, &at, KEY_EXEC, why);
	if (setting == builder_default(builder, KEY_EXEC) || builder_own(builder, KEY_ARG0))
		builder_text(builder, KEY_ARG0, NULL, &service->arg0);
}

/* A service that has one of the two takes neither from the defaults. */
static void load_what(const struct builder *builder)
{
	const struct setting *handler = builder_own(builder, KEY_HANDLER);
	const struct setting *exec = builder_own(builder, KEY_EXEC);
	const struct service *service = builder->service;

	if (handler == NULL && exec == NULL) {
		handler = builder_default(builder, KEY_HANDLER);
		exec = builder_default(builder, KEY_EXEC);
	}
	if (handler && exec)
		problem_add(&builder->loader->problems, &exec->origin,
			    "service \"%s\" has both handler and exec; it takes one",
			    service->name);
	else if (handler)
		load_handler(builder, handler);
	else if (exec)
		load_exec(builder, exec);
	else
		problem_add(&builder->loader->problems, &service->origin,
			    "service \"%s\" has neither handler nor exec", service->name);
}

/* Keys that mean something for one of the two kinds only. */
static void check_kind(const struct builder *builder)
{
	static const struct {
		enum key key;
		bool program;
		const char *why;
	} kinds[] = {
		{ KEY_OPTIONS, false, "for handlers only; exec takes arguments" },
		{ KEY_FIRST_BYTE_TIMEOUT, false,
		  "for handlers only, because begat does not see what a program reads; use "
		  "max-time" },
		{ KEY_IDLE_TIMEOUT, false,
		  "for handlers only, because begat does not see what a program reads; use "
		  "max-time" },
		{ KEY_ARG0, true, "for exec only; a handler has no arguments" },
		{ KEY_CRLF, true, "for exec only; a handler writes the right line ends itself" },
		{ KEY_CAPABILITIES, true, "for exec only; a handler never has any" },
	};
	const struct service *service = builder->service;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct setting *setting = builder_own(builder, kinds[i].key);
		bool wrong = kinds[i].program ? service->handler != NULL : service->exec != NULL;

		if (setting && wrong)
			builder_complain(builder, &setting->origin, kinds[i].key, kinds[i].why);
	}
}

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
	const struct setting *wait = builder_find(builder, KEY_WAIT);
	struct service *service = builder->service;
	bool standing = false;

	builder_bool(builder, KEY_WAIT, &standing);
	if (standing)
		builder_complain(builder, &wait->origin, KEY_WAIT,
				 "standing workers are not in this version");
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

static void load_limits(const struct builder *builder)
{
	struct service *service = builder->service;
	long long instances = 100;

	builder_number(builder, KEY_INSTANCES, 1000000, &instances);
	service->instances = (unsigned)instances;
	service->max_time_ms = service->handler ? HOUR_MS : 0;
	builder_duration(builder, KEY_MAX_TIME, 7 * DAY_MS, &service->max_time_ms);
	builder_duration(builder, KEY_KILL_GRACE, HOUR_MS, &service->kill_grace_ms);
	admission_load(builder);
	if (service->exec)
		return;
	service->first_byte_ms = 60000;
	service->idle_ms = 5 * 60000;
	builder_duration(builder, KEY_FIRST_BYTE_TIMEOUT, DAY_MS, &service->first_byte_ms);
	builder_duration(builder, KEY_IDLE_TIMEOUT, DAY_MS, &service->idle_ms);
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
	builder_bool(&builder, KEY_DISABLE, &service->disable); /* first: others look at it */
	socket_load_listen(&builder);
	socket_load(&builder);
	cage_load_root(&builder); /* before what is looked up in it */
	ability_check_root(&builder);
	load_what(&builder);
	check_kind(&builder);
	load_how(&builder);
	load_limits(&builder);
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
	socket_load(&builder);
	cage_load_root(&builder);
	if (builder_find(&builder, KEY_HANDLER) || builder_find(&builder, KEY_EXEC))
		load_what(&builder);
	load_how(&builder);
	load_limits(&builder);
	load_account(&builder);
	cage_load_values(&builder);
	service_free(service);
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
