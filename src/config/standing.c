/* SPDX-License-Identifier: ISC */
/*
 * How the clients of a service are served: each by a worker of its own, or many by a standing one.
 *
 * Called by service.c: the keys wait, reply-max, reply-factor and tcpmux.  When they are read it is
 * known which listeners stand, and so which other keys mean nothing there (vain.c).
 */
#include "config.h"

#include "config/standing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "config/targets.h"
#include "config/vain.h"
#include "handlers/handler.h"

#define REPLY_MAX	65507 /* bytes: what fits into a datagram of IPv4 */
#define REPLY_FACTOR	1000
#define NAMES		400 /* bytes of a list of handlers */

#define DATAGRAMS_COUNT 100  /* of one source, ... */
#define DATAGRAMS_MS	1000 /* ... in so much time, where nothing else is said */

static bool is_redirect(const struct service *service)
{
	return service->handler == &redirect_handler;
}

static bool is_tcpmux(const struct service *service)
{
	return service->handler == &tcpmux_handler;
}

/* Handlers that can do something, for messages */

static bool answers_datagrams(const struct begat_handler *handler)
{
	return handler->answer != NULL;
}

static bool answers_at_once(const struct begat_handler *handler)
{
	return handler->at_once;
}

typedef bool ability(const struct begat_handler *handler);

/* "daytime, qotd, time and users" */
static const char *list_handlers(ability *has, char text[static NAMES])
{
	const struct begat_handler *handler, *last = NULL;
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; (handler = handler_at(i)); i++) {
		if (!has(handler) || handler == &redirect_handler)
			continue;
		if (last && length < NAMES)
			length += (size_t)snprintf(text + length, NAMES - length, "%s%s",
						   length ? ", " : "", last->name);
		last = handler;
	}
	if (last && length < NAMES)
		snprintf(text + length, NAMES - length, "%s%s", length ? " and " : "", last->name);
	return text;
}

static const char *format_listen(const struct service_listen *listen,
				 char text[static ADDRESS_TEXT])
{
	address_format(&listen->address, text, ADDRESS_TEXT);
	return text;
}

/* wait */

static void complain_wait(const struct builder *builder, const struct setting *own)
{
	const struct service *service = builder->service;
	char names[NAMES];

	list_handlers(answers_at_once, names);
	if (is_redirect(service))
		problem_add(&builder->loader->problems, &own->origin,
			    "wait: each stream that is redirected has a worker of its own; wait = "
			    "true works with exec, and for %s",
			    names);
	else
		problem_add(&builder->loader->problems, &own->origin,
			    "wait: %s waits for its client, and so serves one at a time; wait = "
			    "true works for %s",
			    service->handler->name, names);
}

static void check_waiting(const struct builder *builder, const struct setting *own)
{
	const struct service *service = builder->service;
	const struct service_listen *fifo = service_find_listen(service, 0);
	char text[ADDRESS_TEXT];

	if (fifo)
		problem_add(&builder->loader->problems, &own->origin,
			    "wait: each reader of %s has a worker of its own; leave it out",
			    format_listen(fifo, text));
	else if (service_find_listen(service, SOCK_STREAM) && service->handler &&
		 !service->handler->at_once)
		complain_wait(builder, own);
}

static void check_not_waiting(const struct builder *builder, const struct setting *own)
{
	const struct service_listen *datagram = service_find_listen(builder->service, SOCK_DGRAM);
	char text[ADDRESS_TEXT];

	if (datagram)
		problem_add(&builder->loader->problems, &own->origin,
			    "wait: false cannot be had at %s, where one worker has the socket for "
			    "all datagrams; leave it out",
			    format_listen(datagram, text));
}

/* Whether wait = true means something here. */
static bool can_wait(const struct service *service)
{
	if (service_find_listen(service, 0) || !service_find_listen(service, SOCK_STREAM))
		return false;
	return service->exec || (service->handler && service->handler->at_once);
}

static void load_wait(const struct builder *builder)
{
	const struct setting *own = builder_own(builder, KEY_WAIT);
	struct service *service = builder->service;
	bool waits = false;

	builder_bool(builder, KEY_WAIT, &waits);
	if (own && waits)
		check_waiting(builder, own);
	else if (own)
		check_not_waiting(builder, own);
	if (own == NULL && service->multiplexed && builder_own(builder, KEY_TCPMUX))
		return;
	service->waits = waits && can_wait(service);
}

/* Answers to datagrams */

static void load_reply_max(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_REPLY_MAX);
	char why[VALUE_WHY];
	long long bytes;

	builder->service->reply_max = 512;
	if (setting == NULL)
		return;
	if (value_parse_size(setting->items[0].text, 1, REPLY_MAX, &bytes, why) < 0)
		builder_complain(builder, &setting->origin, KEY_REPLY_MAX, why);
	else
		builder->service->reply_max = (unsigned)bytes;
}

static void load_reply_factor(const struct builder *builder)
{
	int factor = 4;

	builder_integer(builder, KEY_REPLY_FACTOR, 0, REPLY_FACTOR, &factor);
	builder->service->reply_factor = (unsigned)factor;
}

static bool is_unlimited(const struct setting *setting)
{
	return setting && strcmp(setting->items[0].text, "none") == 0;
}

/* A source that asks as often as it likes may be one whose address somebody else uses. */
static void load_reply_rate(const struct builder *builder)
{
	struct service *service = builder->service;

	service->reply_rate = service->admission.source_rate;
	if (service->reply_rate.count || is_unlimited(builder_find(builder, KEY_RATE_PER_SOURCE)))
		return;
	if (service->handler && !is_redirect(service) && service_find_listen(service, SOCK_DGRAM))
		service->reply_rate = (struct service_rate){ DATAGRAMS_COUNT, DATAGRAMS_MS };
}

static void check_reply(const struct builder *builder, enum key key)
{
	const struct setting *own = builder_own(builder, key);
	const struct service *service = builder->service;

	if (own && service->handler && !is_redirect(service) && service->nlisten &&
	    !service_find_listen(service, SOCK_DGRAM))
		builder_complain(builder, &own->origin, key,
				 "for answers to datagrams only, and this service listens at no "
				 "udp: address");
}

/* Datagrams and FIFOs want somebody who can serve them. */

static void check_datagrams(const struct builder *builder)
{
	const struct service *service = builder->service;
	const struct service_listen *datagram = service_find_listen(service, SOCK_DGRAM);
	char text[ADDRESS_TEXT], names[NAMES];

	if (datagram && service->handler && !is_redirect(service) &&
	    !answers_datagrams(service->handler))
		problem_add(&builder->loader->problems, &datagram->origin,
			    "listen: %s: %s is not for datagrams; those that are: %s",
			    format_listen(datagram, text), service->handler->name,
			    list_handlers(answers_datagrams, names));
}

static void check_fifos(const struct builder *builder)
{
	const struct service *service = builder->service;
	const struct service_listen *fifo = service_find_listen(service, 0);
	char text[ADDRESS_TEXT];

	if (fifo && is_tcpmux(service))
		problem_add(&builder->loader->problems, &fifo->origin,
			    "listen: %s: what reads a FIFO cannot say which service it wants from "
			    "tcpmux",
			    format_listen(fifo, text));
}

/* tcpmux */

/* What speaks against handing clients over to the service; NULL: nothing. */
static const char *find_obstacle(const struct service *service)
{
	char *const *targets = service_targets(service);

	if (service_stands(service))
		return "clients that are handed over have a worker each, and here one serves all "
		       "of them; make a service of its own";
	if (service->admission.proxies)
		return "clients that are handed over bring no PROXY header; leave proxy-protocol "
		       "out, or make a service of its own";
	if (is_tcpmux(service))
		return "this is the service that hands clients over";
	if (targets[0] && target_is_datagram(targets[0]))
		return "streams cannot be redirected to where datagrams are taken";
	if (strcasecmp(service->name, "help") == 0)
		return "the name \"help\" asks tcpmux for the list of all others; use another one";
	return NULL;
}

static void check_multiplexed(const struct builder *builder)
{
	const struct setting *own = builder_own(builder, KEY_TCPMUX);
	struct service *service = builder->service;
	const char *obstacle = service->multiplexed ? find_obstacle(service) : NULL;

	if (obstacle == NULL)
		return;
	if (own)
		builder_complain(builder, &own->origin, KEY_TCPMUX, obstacle);
	else if (service->nlisten == 0)
		problem_add(&builder->loader->problems, &service->origin,
			    "service \"%s\" listens nowhere: tcpmux: %s", service->name, obstacle);
	service->multiplexed = false;
}

/* It reads of a connection no more than a name, and hands it over as it is then. */
static void check_multiplexer(const struct builder *builder)
{
	struct service *service = builder->service;
	const struct setting *proxies = builder_find(builder, KEY_PROXY_PROTOCOL);

	if (is_tcpmux(service) && service->admission.proxies)
		builder_complain(builder, &proxies->origin, KEY_PROXY_PROTOCOL,
				 "tcpmux cannot hand on what a PROXY header says of its clients");
}

void standing_load_values(const struct builder *builder)
{
	bool waits = false;

	builder_bool(builder, KEY_WAIT, &waits);
	load_reply_max(builder);
	load_reply_factor(builder);
}

void standing_load(const struct builder *builder)
{
	load_wait(builder);
	load_reply_max(builder);
	load_reply_factor(builder);
	check_reply(builder, KEY_REPLY_MAX);
	check_reply(builder, KEY_REPLY_FACTOR);
	check_datagrams(builder);
	check_fifos(builder);
	check_multiplexed(builder); /* while it is known what is set */
	check_multiplexer(builder);
	vain_check(builder);
	load_reply_rate(builder);
}
