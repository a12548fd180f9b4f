/* SPDX-License-Identifier: ISC */
/*
 * Listening addresses as text.
 *
 * What is not wholly understood is an error and never a wildcard: a mistyped address must not open
 * a port to the world.  Only numbers are addresses; a host name could change its meaning between
 * the check and the start.  Used while the configuration is read, and to name a listener in
 * messages. IPv4-mapped addresses are unmapped here, so that comparing two addresses means
 * something.
 */
#include "config.h"

#include "listen/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/inet.h"
#include "base/mem.h"

#define PATH_LENGTH ((int)sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define PORT_MAX    65535
#define LATER	    (-1)

struct parsing {
	const char *text;     /* the whole, for messages */
	const char *protocol; /* "tcp", "udp" */
	struct address address;
	unsigned first, last; /* ports */
	char *error;
	size_t size;
};

#define FAIL(parsing, ...) (fail(parsing, __VA_ARGS__), -1)

__attribute__((format(printf, 2, 3))) static void fail(struct parsing *parsing, const char *format,
						       ...)
{
	va_list arguments;
	int length = snprintf(parsing->error, parsing->size, *parsing->text ? "%.80s: " : "%s",
			      parsing->text);

	if (length < 0 || (size_t)length >= parsing->size)
		return;
	va_start(arguments, format);
	vsnprintf(parsing->error + length, parsing->size - (size_t)length, format, arguments);
	va_end(arguments);
	for (char *c = parsing->error; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?'; /* one line, whatever the text holds */
}

/* Ports */

static bool is_number(const char *text, size_t length)
{
	return length && strspn(text, "0123456789") >= length;
}

static int parse_port_number(struct parsing *parsing, const char *text, size_t length,
			     unsigned *port)
{
	unsigned long number = length <= 5 ? strtoul(text, NULL, 10) : PORT_MAX + 1UL;

	if (length > 1 && text[0] == '0')
		return FAIL(parsing, "port %.*s begins with a zero: write it without", (int)length,
			    text);
	if (number > PORT_MAX)
		return FAIL(parsing, "port %.*s is not between 0 and %d", (int)length, text,
			    PORT_MAX);
	*port = (unsigned)number;
	return 0;
}

static int parse_range(struct parsing *parsing, const char *text, const char *dash)
{
	size_t length = (size_t)(dash - text);

	if (parse_port_number(parsing, text, length, &parsing->first) < 0 ||
	    parse_port_number(parsing, dash + 1, strlen(dash + 1), &parsing->last) < 0)
		return -1;
	if (parsing->first == 0)
		return FAIL(parsing, "a range of ports begins at 1 or above");
	if (parsing->first > parsing->last)
		return FAIL(parsing, "the range of ports ends before it begins");
	return 0;
}

/* Many a small service has only one of its two lines there. */
static int fail_port_name(struct parsing *parsing, const char *text)
{
	const struct servent *other = getservbyname(text, NULL);

	if (other)
		return FAIL(parsing, "/etc/services has \"%s\" for %s alone: write %s:%d", text,
			    other->s_proto, parsing->protocol, ntohs((uint16_t)other->s_port));
	return FAIL(parsing, "\"%s\" is neither a port nor a name in /etc/services", text);
}

static int parse_port_name(struct parsing *parsing, const char *text)
{
	const struct servent *entry = getservbyname(text, parsing->protocol);
	struct in_addr ignored;

	if (inet_pton(AF_INET, text, &ignored) == 1)
		return FAIL(parsing, "the port is missing: write %s:%s:PORT", parsing->protocol,
			    text);
	if (entry == NULL)
		return fail_port_name(parsing, text);
	parsing->first = parsing->last = ntohs((uint16_t)entry->s_port);
	return 0;
}

static int parse_port(struct parsing *parsing, const char *text)
{
	const char *dash = strchr(text, '-');

	if (*text == '\0')
		return FAIL(parsing, "the port is missing");
	if (dash && is_number(text, (size_t)(dash - text)) && is_number(dash + 1, strlen(dash + 1)))
		return parse_range(parsing, text, dash);
	if (!is_number(text, strlen(text)))
		return parse_port_name(parsing, text);
	if (parse_port_number(parsing, text, strlen(text), &parsing->first) < 0)
		return -1;
	parsing->last = parsing->first;
	return 0;
}

/* Hosts */

static int check_host4(struct parsing *parsing, const char *host)
{
	const struct in_addr *in = &parsing->address.in.sin_addr;

	if (IN_MULTICAST(ntohl(in->s_addr)) || in->s_addr == INADDR_BROADCAST)
		return FAIL(parsing, "%s is a multicast or broadcast address", host);
	return 0;
}

static int parse_host4(struct parsing *parsing, const char *host)
{
	struct sockaddr_in *in = &parsing->address.in;

	*in = (struct sockaddr_in){ .sin_family = AF_INET };
	parsing->address.length = sizeof(*in);
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1)
		return check_host4(parsing, host);
	if (host[strspn(host, "0123456789.")] == '\0')
		return FAIL(parsing, "\"%s\" is not an IPv4 address", host);
	return FAIL(parsing, "\"%s\" is not an address; host names are not looked up", host);
}

static int parse_scope(struct parsing *parsing, const char *scope)
{
	unsigned index = if_nametoindex(scope);

	if (index == 0 && is_number(scope, strlen(scope)) && strlen(scope) < 10)
		index = (unsigned)strtoul(scope, NULL, 10);
	if (index == 0)
		return FAIL(parsing, "there is no network interface \"%s\"", scope);
	parsing->address.in6.sin6_scope_id = index;
	return 0;
}

static int check_host6(struct parsing *parsing, const char *host)
{
	const struct sockaddr_in6 *in6 = &parsing->address.in6;

	if (IN6_IS_ADDR_MULTICAST(&in6->sin6_addr))
		return FAIL(parsing, "%s is a multicast address", host);
	if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && in6->sin6_scope_id == 0)
		return FAIL(parsing, "a link-local address needs its interface: [%s%%eth0]", host);
	if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && in6->sin6_scope_id)
		return FAIL(parsing, "only a link-local address has an interface");
	return 0;
}

/* host is changed: the scope is cut off. */
static int parse_host6(struct parsing *parsing, char *host)
{
	struct sockaddr_in6 *in6 = &parsing->address.in6;
	char *percent = strchr(host, '%');

	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	parsing->address.length = sizeof(*in6);
	if (percent)
		*percent++ = '\0';
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
		return FAIL(parsing, "\"%s\" is not an IPv6 address", host);
	if (percent && parse_scope(parsing, percent) < 0)
		return -1;
	return check_host6(parsing, host);
}

/* No host: the wildcard of the family, or of both. */
static void set_wildcard(struct parsing *parsing, int family)
{
	struct address *address = &parsing->address;

	address->dual = family == AF_UNSPEC;
	if (family == AF_INET) {
		address->in = (struct sockaddr_in){ .sin_family = AF_INET };
		address->length = sizeof(address->in);
	} else {
		address->in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
		address->length = sizeof(address->in6);
	}
}

static void unmap(struct address *address)
{
	struct sockaddr_storage storage = { 0 };

	if (address->sa.sa_family != AF_INET6)
		return;
	memcpy(&storage, &address->in6, sizeof(address->in6));
	inet_unmap(&storage);
	if (storage.ss_family != AF_INET)
		return;
	memcpy(&address->in, &storage, sizeof(address->in));
	address->length = sizeof(address->in);
}

/* "[::1]:13"; text is changed. */
static int parse_bracketed(struct parsing *parsing, char *text, int family)
{
	char *end = strchr(text, ']');

	if (end == NULL)
		return FAIL(parsing, "\"[\" is not closed by \"]\"");
	if (end[1] != ':')
		return FAIL(parsing, "the port is missing after \"]\"");
	*end = '\0';
	if (parse_host6(parsing, text + 1) < 0)
		return -1;
	unmap(&parsing->address);
	if (family == AF_INET || (family == AF_INET6 && parsing->address.sa.sa_family == AF_INET))
		return FAIL(parsing, "%s is not an address of the family that it asks for",
			    text + 1);
	return parse_port(parsing, end + 2);
}

/* What stands behind "tcp:" or "udp:"; text is changed. */
static int parse_inet(struct parsing *parsing, char *text, int family)
{
	char *colon = strchr(text, ':');

	if (*text == '[')
		return parse_bracketed(parsing, text, family);
	if (colon == NULL) {
		set_wildcard(parsing, family);
		return parse_port(parsing, text);
	}
	if (strchr(colon + 1, ':'))
		return FAIL(parsing, "an IPv6 address stands in brackets: %s:[::1]:13",
			    parsing->protocol);
	*colon = '\0';
	if (strcmp(text, "*") == 0 || *text == '\0')
		return FAIL(parsing, "for all addresses write the port alone: %s:%.20s",
			    parsing->protocol, colon + 1);
	if (parse_host4(parsing, text) < 0)
		return -1;
	if (family == AF_INET6)
		return FAIL(parsing, "%s is not an address of the family that it asks for", text);
	return parse_port(parsing, colon + 1);
}

/* Unix sockets and FIFOs */

static int check_length(struct parsing *parsing, const char *name)
{
	if (strlen(name) <= (size_t)PATH_LENGTH)
		return 0;
	if (parsing->address.type == 0)
		return FAIL(parsing,
			    "%zu bytes are too long for the path of a FIFO, which takes %d",
			    strlen(name), PATH_LENGTH);
	return FAIL(parsing, "%zu bytes are too long for a Unix socket, which takes %d",
		    strlen(name), PATH_LENGTH);
}

static int check_name(struct parsing *parsing, const char *name)
{
	for (const char *c = name; *c; c++)
		if (iscntrl((unsigned char)*c))
			return FAIL(parsing, "a control character in the name");
	return check_length(parsing, name);
}

static int check_unix(struct parsing *parsing, const char *name)
{
	size_t length = strlen(name);

	if (name[0] != '/' && name[0] != '@')
		return FAIL(parsing, "a Unix socket needs an absolute path, or @name");
	if (name[0] == '@' && length == 1)
		return FAIL(parsing, "the name after \"@\" is missing");
	if (name[0] == '/' && name[length - 1] == '/')
		return FAIL(parsing, "this is a directory, not the path of a socket");
	return check_name(parsing, name);
}

static int check_fifo(struct parsing *parsing, const char *path)
{
	if (path[0] != '/')
		return FAIL(parsing, "a FIFO needs an absolute path");
	if (path[strlen(path) - 1] == '/')
		return FAIL(parsing, "this is a directory, not the path of a FIFO");
	return check_name(parsing, path);
}

static int parse_unix(struct parsing *parsing, const char *name)
{
	struct sockaddr_un *un = &parsing->address.un;
	size_t length = strlen(name);
	int wrong =
		parsing->address.type == 0 ? check_fifo(parsing, name) : check_unix(parsing, name);

	if (wrong)
		return -1;
	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(un->sun_path, name, length);
	if (name[0] == '@')
		un->sun_path[0] = '\0';
	else
		length++; /* the closing NUL counts: unix(7), "Address format" */
	parsing->address.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

/* Schemes */

static const struct scheme {
	const char *name;
	int family; /* AF_UNSPEC: either */
	int type;   /* of struct address; LATER: known, but not in this version */
} schemes[] = {
	{ "tcp:", AF_UNSPEC, SOCK_STREAM }, { "tcp4:", AF_INET, SOCK_STREAM },
	{ "tcp6:", AF_INET6, SOCK_STREAM }, { "udp:", AF_UNSPEC, SOCK_DGRAM },
	{ "udp4:", AF_INET, SOCK_DGRAM },   { "udp6:", AF_INET6, SOCK_DGRAM },
	{ "unix:", AF_UNIX, SOCK_STREAM },  { "fifo:", AF_UNIX, 0 },
	{ "unixgram:", AF_UNIX, LATER },    { "unixseq:", AF_UNIX, LATER },
	{ "inherit:", AF_UNSPEC, LATER },
};

static const struct scheme *find_scheme(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(text, schemes[i].name, strlen(schemes[i].name)) == 0)
			return &schemes[i];
	return NULL;
}

static int parse(struct parsing *parsing, char *text)
{
	const struct scheme *scheme = find_scheme(text);
	char *rest;

	if (*text == '\0')
		return FAIL(parsing, "the address is empty");
	if (scheme == NULL)
		return FAIL(parsing,
			    "an address begins with tcp: tcp4: tcp6: udp: udp4: udp6: unix: "
			    "or fifo:");
	if (scheme->type == LATER)
		return FAIL(parsing, "%s addresses are not in this version", scheme->name);
	parsing->address.type = scheme->type;
	parsing->protocol = scheme->type == SOCK_DGRAM ? "udp" : "tcp";
	rest = text + strlen(scheme->name);
	if (scheme->family == AF_UNIX)
		return parse_unix(parsing, rest);
	return parse_inet(parsing, rest, scheme->family);
}

static void set_port(struct address *address, unsigned port)
{
	if (address->sa.sa_family == AF_INET)
		address->in.sin_port = htons((uint16_t)port);
	else if (address->sa.sa_family == AF_INET6)
		address->in6.sin6_port = htons((uint16_t)port);
}

int address_parse(const char *text, struct address **list, size_t *count, char *error, size_t size)
{
	struct parsing parsing = { .text = text, .error = error, .size = size };
	char *copy = xstrdup(text);
	int result = parse(&parsing, copy);

	free(copy);
	if (result < 0)
		return -1;
	*count = parsing.last - parsing.first + 1;
	*list = xcalloc(*count, sizeof(**list));
	for (size_t i = 0; i < *count; i++) {
		(*list)[i] = parsing.address;
		set_port(&(*list)[i], parsing.first + (unsigned)i);
	}
	return 0;
}
