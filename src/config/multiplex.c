/* SPDX-License-Identifier: ISC */
/*
 * The services that tcpmux hands clients over to, by their names.
 *
 * Called by config.c when all services are known; what speaks against one of them by itself is seen
 * by standing.c.  A client may write a name in upper or lower case (RFC 1078), so names that differ
 * in nothing else are an error.  Services that are disabled are left out.
 */
#include "config.h"

#include "config/multiplex.h"

#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "handlers/handler.h"

static int compare_names(const void *a, const void *b)
{
	const struct service *const *x = a, *const *y = b;

	return strcasecmp((*x)->name, (*y)->name);
}

static const struct service **list_multiplexed(const struct config *config, size_t *count)
{
	const struct service **list = xcalloc(config->nservices, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < config->nservices; i++)
		if (config->services[i]->multiplexed && !config->services[i]->disable)
			list[(*count)++] = config->services[i];
	return list;
}

static void check_names(struct loader *loader, const struct service **list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), compare_names);
	for (size_t i = 1; i < count; i++)
		if (compare_names(&list[i - 1], &list[i]) == 0)
			problem_add(&loader->problems, &list[i]->origin,
				    "tcpmux: \"%s\" and \"%s\" are the same name to clients of "
				    "tcpmux: %s:%d",
				    list[i]->name, list[i - 1]->name, list[i - 1]->origin.file,
				    list[i - 1]->origin.line);
}

static size_t check_multiplexers(struct loader *loader, size_t nmultiplexed)
{
	const struct config *config = loader->config;
	size_t count = 0;

	for (size_t i = 0; i < config->nservices; i++) {
		const struct service *service = config->services[i];

		if (service->handler != &tcpmux_handler || service->disable)
			continue;
		count++;
		if (nmultiplexed == 0)
			problem_warn(&loader->problems, &service->origin,
				     "service \"%s\" has nobody to hand clients over to: write "
				     "tcpmux = true in the services that are meant",
				     service->name);
	}
	return count;
}

void multiplex_check(struct loader *loader)
{
	const struct service **list;
	size_t count;

	list = list_multiplexed(loader->config, &count);
	check_names(loader, list, count);
	if (check_multiplexers(loader, count) == 0)
		for (size_t i = 0; i < count; i++)
			problem_warn(&loader->problems, &list[i]->origin,
				     "service \"%s\" has tcpmux = true, and there is no service "
				     "with handler = \"tcpmux\" that hands clients over to it",
				     list[i]->name);
	free(list);
}
