/* SPDX-License-Identifier: ISC */
/*
 * Limits of setrlimit(2).
 *
 * One table says what there is, in which unit an administrator writes it, and in which range.  The
 * kernel counts processor time in seconds, real-time bursts in microseconds and memory in bytes; a
 * duration or a size is read as everywhere in the configuration, and refused where the kernel's
 * unit is too coarse for it.  Nothing here knows keys, files or lines.
 */
#include "config.h"

#include "config/rlimit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/nearest.h"

#define FAIL(why, ...) (snprintf(why, VALUE_WHY, __VA_ARGS__), -1)

#define BYTES_MAX      (1LL << 50)
#define COUNT_MAX      (1LL << 30)
#define SECOND_US      1000000
#define DAY_MS	       86400000LL

enum unit { COUNT, SIZE, SECONDS, MICROSECONDS };

static const struct kind {
	const char *name;
	int resource;
	enum unit unit;
	long long min, max; /* durations: milliseconds; the kernel takes cpu=0 for 1s */
} kinds[] = {
	{ "as", RLIMIT_AS, SIZE, 0, BYTES_MAX },
	{ "core", RLIMIT_CORE, SIZE, 0, BYTES_MAX },
	{ "cpu", RLIMIT_CPU, SECONDS, 1000, 3650 * DAY_MS },
	{ "data", RLIMIT_DATA, SIZE, 0, BYTES_MAX },
	{ "fsize", RLIMIT_FSIZE, SIZE, 0, BYTES_MAX },
	{ "locks", RLIMIT_LOCKS, COUNT, 0, COUNT_MAX },
	{ "memlock", RLIMIT_MEMLOCK, SIZE, 0, BYTES_MAX },
	{ "msgqueue", RLIMIT_MSGQUEUE, SIZE, 0, BYTES_MAX },
	{ "nice", RLIMIT_NICE, COUNT, 0, 40 },
	{ "nofile", RLIMIT_NOFILE, COUNT, 8, COUNT_MAX }, /* what a worker needs on its way */
	{ "nproc", RLIMIT_NPROC, COUNT, 0, COUNT_MAX },
	{ "rss", RLIMIT_RSS, SIZE, 0, BYTES_MAX },
	{ "rtprio", RLIMIT_RTPRIO, COUNT, 0, 99 },
	{ "rttime", RLIMIT_RTTIME, MICROSECONDS, 1, DAY_MS },
	{ "sigpending", RLIMIT_SIGPENDING, COUNT, 0, COUNT_MAX },
	{ "stack", RLIMIT_STACK, SIZE, 0, BYTES_MAX },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static const struct kind *kind_of(int resource)
{
	const struct kind *kind = kinds;

	while (kind->resource != resource)
		kind++;
	return kind;
}

const char *rlimit_name(int resource)
{
	return kind_of(resource)->name;
}

static int refuse_name(const char *name, char why[static VALUE_WHY])
{
	struct nearest nearest = { .wanted = name };
	char suggestion[NEAREST_SUFFIX];

	for (size_t i = 0; i < KINDS; i++)
		nearest_offer(&nearest, kinds[i].name);
	nearest_format(&nearest, suggestion);
	return FAIL(why, "there is no limit \"%.64s\"%s", name, suggestion);
}

static int parse_number(const struct kind *kind, const char *text, long long *number,
			char why[static VALUE_WHY])
{
	switch (kind->unit) {
	case COUNT:
		return value_parse_number(text, kind->min, kind->max, number, why);
	case SIZE:
		return value_parse_size(text, kind->min, kind->max, number, why);
	case SECONDS:
	case MICROSECONDS:
		break;
	}
	if (value_parse_duration(text, kind->min, kind->max, number, why) < 0)
		return -1;
	if (kind->unit == SECONDS && *number % 1000)
		return FAIL(why, "%.80s is not a whole number of seconds", text);
	*number = kind->unit == SECONDS ? *number / 1000 : *number * (SECOND_US / 1000);
	return 0;
}

/* For whoever writes what is no limit elsewhere. */
static const char *hint_of(const char *text)
{
	if (text[0] == '-' || strcmp(text, "0") == 0 || strcmp(text, "unlimited") == 0)
		return "; no limit is \"infinity\"";
	return "";
}

static int parse_value(const struct kind *kind, const char *text, uint64_t *value,
		       char why[static VALUE_WHY])
{
	char reason[VALUE_WHY];
	long long number;

	if (strcmp(text, "infinity") == 0) {
		*value = RLIM_INFINITY;
		return 0;
	}
	if (parse_number(kind, text, &number, reason) < 0)
		return FAIL(why, "%s: %.200s%s", kind->name, reason, hint_of(text));
	*value = (uint64_t)number;
	return 0;
}

/* value is what stands behind the equals sign; it is changed. */
static int parse_values(const struct kind *kind, char *value, struct service_limit *limit,
			char why[static VALUE_WHY])
{
	char *colon = strchr(value, ':');

	limit->resource = kind->resource;
	if (colon)
		*colon++ = '\0';
	if (parse_value(kind, value, &limit->soft, why) < 0)
		return -1;
	limit->hard = limit->soft;
	if (colon && parse_value(kind, colon, &limit->hard, why) < 0)
		return -1;
	if (limit->soft > limit->hard)
		return FAIL(why,
			    "%s: the soft limit %.40s is above the hard limit %.40s, which comes "
			    "second",
			    kind->name, value, colon);
	return 0;
}

int rlimit_parse(const char *text, struct service_limit *limit, char why[static VALUE_WHY])
{
	char *name = xstrdup(text), *equals = strchr(name, '=');
	const struct kind *kind;
	int result;

	if (equals)
		*equals = '\0';
	kind = find_kind(name);
	if (equals == NULL || equals == name)
		result = FAIL(why,
			      "\"%.64s\" is not of the form name=value or name=soft:hard, such as "
			      "nofile=1024:4096",
			      text);
	else if (kind == NULL)
		result = refuse_name(name, why);
	else
		result = parse_values(kind, equals + 1, limit, why);
	free(name);
	return result;
}

static void format_value(const struct kind *kind, uint64_t value, char text[static VALUE_TEXT])
{
	if (value == RLIM_INFINITY)
		snprintf(text, VALUE_TEXT, "infinity");
	else if (kind->unit == COUNT)
		snprintf(text, VALUE_TEXT, "%llu", (unsigned long long)value);
	else if (kind->unit == SIZE)
		value_format_size((long long)value, text);
	else
		clock_format_duration(kind->unit == SECONDS ? (int64_t)value * 1000
							    : (int64_t)value / (SECOND_US / 1000),
				      text);
}

void rlimit_format(const struct service_limit *limit, char text[static RLIMIT_TEXT])
{
	const struct kind *kind = kind_of(limit->resource);
	char soft[VALUE_TEXT], hard[VALUE_TEXT];

	format_value(kind, limit->soft, soft);
	format_value(kind, limit->hard, hard);
	if (limit->soft == limit->hard)
		snprintf(text, RLIMIT_TEXT, "%s=%s", kind->name, soft);
	else
		snprintf(text, RLIMIT_TEXT, "%s=%s:%s", kind->name, soft, hard);
}
