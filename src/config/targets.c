/* SPDX-License-Identifier: ISC */
/*
 * Where a service is redirected to.
 *
 * Addresses and Unix sockets are read as those of listeners are (listen/address.c), but for what
 * only a listener can be: all addresses, a range, a port of the kernel's choice.  A host may be a
 * name as well.  It is not looked up here: that would make the start depend on somebody else's
 * server, and what is true now need not be when a client comes.  What looks like an address and is
 * none is refused rather than taken for a name, since libraries read "127.1" and "0x7f.1" as
 * addresses.
 */
#include "config.h"

#include "config/targets.h"

#include <ctype.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/inet.h"
#include "base/mem.h"
#include "listen/address.h"

#define NAME_MAX_BYTES	253 /* RFC 1035, 2.3.4, without what is not written */
#define LABEL_MAX_BYTES 63
#define PORT_MAX	65535

#define LETTERS		"abcdefghijklmnopqrstuvwxyz"
#define DIGITS		"0123456789"

struct parsing {
	const char *text; /* the whole, for messages */
	char *why;
	size_t size;
};

#define FAIL(parsing, ...) (fail(parsing, __VA_ARGS__), -1)

__attribute__((format(printf, 2, 3))) static void fail(const struct parsing *parsing,
						       const char *format, ...)
{
	va_list arguments;
	int length = snprintf(parsing->why, parsing->size, *parsing->text ? "%.80s: " : "%s",
			      parsing->text);

	if (length < 0 || (size_t)length >= parsing->size)
		return;
	va_start(arguments, format);
	vsnprintf(parsing->why + length, parsing->size - (size_t)length, format, arguments);
	va_end(arguments);
	for (char *c = parsing->why; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?'; /* one line, whatever the text holds */
}

/* Addresses */

static int check_address(const struct parsing *parsing, const struct address *address, size_t count)
{
	if (count != 1)
		return FAIL(parsing, "a target has one port, not a range");
	if (address->sa.sa_family == AF_UNIX)
		return 0;
	if (address_is_wildcard(address))
		return FAIL(parsing, "this is the address of no host: for this one write %s",
			    address->sa.sa_family == AF_INET ? "127.0.0.1" : "[::1]");
	if (address->in.sin_port == 0) /* where in6 has it, too */
		return FAIL(parsing, "port 0 is nobody's: write one between 1 and %d", PORT_MAX);
	return 0;
}

/* An interface by its number: the worker may not ask for names. */
static char *format_address(const struct parsing *parsing, const struct address *address)
{
	char text[ADDRESS_TEXT];

	if (address->sa.sa_family == AF_UNIX) {
		address_format(address, text, sizeof(text));
		return xstrdup(text);
	}
	inet_format(&address->sa, text, sizeof(text));
	return xasprintf("%.4s%s", parsing->text, text);
}

static char *parse_address(const struct parsing *parsing)
{
	struct address *list;
	char *target;
	size_t count;

	if (address_parse(parsing->text, &list, &count, parsing->why, parsing->size) < 0)
		return NULL;
	target = check_address(parsing, list, count) < 0 ? NULL : format_address(parsing, list);
	free(list);
	return target;
}

/* Names */

/* RFC 1123, 2.1; and underscores, which are in use. */
static int check_labels(const struct parsing *parsing, const char *name)
{
	const char *label = name;

	while (*label) {
		const size_t length = strcspn(label, ".");

		if (length == 0)
			return FAIL(parsing, "\"%.64s\" has two dots in a row, or begins with one",
				    name);
		if (length > LABEL_MAX_BYTES)
			return FAIL(parsing,
				    "%zu bytes between two dots of a host name are more "
				    "than %d",
				    length, LABEL_MAX_BYTES);
		label += length;
		label += *label == '.';
	}
	return 0;
}

/* The last label of a name is no number. */
static bool is_like_address(const char *name)
{
	const char *dot = strrchr(name, '.');
	const char *last = dot ? dot + 1 : name;

	if (strncmp(last, "0x", 2) == 0)
		return last[2 + strspn(last + 2, DIGITS "abcdef")] == '\0';
	return *last && last[strspn(last, DIGITS)] == '\0';
}

static int check_name(const struct parsing *parsing, const char *name)
{
	if (strlen(name) > NAME_MAX_BYTES)
		return FAIL(parsing, "%zu bytes are too long for a host name, which takes %d",
			    strlen(name), NAME_MAX_BYTES);
	if (name[strspn(name, LETTERS DIGITS "-_.")] != '\0')
		return FAIL(parsing,
			    "a host name has letters, digits, \"-\", \"_\" and \".\" only");
	if (is_like_address(name))
		return FAIL(parsing, "\"%.64s\" is not an IPv4 address", name);
	return check_labels(parsing, name);
}

/* Ports */

static int parse_port_name(const struct parsing *parsing, const char *protocol, const char *text,
			   unsigned *port)
{
	const struct servent *entry = getservbyname(text, protocol);

	if (entry == NULL)
		return FAIL(parsing,
			    "\"%.64s\" is neither a port nor a name in /etc/services for %s", text,
			    protocol);
	*port = ntohs((uint16_t)entry->s_port);
	return 0;
}

static int parse_port(const struct parsing *parsing, const char *protocol, const char *text,
		      unsigned *port)
{
	unsigned long number;

	if (*text == '\0')
		return FAIL(parsing, "the port is missing");
	if (text[strspn(text, DIGITS "-")] == '\0' && strchr(text, '-'))
		return FAIL(parsing, "a target has one port, not a range");
	if (text[strspn(text, DIGITS)] != '\0')
		return parse_port_name(parsing, protocol, text, port);
	if (text[0] == '0' && text[1])
		return FAIL(parsing, "port %.64s begins with a zero: write it without", text);
	number = strlen(text) <= 5 ? strtoul(text, NULL, 10) : PORT_MAX + 1UL;
	if (number == 0 || number > PORT_MAX)
		return FAIL(parsing, "port %.64s is not between 1 and %d", text, PORT_MAX);
	*port = (unsigned)number;
	return 0;
}

/* A name has no upper and lower case; one form, so that two targets can be compared. */
static void make_lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* "HOST:PORT", where HOST is no address; host is changed. */
static char *parse_name(const struct parsing *parsing, const char *protocol, char *host)
{
	char *colon = strchr(host, ':');
	unsigned port;

	if (colon && strchr(colon + 1, ':')) {
		fail(parsing, "an IPv6 address stands in brackets: %s:[::1]:13", protocol);
		return NULL;
	}
	if (colon == NULL || colon == host) {
		fail(parsing, "a target needs a host and a port: %s:HOST:PORT", protocol);
		return NULL;
	}
	*colon = '\0';
	make_lower(host);
	if (check_name(parsing, host) < 0 || parse_port(parsing, protocol, colon + 1, &port) < 0)
		return NULL;
	return xasprintf("%s:%s:%u", protocol, host, port);
}

/* Whether the address parser of listeners shall read it. */
static bool is_address(const char *host)
{
	const char *colon = strchr(host, ':');

	if (*host == '[')
		return true;
	return colon && colon > host && strspn(host, DIGITS ".") == (size_t)(colon - host) &&
	       strchr(colon + 1, ':') == NULL;
}

char *target_parse(const char *text, char *why, size_t size)
{
	const struct parsing parsing = { .text = text, .why = why, .size = size };
	const bool tcp = strncmp(text, "tcp:", 4) == 0;
	char *copy, *target;

	if (strncmp(text, "unix:", 5) == 0)
		return parse_address(&parsing);
	if (!tcp && strncmp(text, "udp:", 4) != 0) {
		fail(&parsing,
		     *text ? "a target begins with tcp: udp: or unix:" : "the target is empty");
		return NULL;
	}
	if (is_address(text + 4))
		return parse_address(&parsing);
	copy = xstrdup(text + 4);
	target = parse_name(&parsing, tcp ? "tcp" : "udp", copy);
	free(copy);
	return target;
}

/* Canonical ones */

bool target_is_datagram(const char *target)
{
	return strncmp(target, "udp:", 4) == 0;
}

bool target_has_name(const char *target)
{
	return strncmp(target, "unix:", 5) != 0 && !is_address(target + 4);
}

unsigned target_port(const char *target)
{
	if (strncmp(target, "unix:", 5) == 0)
		return 0;
	return (unsigned)strtoul(strrchr(target, ':') + 1, NULL, 10);
}
