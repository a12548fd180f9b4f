/* SPDX-License-Identifier: ISC */
/*
 * Lists of TCP ports, for the keys connect and bind.
 *
 * A list is a set of ports, whatever the order and the form in which they were written: one byte
 * for each of the 65,536 while it is read, and then an array.  A port that is there twice is a slip
 * of the pen, and an error as elsewhere.
 */
#include "config.h"

#include "config/ports.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PORTS 65536

struct range {
	unsigned first, last;
};

/* A port that is bound to may be 0, which is any that the kernel chooses. */
static long long least_port(enum key key)
{
	return key == KEY_BIND ? 0 : 1;
}

static int parse_name(const char *text, struct range *range, char why[static VALUE_WHY])
{
	const struct servent *entry = getservbyname(text, "tcp");

	if (entry == NULL) {
		snprintf(why, VALUE_WHY,
			 "\"%.64s\" is neither a port, a range such as 8000-8010, nor a name in "
			 "/etc/services",
			 text);
		return -1;
	}
	range->first = range->last = ntohs((uint16_t)entry->s_port);
	return 0;
}

static int parse_number(const char *text, size_t length, long long least, unsigned *port,
			char why[static VALUE_WHY])
{
	char *digits = xstrndup(text, length);
	long long number;
	int result = value_parse_number(digits, least, PORTS - 1, &number, why);

	free(digits);
	if (result == 0)
		*port = (unsigned)number;
	return result;
}

/* What is made of digits and a dash is meant as numbers; a name has a letter. */
static int parse_range(const char *text, long long least, struct range *range,
		       char why[static VALUE_WHY])
{
	const char *dash = strchr(text, '-');

	if (*text == '\0' || text[strspn(text, "0123456789-")])
		return parse_name(text, range, why);
	if (dash == NULL || dash == text)
		dash = text + strlen(text);
	if (parse_number(text, (size_t)(dash - text), least, &range->first, why) < 0)
		return -1;
	range->last = range->first;
	if (*dash && parse_number(dash + 1, strlen(dash + 1), least, &range->last, why) < 0)
		return -1;
	if (range->first <= range->last)
		return 0;
	snprintf(why, VALUE_WHY, "the range %.64s ends before it begins", text);
	return -1;
}

static void take_range(const struct builder *builder, const struct origin *at, enum key key,
		       const struct range *range, bool taken[static PORTS])
{
	for (unsigned port = range->first; port <= range->last; port++) {
		if (taken[port]) {
			problem_add(&builder->loader->problems, at, "%s: port %u is there twice",
				    key_table[key].name, port);
			return;
		}
		taken[port] = true;
	}
}

static void collect(const bool taken[static PORTS], struct service_ports *ports)
{
	for (unsigned port = 0; port < PORTS; port++)
		ports->count += taken[port];
	ports->all = xcalloc(ports->count, sizeof(*ports->all));
	ports->count = 0;
	for (unsigned port = 0; port < PORTS; port++)
		if (taken[port])
			ports->all[ports->count++] = (uint16_t)port;
}

void ports_load(const struct builder *builder, enum key key, struct service_ports *ports)
{
	const struct setting *setting = builder_find(builder, key);
	struct range range = { 0 };
	char why[VALUE_WHY];
	bool *taken;

	if (setting == NULL)
		return;
	taken = xcalloc(PORTS, sizeof(*taken));
	for (size_t i = 0; i < setting->count; i++) {
		const struct origin at = item_origin(setting, i);

		if (parse_range(setting->items[i].text, least_port(key), &range, why) < 0)
			builder_complain(builder, &at, key, why);
		else
			take_range(builder, &at, key, &range, taken);
	}
	ports->set = true;
	collect(taken, ports);
	free(taken);
}

char **ports_format(const struct service_ports *ports)
{
	char **texts = xcalloc(1, sizeof(*texts));
	size_t count = 0;

	for (size_t i = 0, last; i < ports->count; i = last + 1) {
		for (last = i; last + 1 < ports->count; last++)
			if (ports->all[last + 1] != ports->all[last] + 1)
				break;
		strv_add(&texts, &count,
			 last > i ? xasprintf("%u-%u", ports->all[i], ports->all[last])
				  : xasprintf("%u", ports->all[i]));
	}
	return texts;
}
