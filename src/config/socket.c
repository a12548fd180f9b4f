/* SPDX-License-Identifier: ISC */
/*
 * Where a service listens: its addresses, and what its sockets are like.
 *
 * Called by service.c.  Addresses are only read here; whether two of them are in each other's way
 * is seen when all services are known (conflict.c), and whether they can be bound when they are.
 */
#include "config.h"

#include "config/socket.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/account.h"

#define LISTEN_MAX 100000 /* of all services: each is a descriptor */

static void load_listen_item(const struct builder *builder, const struct setting *setting,
			     size_t index)
{
	struct service *service = builder->service;
	struct origin at = item_origin(setting, index);
	struct address *list;
	char why[VALUE_WHY];
	size_t count;

	if (address_parse(setting->items[index].text, &list, &count, why, sizeof(why)) < 0) {
		builder_complain(builder, &at, KEY_LISTEN, why);
		return;
	}
	builder->loader->nlisten += count;
	if (builder->loader->nlisten > LISTEN_MAX) {
		problem_add(&builder->loader->problems, &at, "listen: more than %d addresses",
			    LISTEN_MAX);
		free(list);
		return;
	}
	service->listen =
		xreallocarray(service->listen, service->nlisten + count, sizeof(*service->listen));
	for (size_t i = 0; i < count; i++)
		service->listen[service->nlisten++] =
			(struct service_listen){ .address = list[i], .origin = at };
	free(list);
}

void socket_load_listen(const struct builder *builder)
{
	const struct setting *setting = builder_own(builder, KEY_LISTEN);
	const struct service *service = builder->service;

	if (setting == NULL && !service->multiplexed)
		problem_add(&builder->loader->problems, &service->origin,
			    "service \"%s\" listens nowhere: listen is missing", service->name);
	else if (setting && setting->count == 0)
		builder_complain(builder, &setting->origin, KEY_LISTEN, "the list is empty");
	for (size_t i = 0; setting && i < setting->count; i++)
		load_listen_item(builder, setting, i);
}

static void load_socket_user(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_SOCKET_USER);
	uid_t *uid = &builder->service->socket_uid;

	if (setting == NULL)
		return;
	if (account_find_user(setting->items[0].text, uid) < 0)
		problem_add(&builder->loader->problems, &setting->origin,
			    "socket-user: there is no user \"%.64s\"", setting->items[0].text);
	else if (geteuid() != 0 && *uid != geteuid())
		builder_complain(builder, &setting->origin, KEY_SOCKET_USER,
				 "only root can give a socket away");
}

static void load_socket_group(const struct builder *builder)
{
	const struct setting *setting = builder_find(builder, KEY_SOCKET_GROUP);
	gid_t *gid = &builder->service->socket_gid;

	if (setting == NULL)
		return;
	if (account_find_group(setting->items[0].text, gid) < 0)
		problem_add(&builder->loader->problems, &setting->origin,
			    "socket-group: there is no group \"%.64s\"", setting->items[0].text);
	else if (geteuid() != 0 && !group_member(*gid))
		builder_complain(builder, &setting->origin, KEY_SOCKET_GROUP,
				 "you are not in this group, and only root can use any");
}

void socket_load(const struct builder *builder)
{
	long long backlog = 4096;

	builder_number(builder, KEY_BACKLOG, 65535, &backlog);
	builder->service->backlog = (int)backlog;
	load_socket_user(builder);
	load_socket_group(builder);
	builder_mode(builder, KEY_SOCKET_MODE, &builder->service->socket_mode);
}
