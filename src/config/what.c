/* SPDX-License-Identifier: ISC */
/*
 * What serves: a handler, a program, or a redirect.
 *
 * Called by service.c when the root and the listeners are known, since programs are looked up in
 * the one, and what is redirected (redirect.c) has to be of the kind of the others.  A key that
 * means something for one of the three only is an error where the service itself sets it for
 * another, and is passed over where it comes from the defaults.
 */
#include "config.h"

#include "config/what.h"

#include "base/mem.h"
#include "config/nearest.h"
#include "config/options.h"
#include "config/redirect.h"
#include "handlers/handler.h"

#define ARGUMENTS_MAX 250

/* A handler */

static void complain_handler(const struct builder *builder, const struct setting *setting)
{
	struct nearest nearest = { .wanted = setting->items[0].text };
	char suggestion[NEAREST_SUFFIX];

	for (size_t i = 0; handler_at(i); i++)
		if (handler_at(i) != &redirect_handler)
			nearest_offer(&nearest, handler_at(i)->name);
	nearest_format(&nearest, suggestion);
	problem_add(&builder->loader->problems, &setting->origin,
		    "handler: there is no handler \"%.64s\"%s", nearest.wanted, suggestion);
}

static void load_handler(const struct builder *builder, const struct setting *setting)
{
	const struct begat_handler *handler = handler_find(setting->items[0].text);
	const struct setting *options = builder_own(builder, KEY_OPTIONS);
	struct service *service = builder->service;

	if (handler == &redirect_handler) {
		builder_complain(builder, &setting->origin, KEY_HANDLER,
				 "leave it out, and write where clients are passed on to: redirect "
				 "= \"tcp:HOST:PORT\"");
		return;
	}
	if (handler == NULL) {
		complain_handler(builder, setting);
		return;
	}
	service->handler = handler;
	/* Those of the defaults are meant for the handler of the defaults. */
	if (options == NULL && setting == builder_default(builder, KEY_HANDLER))
		options = builder_default(builder, KEY_OPTIONS);
	options_load(service, options, &builder->loader->problems);
}

/* A program */

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

/* Exactly one */

#define WHATS 3

static const enum key what_keys[WHATS] = { KEY_HANDLER, KEY_EXEC, KEY_REDIRECT };

static size_t find_whats(const struct builder *builder,
			 const struct setting *(*find)(const struct builder *, enum key),
			 const struct setting *found[static WHATS])
{
	size_t count = 0;

	for (size_t i = 0; i < WHATS; i++) {
		found[i] = find(builder, what_keys[i]);
		count += found[i] != NULL;
	}
	return count;
}

static void complain_several(const struct builder *builder, const struct setting *const *found)
{
	const size_t first = found[0] ? 0 : 1, second = found[0] && found[1] ? 1 : 2;

	problem_add(&builder->loader->problems, &found[second]->origin,
		    "service \"%s\" has both %s and %s; it takes one", builder->service->name,
		    key_table[what_keys[first]].name, key_table[what_keys[second]].name);
}

static void load_found(const struct builder *builder, const struct setting *const *found)
{
	if (found[0])
		load_handler(builder, found[0]);
	else if (found[1])
		load_exec(builder, found[1]);
	else
		redirect_load(builder, found[2]);
}

enum kind { NOTHING = 0, HANDLER = 1, PROGRAM = 2, REDIRECT = 4 };

static enum kind kind_of(const struct service *service)
{
	if (service->exec)
		return PROGRAM;
	if (service->handler == &redirect_handler)
		return REDIRECT;
	return service->handler ? HANDLER : NOTHING;
}

static void check_keys(const struct builder *builder)
{
	static const struct {
		enum key key;
		unsigned kinds; /* that it is not for */
		const char *why;
	} keys[] = {
		{ KEY_OPTIONS, PROGRAM, "for handlers only; exec takes arguments" },
		{ KEY_OPTIONS, REDIRECT,
		  "for handlers only; a redirect has connect-timeout and send-proxy" },
		{ KEY_FIRST_BYTE_TIMEOUT, PROGRAM,
		  "for handlers only, because begat does not see what a program reads; use "
		  "max-time" },
		{ KEY_FIRST_BYTE_TIMEOUT, REDIRECT,
		  "for handlers only, because either side of a redirect may begin; use "
		  "idle-timeout" },
		{ KEY_IDLE_TIMEOUT, PROGRAM,
		  "for handlers only, because begat does not see what a program reads; use "
		  "max-time" },
		{ KEY_ARG0, HANDLER, "for exec only; a handler has no arguments" },
		{ KEY_ARG0, REDIRECT, "for exec only; a redirect has no arguments" },
		{ KEY_CRLF, HANDLER, "for exec only; a handler writes the right line ends itself" },
		{ KEY_CRLF, REDIRECT, "for exec only; a redirect changes no byte" },
		{ KEY_CAPABILITIES, HANDLER, "for exec only; a handler never has any" },
		{ KEY_CAPABILITIES, REDIRECT, "for exec only; a redirect never has any" },
		{ KEY_CONNECT_TIMEOUT, HANDLER | PROGRAM, "for redirect only" },
		{ KEY_SEND_PROXY, HANDLER | PROGRAM, "for redirect only" },
		{ KEY_REPLY_MAX, PROGRAM,
		  "for handlers only, because begat does not see what a program answers" },
		{ KEY_REPLY_MAX, REDIRECT,
		  "for handlers only; a redirect passes on what its target answers" },
		{ KEY_REPLY_FACTOR, PROGRAM,
		  "for handlers only, because begat does not see what a program answers" },
		{ KEY_REPLY_FACTOR, REDIRECT,
		  "for handlers only; a redirect passes on what its target answers" },
	};
	const enum kind kind = kind_of(builder->service);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct setting *setting = builder_own(builder, keys[i].key);

		if (setting && (keys[i].kinds & kind))
			builder_complain(builder, &setting->origin, keys[i].key, keys[i].why);
	}
}

/* A service that has one of them takes none from the defaults. */
void what_load(const struct builder *builder)
{
	const struct service *service = builder->service;
	const struct setting *found[WHATS];
	size_t count = find_whats(builder, builder_own, found);

	if (count == 0)
		count = find_whats(builder, builder_default, found);
	if (count > 1)
		complain_several(builder, found);
	else if (count == 1)
		load_found(builder, found);
	else
		problem_add(&builder->loader->problems, &service->origin,
			    "service \"%s\" has none of handler, exec and redirect", service->name);
	check_keys(builder);
}

void what_check_defaults(const struct builder *builder)
{
	const struct setting *found[WHATS];

	if (find_whats(builder, builder_default, found) > 0)
		what_load(builder);
	redirect_load_values(builder);
}
