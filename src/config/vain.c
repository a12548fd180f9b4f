/* SPDX-License-Identifier: ISC */
/*
 * Keys that mean nothing for the clients that a service has.
 *
 * Some keys want a client of whom begat knows, or a worker for each, or somebody with an address.
 * Called by standing.c when it is known how each listener is served.  Such a key is an error where
 * the service itself sets it.  From the defaults it is passed over: forgotten, with a warning where
 * it says who may come in.  In a service that has other clients as well it is kept when it can hold
 * for these alone, and otherwise an error too, lest somebody believes that it holds for all.
 */
#include "config.h"

#include "config/vain.h"

#include <stdlib.h>

/* Who the clients are that a key does not hold for. */
enum group {
	GROUP_UNSEEN,  /* of a program that has the socket itself */
	GROUP_SHARED,  /* those who have one worker of a handler together */
	GROUP_FORGED,  /* whoever sends datagrams to a handler */
	GROUP_READERS, /* of a FIFO */
};

typedef bool is_part(const struct service *service, const struct service_listen *listen);

static bool takes_datagrams(const struct service *service, const struct service_listen *listen)
{
	(void)service;
	return listen->address.type == SOCK_DGRAM;
}

static bool has_readers(const struct service *service, const struct service_listen *listen)
{
	(void)service;
	return listen->address.type == 0;
}

static is_part *const parts[] = {
	[GROUP_UNSEEN] = service_listen_stands,
	[GROUP_SHARED] = service_listen_stands,
	[GROUP_FORGED] = takes_datagrams,
	[GROUP_READERS] = has_readers,
};

static bool can_be(const struct service *service, enum group group)
{
	return group == GROUP_READERS || (group == GROUP_UNSEEN) == (service->exec != NULL);
}

/* The first listener at which they come; wholly: there are no others.  NULL: there are none. */
static const struct service_listen *find_group(const struct service *service, enum group group,
					       bool *wholly)
{
	const struct service_listen *first = NULL;

	*wholly = !service->multiplexed;
	for (size_t i = service->nlisten; can_be(service, group) && i-- > 0;) {
		if (parts[group](service, &service->listen[i]))
			first = &service->listen[i];
		else
			*wholly = false;
	}
	return first;
}

/* Forgets a value; false: there is none. */
typedef bool forget(struct service *service);

static bool forget_only_from(struct service *service)
{
	const bool had = service->admission.only_from != NULL;

	service->admission.only_from = NULL;
	return had;
}

static bool forget_no_access(struct service *service)
{
	const bool had = service->admission.no_access != NULL;

	service->admission.no_access = NULL;
	return had;
}

static bool forget_proxies(struct service *service)
{
	const bool had = service->admission.proxies != NULL;

	service->admission.proxies = NULL;
	return had;
}

static bool forget_per_source(struct service *service)
{
	const bool had = service->admission.per_source > 0;

	service->admission.per_source = 0;
	return had;
}

static bool forget_source_rate(struct service *service)
{
	const bool had = service->admission.source_rate.count > 0;

	service->admission.source_rate = (struct service_rate){ 0 };
	return had;
}

static bool forget_text(char **text)
{
	const bool had = *text != NULL;

	free(*text);
	*text = NULL;
	return had;
}

static bool forget_banner(struct service *service)
{
	return forget_text(&service->banner);
}

static bool forget_banner_fail(struct service *service)
{
	return forget_text(&service->admission.banner_fail);
}

static bool forget_ban(struct service *service)
{
	const bool had = service->admission.ban_ms > 0;

	service->admission.ban_ms = 0;
	service->admission.ban_after = (struct service_rate){ 0 };
	return had;
}

static bool forget_crlf(struct service *service)
{
	const bool had = service->crlf;

	service->crlf = false;
	return had;
}

static bool forget_stderr(struct service *service)
{
	const bool had = service->stderr_to == SERVICE_STDERR_CLIENT;

	if (had)
		service->stderr_to = SERVICE_STDERR_LOG;
	return had;
}

static bool forget_first_byte(struct service *service)
{
	const bool had = service->first_byte_ms > 0;

	service->first_byte_ms = 0;
	return had;
}

static bool forget_max_time(struct service *service)
{
	const bool had = service->max_time_ms > 0;

	service->max_time_ms = 0;
	return had;
}

#define NO_ADDRESS "what reads a FIFO has no address, and its mode says who may"

static const struct vain {
	enum key key;
	enum group group;
	forget *forget;
	bool only_wholly; /* beside others it is for these */
	bool guards;	  /* who relies on it must hear that it does not hold */
	const char *why;  /* NULL: as for all of the group */
} vains[] = {
	{ KEY_ONLY_FROM, GROUP_UNSEEN, forget_only_from, false, true, NULL },
	{ KEY_NO_ACCESS, GROUP_UNSEEN, forget_no_access, false, true, NULL },
	{ KEY_PROXY_PROTOCOL, GROUP_UNSEEN, forget_proxies, false, true, NULL },
	{ KEY_PER_SOURCE, GROUP_UNSEEN, forget_per_source, false, false, NULL },
	{ KEY_RATE_PER_SOURCE, GROUP_UNSEEN, forget_source_rate, false, false, NULL },
	{ KEY_BAN, GROUP_UNSEEN, forget_ban, false, false, NULL },
	{ KEY_BANNER, GROUP_UNSEEN, forget_banner, false, false, NULL },
	{ KEY_BANNER_FAIL, GROUP_UNSEEN, forget_banner_fail, false, false, NULL },
	{ KEY_CRLF, GROUP_UNSEEN, forget_crlf, false, false, NULL },
	{ KEY_STDERR, GROUP_UNSEEN, forget_stderr, false, false, NULL },
	{ KEY_PROXY_PROTOCOL, GROUP_SHARED, forget_proxies, false, true,
	  "only a worker for one client reads a PROXY header" },
	{ KEY_BANNER, GROUP_SHARED, forget_banner, true, false, NULL },
	{ KEY_STDERR, GROUP_SHARED, forget_stderr, true, false, NULL },
	{ KEY_FIRST_BYTE_TIMEOUT, GROUP_SHARED, forget_first_byte, true, false, NULL },
	{ KEY_MAX_TIME, GROUP_SHARED, forget_max_time, true, false, NULL },
	{ KEY_BANNER_FAIL, GROUP_FORGED, forget_banner_fail, true, false,
	  "who is refused gets no answer" },
	{ KEY_BAN, GROUP_FORGED, forget_ban, true, false,
	  "anybody can send datagrams in the name of others, who would be banned" },
	{ KEY_ONLY_FROM, GROUP_READERS, forget_only_from, false, false, NO_ADDRESS },
	{ KEY_NO_ACCESS, GROUP_READERS, forget_no_access, false, false, NO_ADDRESS },
	{ KEY_PROXY_PROTOCOL, GROUP_READERS, forget_proxies, false, false, NO_ADDRESS },
	{ KEY_PER_SOURCE, GROUP_READERS, forget_per_source, false, false, NO_ADDRESS },
	{ KEY_RATE_PER_SOURCE, GROUP_READERS, forget_source_rate, false, false, NO_ADDRESS },
	{ KEY_BAN, GROUP_READERS, forget_ban, false, false, NO_ADDRESS },
	{ KEY_BANNER_FAIL, GROUP_READERS, forget_banner_fail, true, false,
	  "what reads a FIFO while it is refused gets nothing" },
	{ KEY_FIRST_BYTE_TIMEOUT, GROUP_READERS, forget_first_byte, true, false,
	  "what reads a FIFO sends nothing" },
};

static const char *explain(const struct vain *vain)
{
	if (vain->why)
		return vain->why;
	return vain->group == GROUP_UNSEEN
		       ? "the program has the socket itself, and begat sees none of its clients"
		       : "one worker serves all clients, one after the other";
}

static void complain_vain(const struct builder *builder, const struct vain *vain,
			  const struct service_listen *listen, bool wholly)
{
	const struct setting *setting = builder_find(builder, vain->key);
	const bool is_own = builder_own(builder, vain->key) != NULL;
	char text[ADDRESS_TEXT];

	address_format(&listen->address, text, sizeof(text));
	(is_own || !wholly ? problem_add : problem_warn)(
		&builder->loader->problems, &setting->origin,
		"%s: has no effect at %s of \"%s\": %s%s", key_table[vain->key].name, text,
		builder->service->name, explain(vain),
		wholly ? "" : "; make a service of its own for it");
}

static void check_vain(const struct builder *builder, const struct vain *vain)
{
	const bool is_own = builder_own(builder, vain->key) != NULL;
	const struct service_listen *listen;
	bool wholly;

	listen = find_group(builder->service, vain->group, &wholly);
	if (listen == NULL || (vain->only_wholly && !wholly) || !vain->forget(builder->service))
		return;
	if (is_own || (builder_find(builder, vain->key) && (!wholly || vain->guards)))
		complain_vain(builder, vain, listen, wholly);
}

void vain_check(const struct builder *builder)
{
	for (size_t i = 0; i < sizeof(vains) / sizeof(vains[0]); i++)
		check_vain(builder, &vains[i]);
}
