/* SPDX-License-Identifier: ISC */
/*
 * Where a service is redirected to, and how.
 *
 * A redirect is served by the handler of that name, whose options are keys of the service here:
 * nobody writes its name, and begatd --handlers does not show it.  Called by what.c.  Targets are
 * read by targets.c; whether they go together, with each other and with the listeners, is seen
 * here.  Names are not looked up: whether there is such a host shows when a client comes.
 */
#include "config.h"

#include "config/redirect.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/options.h"
#include "config/targets.h"
#include "handlers/handler.h"

#define TARGETS_MAX 16

/* Values */

static const struct begat_option *find_option(const char *name)
{
	const struct begat_option *option = redirect_handler.options;

	while (strcmp(option->name, name) != 0)
		option++; /* redirect_handler declares all that are asked for here */
	return option;
}

/* The value of an option, which has a place already unless it is a list. */
static struct begat_value *put_value(struct service *service, const char *name)
{
	struct begat_value *value;

	for (size_t i = 0; i < service->nvalues; i++)
		if (strcmp(service->values[i].name, name) == 0)
			return &service->values[i];
	service->values = xreallocarray(service->values, service->nvalues + 1, sizeof(*value));
	value = &service->values[service->nvalues++];
	*value = (struct begat_value){ .name = xstrdup(name) };
	return value;
}

static void load_connect_timeout(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_CONNECT_TIMEOUT);
	const struct begat_option *option = find_option("connect-timeout");
	char why[VALUE_WHY];
	long long ms;

	if (setting == NULL)
		return;
	if (value_parse_duration(setting->items[0].text, option->min, option->max, &ms, why) < 0)
		builder_complain(builder, &setting->origin, KEY_CONNECT_TIMEOUT, why);
	else if (builder->service->handler == &redirect_handler)
		put_value(builder->service, option->name)->number = ms;
}

static void set_send_proxy(struct service *service, const char *version)
{
	struct begat_value *value = put_value(service, "send-proxy");

	free((char *)(uintptr_t)value->string);
	value->string = xstrdup(version);
}

static void load_send_proxy(const struct builder *builder)
{
	static const char *const words[] = { "none", "v1", "v2", NULL };
	const int place = builder_word(builder, KEY_SEND_PROXY, words, 0);

	if (builder->service->handler == &redirect_handler)
		set_send_proxy(builder->service, words[place]);
}

static bool has_target(char *const *targets, const char *target)
{
	for (; targets && *targets; targets++)
		if (strcmp(*targets, target) == 0)
			return true;
	return false;
}

static const char *kind_of(const char *target)
{
	return target_is_datagram(target) ? "datagrams" : "streams";
}

/* Takes the target over. */
static void add_target(const struct builder *builder, const struct origin *at, char *target,
		       char ***targets)
{
	struct problem_list *problems = &builder->loader->problems;
	size_t count = 0;

	if (has_target(*targets, target))
		problem_add(problems, at, "redirect: %.200s is there twice", target);
	else if (*targets && target_is_datagram((*targets)[0]) != target_is_datagram(target))
		problem_add(problems, at,
			    "redirect: %.200s takes %s and %.200s takes %s; all targets are of one "
			    "kind",
			    (*targets)[0], kind_of((*targets)[0]), target, kind_of(target));
	while (*targets && (*targets)[count])
		count++;
	strv_add(targets, &count, target);
}

static void load_targets(const struct builder *builder, const struct setting *setting)
{
	char why[VALUE_WHY], **targets = NULL, *target;

	for (size_t i = 0; i < setting->count && i < TARGETS_MAX; i++) {
		const struct origin at = item_origin(setting, i);

		target = target_parse(setting->items[i].text, why, sizeof(why));
		if (target)
			add_target(builder, &at, target, &targets);
		else
			builder_complain(builder, &at, KEY_REDIRECT, why);
	}
	if (setting->count == 0)
		builder_complain(builder, &setting->origin, KEY_REDIRECT, "the list is empty");
	if (setting->count > TARGETS_MAX)
		problem_add(&builder->loader->problems, &setting->origin,
			    "redirect: %zu targets are more than %d", setting->count, TARGETS_MAX);
	put_value(builder->service, "target")->argv = targets;
}

/* Whether what comes to a listener can go on to such a target. */
static bool is_of_kind(const struct address *address, bool datagrams)
{
	return address->type != 0 && (address->type == SOCK_DGRAM) == datagrams;
}

static void complain_kind(const struct builder *builder, const struct service_listen *listen,
			  const char *target)
{
	struct problem_list *problems = &builder->loader->problems;
	char text[ADDRESS_TEXT];

	address_format(&listen->address, text, sizeof(text));
	if (listen->address.type == 0)
		problem_add(problems, &listen->origin,
			    "listen: what reads %s cannot be redirected; write handler or exec",
			    text);
	else
		problem_add(problems, &listen->origin,
			    "listen: %s takes %s, and redirect leads to %.200s, which takes %s; "
			    "make one service for tcp: and unix:, and one for udp:",
			    text, listen->address.type == SOCK_DGRAM ? "datagrams" : "streams",
			    target, kind_of(target));
}

static void check_kinds(const struct builder *builder, const char *target)
{
	const struct service *service = builder->service;

	for (size_t i = 0; i < service->nlisten; i++) {
		if (is_of_kind(&service->listen[i].address, target_is_datagram(target)))
			continue;
		complain_kind(builder, &service->listen[i], target);
		return; /* a range of ports has thousands of them */
	}
}

static bool is_loopback(const struct address *address)
{
	if (address->sa.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 == 127;
	return address->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

/* A port of all addresses may well lead to the same port of another host. */
static bool is_itself(const struct service *service, const struct address *target)
{
	for (size_t i = 0; i < service->nlisten; i++) {
		const struct address *address = &service->listen[i].address;

		if (address_conflicts(address, target) &&
		    (is_loopback(target) || !address_is_wildcard(address)))
			return true;
	}
	return false;
}

/* That of the defaults is for those that have streams. */
static void check_send_proxy(const struct builder *builder, const char *target)
{
	const struct setting *own = builder_own(builder, KEY_SEND_PROXY);

	if (!target_is_datagram(target))
		return;
	if (own && strcmp(own->items[0].text, "none") != 0)
		problem_add(&builder->loader->problems, &own->origin,
			    "send-proxy: a PROXY header is for streams, and %.200s takes datagrams",
			    target);
	set_send_proxy(builder->service, "none");
}

static void check_circle(const struct builder *builder, const struct setting *setting,
			 const char *target)
{
	struct address *list;
	char why[VALUE_WHY];
	size_t count;

	if (address_parse(target, &list, &count, why, sizeof(why)) < 0)
		return; /* a name */
	if (is_itself(builder->service, &list[0]))
		problem_add(&builder->loader->problems, &setting->origin,
			    "redirect: %.200s leads back to service \"%s\" itself", target,
			    builder->service->name);
	free(list);
}

void redirect_load_values(const struct builder *builder)
{
	load_connect_timeout(builder);
	load_send_proxy(builder);
}

void redirect_load(const struct builder *builder, const struct setting *setting)
{
	struct service *service = builder->service;
	char *const *targets;

	service->handler = &redirect_handler;
	options_load(service, NULL, &builder->loader->problems);
	load_targets(builder, setting);
	redirect_load_values(builder);
	targets = service_targets(service);
	if (*targets) {
		check_kinds(builder, *targets);
		check_send_proxy(builder, *targets);
	}
	for (; *targets; targets++)
		check_circle(builder, setting, *targets);
}
