/* SPDX-License-Identifier: ISC */
/*
 * Listeners of one configuration that could not all be bound.
 *
 * Sorted by port or path first: a configuration may have thousands of them, and only neighbours can
 * be in each other's way.  Services that are disabled bind nothing and are left out.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/inet.h"
#include "base/mem.h"
#include "config/loader.h"

struct place {
	const struct service_listen *listen;
	const char *service;
	size_t serial; /* in the order of the files */
};

static struct place *list_places(const struct config *config, size_t *count)
{
	struct place *places = NULL;

	*count = 0;
	for (size_t i = 0; i < config->nservices; i++) {
		const struct service *service = config->services[i];

		if (service->disable)
			continue;
		places = xreallocarray(places, *count + service->nlisten, sizeof(*places));
		for (size_t k = 0; k < service->nlisten; k++) {
			places[*count] = (struct place){ &service->listen[k], service->name, 0 };
			places[*count].serial = *count;
			++*count;
		}
	}
	return places;
}

static int compare_unix(const struct address *a, const struct address *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(&a->un, &b->un, a->length);
}

static int compare_inet(const struct address *a, const struct address *b)
{
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return (int)inet_port(&a->sa) - (int)inet_port(&b->sa);
}

static int compare(const void *first, const void *second)
{
	const struct place *x = first, *y = second;
	const struct address *a = &x->listen->address, *b = &y->listen->address;
	int order = (a->sa.sa_family == AF_UNIX) - (b->sa.sa_family == AF_UNIX);

	if (order == 0 && a->sa.sa_family == AF_UNIX)
		order = compare_unix(a, b);
	else if (order == 0)
		order = compare_inet(a, b);
	return order ? order : (x->serial > y->serial) - (x->serial < y->serial);
}

/* Whether anything that comes after b in the sorted order may still conflict with a. */
static bool is_near(const struct address *a, const struct address *b)
{
	if (a->sa.sa_family == AF_UNIX || b->sa.sa_family == AF_UNIX)
		return a->sa.sa_family == b->sa.sa_family && compare_unix(a, b) == 0;
	return compare_inet(a, b) == 0 && inet_port(&a->sa) != 0;
}

static void complain(struct loader *loader, const struct place *first, const struct place *second)
{
	char text[ADDRESS_TEXT], other[ADDRESS_TEXT];
	const struct origin *origin = &first->listen->origin;

	address_format(&second->listen->address, text, sizeof(text));
	address_format(&first->listen->address, other, sizeof(other));
	if (strcmp(text, other) == 0)
		problem_add(&loader->problems, &second->listen->origin,
			    "listen: service \"%s\" has %s already: %s:%d", first->service, text,
			    origin->file, origin->line);
	else
		problem_add(&loader->problems, &second->listen->origin,
			    "listen: %s is in the way of %s of service \"%s\": %s:%d", text, other,
			    first->service, origin->file, origin->line);
}

/* It is no service's, and nobody else can have its path. */
static void check_control(struct loader *loader, const struct place *places, size_t count)
{
	const struct config *config = loader->config;

	for (size_t i = 0; i < count && config->control; i++)
		if (address_conflicts(&places[i].listen->address, &config->control_address))
			problem_add(&loader->problems, &places[i].listen->origin,
				    "listen: unix:%s is the control socket: see control",
				    config->control);
}

void conflict_check(struct loader *loader)
{
	size_t count;
	struct place *places = list_places(loader->config, &count);

	check_control(loader, places, count);
	if (count)
		qsort(places, count, sizeof(*places), compare);
	for (size_t i = 1; i < count; i++) {
		const struct address *address = &places[i].listen->address;

		/* The first one in the way is enough to say. */
		for (size_t k = i; k > 0 && is_near(&places[k - 1].listen->address, address); k--)
			if (address_conflicts(&places[k - 1].listen->address, address)) {
				complain(loader, &places[k - 1], &places[i]);
				break;
			}
	}
	free(places);
}
