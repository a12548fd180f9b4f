/* SPDX-License-Identifier: ISC */
/*
 * What is wrong with a configuration.
 *
 * Every reader of the configuration adds here what it finds and goes on, so that one run of
 * "begatd -t" shows everything.  The same mistake may be found several times (a value of "defaults"
 * is looked at by every service, a file with unknown keys is parsed again): it is said once.
 * Nothing here decides whether loading goes on, and nothing prints.
 */
#include "config.h"

#include "config/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A configuration may hold bytes that would drive the terminal of whoever checks it. */
static char *escape(const char *text)
{
	char *safe = xcalloc(4 * strlen(text) + 1, 1);
	char *out = safe;

	for (const unsigned char *in = (const unsigned char *)text; *in; in++) {
		if (*in < ' ' || *in == 127)
			out += sprintf(out, "\\x%02x", *in);
		else
			*out++ = (char)*in;
	}
	return safe;
}

static bool is_known(const struct problem_list *list, const struct origin *at, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct problem *problem = &list->items[i];

		if (problem->at.line == at->line && problem->at.file == at->file &&
		    strcmp(problem->text, text) == 0)
			return true;
	}
	return false;
}

static void append(struct problem_list *list, const struct problem *problem)
{
	list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count] = *problem;
	list->items[list->count].serial = list->count;
	list->count++;
}

/* In a full list an error takes the place of a warning. */
static void displace(struct problem_list *list, const struct problem *problem)
{
	struct problem *end = list->items + list->count;

	list->full = true;
	while (end > list->items && !end[-1].warning)
		end--;
	if (problem->warning || end == list->items) {
		free(problem->text);
		return;
	}
	free(end[-1].text);
	end[-1] = *problem;
	end[-1].serial = list->count;
}

static void add(struct problem_list *list, const struct origin *at, bool warning, char *text)
{
	struct problem problem = { .at = *at, .warning = warning, .text = escape(text) };

	free(text);
	list->errors += !warning;
	if (is_known(list, at, problem.text))
		free(problem.text);
	else if (list->count < PROBLEMS_MAX)
		append(list, &problem);
	else
		displace(list, &problem);
}

void problem_add(struct problem_list *list, const struct origin *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(list, at, false, xvasprintf(format, arguments));
	va_end(arguments);
}

void problem_warn(struct problem_list *list, const struct origin *at, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(list, at, true, xvasprintf(format, arguments));
	va_end(arguments);
}

static int compare_size(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *first, const void *second)
{
	const struct problem *a = first, *b = second;
	int order = compare_size(a->rank, b->rank);

	if (order == 0)
		order = (a->at.line > b->at.line) - (a->at.line < b->at.line);
	return order ? order : compare_size(a->serial, b->serial);
}

static size_t rank_of(const char *file, char *const *files)
{
	size_t rank = 0;

	while (files[rank] && files[rank] != file)
		rank++;
	return rank;
}

static char *format_line(const struct problem *problem)
{
	const char *kind = problem->warning ? "warning: " : "";

	if (problem->at.line == 0)
		return xasprintf("%s: %s%s", problem->at.file, kind, problem->text);
	return xasprintf("%s:%d: %s%s", problem->at.file, problem->at.line, kind, problem->text);
}

void problem_report(struct problem_list *list, char *const *files, struct config_problems *lines)
{
	for (size_t i = 0; i < list->count; i++)
		list->items[i].rank = rank_of(list->items[i].at.file, files);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++) {
		strv_add(&lines->lines, &lines->count, format_line(&list->items[i]));
		lines->warnings += list->items[i].warning;
	}
	if (list->full)
		strv_add(&lines->lines, &lines->count,
			 xasprintf("%s: there are more problems; these are the first", files[0]));
	problem_fini(list);
}

void problem_fini(struct problem_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].text);
	free(list->items);
	*list = (struct problem_list){ 0 };
}
