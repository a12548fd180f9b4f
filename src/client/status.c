/* SPDX-License-Identifier: ISC */
/*
 * begat status: what a daemon is at.
 *
 * The daemon sends a memory file with JSON (report/status.c).  It is passed on as it is, or cut
 * down to one service, or told for people (client/report.c).
 */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/call.h"
#include "client/command.h"
#include "client/field.h"
#include "client/report.h"
#include "report/log.h"

#define BYTES_MAX (256 << 20) /* as plan/handover.c */

struct request {
	bool json;
	const char *service; /* NULL: all */
};

struct document {
	char *bytes;
	size_t size;
};

static void parse_arguments(int argc, char **argv, struct request *request)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	int option;

	*request = (struct request){ .json = false };
	optind = 0; /* main() has used it: getopt_long(3) */
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (option != 'j')
			fatal(EXIT_USAGE, "usage: begat status [--json] [SERVICE]");
		request->json = true;
	}
	if (argc - optind > 1)
		fatal(EXIT_USAGE, "usage: begat status [--json] [SERVICE]");
	request->service = argv[optind];
}

/* 0, or -1 with errno. */
static int read_all(int fd, struct document *document)
{
	ssize_t got;

	for (size_t done = 0; done < document->size; done += (size_t)got) {
		got = pread(fd, document->bytes + done, document->size - done, (off_t)done);
		if (got == 0)
			errno = ENODATA;
		if (got <= 0)
			return -1;
	}
	return 0;
}

/* Whoever answers there need not be a daemon of ours. */
static void fetch(const char *control, struct document *document)
{
	struct answer answer;
	struct stat status;

	call_make(control, "status", &answer);
	if (answer.fd < 0 || fstat(answer.fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    status.st_size > BYTES_MAX)
		fatal(EXIT_GENERIC, "%s: the answer cannot be understood", control);
	document->size = (size_t)status.st_size;
	document->bytes = xcalloc(document->size + 1, 1);
	if (read_all(answer.fd, document) < 0)
		fatal(EXIT_GENERIC, "%s: the answer: %m", control);
	(void)close(answer.fd); /* only read from */
}

static json_t *parse(const char *control, const struct document *document)
{
	json_error_t error;
	json_t *status =
		json_loadb(document->bytes, document->size, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(status))
		fatal(EXIT_GENERIC, "%s: the answer is not JSON of a daemon: %s", control,
		      error.text);
	return status;
}

static const json_t *find_service(const json_t *status, const char *name, size_t *place)
{
	const json_t *services = json_object_get(status, "services");

	for (*place = 0; *place < json_array_size(services); ++*place)
		if (field_is(json_array_get(services, *place), "name", name))
			return json_array_get(services, *place);
	fatal(EXIT_GENERIC, "status: there is no service \"%s\"", name);
}

/* Leaves in a list of objects those whose field is this text. */
static void keep_only(json_t *status, const char *list, const char *key, const char *text)
{
	json_t *all = json_object_get(status, list);

	for (size_t i = json_array_size(all); i > 0; i--)
		if (!field_is(json_array_get(all, i - 1), key, text))
			json_array_remove(all, i - 1);
}

/* Where a child's row has a field: the names are in a list of their own. */
static size_t find_column(const json_t *status, const char *name)
{
	const json_t *names = json_object_get(status, "children-fields");
	const char *each;
	size_t i;

	for (i = 0; i < json_array_size(names); i++) {
		each = json_string_value(json_array_get(names, i));
		if (each && strcmp(each, name) == 0)
			break;
	}
	return i;
}

/* They know their service by its place, which is 0 from now on. */
static void keep_children(json_t *status, size_t place)
{
	json_t *all = json_object_get(status, "children"), *row;
	const size_t column = find_column(status, "service");

	for (size_t i = json_array_size(all); i > 0; i--) {
		row = json_array_get(all, i - 1);
		if (json_integer_value(json_array_get(row, column)) == (json_int_t)place)
			(void)json_array_set_new(row, column, json_integer(0)); /* is there */
		else
			json_array_remove(all, i - 1);
	}
}

static void cut_down(json_t *status, const char *service)
{
	size_t place;

	(void)find_service(status, service, &place); /* or it ends here */
	keep_only(status, "services", "name", service);
	keep_only(status, "listeners", "service", service);
	keep_only(status, "bans", "service", service);
	keep_children(status, place);
}

static void print_for_people(const json_t *status, const char *service)
{
	size_t place;

	if (service)
		report_print_service(status, find_service(status, service, &place), stdout);
	else
		report_print(status, stdout);
}

static void print_json(json_t *status, const char *service)
{
	cut_down(status, service);
	(void)json_dumpf(status, stdout, JSON_INDENT(1)); /* main() looks at the stream */
	putchar('\n');
}

void status_run(const char *control, int argc, char **argv)
{
	struct request request;
	struct document document;
	json_t *status;

	parse_arguments(argc, argv, &request);
	fetch(control, &document);
	status = parse(control, &document);
	if (request.json && request.service)
		print_json(status, request.service);
	else if (request.json)
		(void)fwrite(document.bytes, document.size, 1, stdout); /* main() looks at it */
	else
		print_for_people(status, request.service);
	json_decref(status);
	free(document.bytes);
}
