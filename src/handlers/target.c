/* SPDX-License-Identifier: ISC */
/*
 * A target of a redirect, as text.
 *
 * begatd has checked it and brought it into its canonical form (config/targets.c), so this reads
 * and does not explain: what is not in that form is a damaged plan.  Nothing here asks the system,
 * neither for a name nor for an interface, since it runs in a cage.
 */
#include "config.h"

#include "handlers/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define PORT_MAX       65535
#define LINE_MAX_BYTES 1000

static int read_unix(const char *name, struct target *target)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof(un.sun_path))
		return -1;
	memcpy(un.sun_path, name, length);
	if (name[0] == '@')
		un.sun_path[0] = '\0';
	else
		length++; /* the closing NUL counts: unix(7), "Address format" */
	memcpy(&target->address, &un, sizeof(un));
	target->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

static int read_number(const char *text, unsigned long max, unsigned *number)
{
	unsigned long value;

	if (*text == '\0' || strlen(text) > 10 || text[strspn(text, "0123456789")] != '\0')
		return -1;
	value = strtoul(text, NULL, 10);
	if (value == 0 || value > max)
		return -1;
	*number = (unsigned)value;
	return 0;
}

static int set_host4(struct target *target)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)target->port) };

	if (inet_pton(AF_INET, target->host, &in.sin_addr) != 1)
		return -1;
	memcpy(&target->address, &in, sizeof(in));
	target->length = sizeof(in);
	return 0;
}

/* "[::1]", "[fe80::1%2]"; the text is changed. */
static int set_host6(struct target *target)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)target->port) };
	char *end = strchr(target->host, ']'), *percent = strchr(target->host, '%');
	unsigned scope = 0;

	if (end == NULL || end[1] != '\0')
		return -1;
	*end = '\0';
	if (percent) {
		*percent = '\0';
		if (read_number(percent + 1, UINT32_MAX, &scope) < 0)
			return -1;
	}
	if (inet_pton(AF_INET6, target->host + 1, &in6.sin6_addr) != 1)
		return -1;
	in6.sin6_scope_id = scope;
	memcpy(&target->address, &in6, sizeof(in6));
	target->length = sizeof(in6);
	return 0;
}

static int read_host(const char *text, struct target *target)
{
	const char *colon = strrchr(text, ':');

	if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof(target->host) ||
	    read_number(colon + 1, PORT_MAX, &target->port) < 0)
		return -1;
	memcpy(target->host, text, (size_t)(colon - text));
	target->host[colon - text] = '\0';
	if (target->host[0] == '[')
		return set_host6(target);
	if (strchr(target->host, ':'))
		return -1;
	(void)set_host4(target); /* else it is a name */
	return 0;
}

int target_read(const char *text, struct target *target)
{
	memset(target, 0, sizeof(*target));
	if (strncmp(text, "unix:", 5) == 0)
		return read_unix(text + 5, target);
	target->datagrams = strncmp(text, "udp:", 4) == 0;
	if (!target->datagrams && strncmp(text, "tcp:", 4) != 0)
		return -1;
	return read_host(text + 4, target);
}

/* Not by dprintf(3), which asks what the descriptor is, as nobody in a cage needs to. */
void target_complain(const char *what, const char *why)
{
	char line[LINE_MAX_BYTES];
	int length = snprintf(line, sizeof(line), "redirect: %s%s%s\n", what, why ? ": " : "",
			      why ? why : "");

	if (length >= (int)sizeof(line)) {
		length = sizeof(line);
		line[sizeof(line) - 1] = '\n';
	}
	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		return; /* there is nowhere else to say it */
}
