/* SPDX-License-Identifier: ISC */
/*
 * begatd --security for people.
 *
 * A line for each service, in columns; beneath it, unless it is tight, what costs it most, each
 * with the keys that close it.  On a terminal that is too narrow a line is broken between columns,
 * at the same one for all services, and reasons between reasons; in a file or a pipe each is one
 * line however long.
 */
#include "config.h"

#include "cage/security.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/landlock.h"
#include "base/mem.h"
#include "cage/capability.h"
#include "cage/security-reasons.h"

#define INDENT 4
#define PORTS  3 /* that are shown */

enum column { SERVICE, SCORE, USER, CAPABILITIES, CALLS, FILES, NETWORK, COLUMNS };

struct row {
	char *cells[COLUMNS]; /* owned */
	enum security_word word;
	char **reasons; /* owned */
	size_t nreasons;
};

struct view {
	FILE *out;
	int width; /* 0: as wide as it gets */
	bool colour;
	int widths[COLUMNS];
	struct row *rows; /* the first has the heads */
	size_t nrows;
};

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* Columns */

static char *format_capabilities(const struct security *security)
{
	const uint64_t set = security->capabilities;
	const int count = __builtin_popcountll(set);
	char name[CAPABILITY_NAME];

	if (set == 0)
		return xstrdup("none");
	if (set == security->kernel->known_capabilities)
		return xstrdup("all");
	if (count > 1)
		return xasprintf("%d", count);
	capability_format(__builtin_ctzll(set), name);
	return xstrdup(name);
}

static char *format_calls(const struct security *security)
{
	return security->calls->filtered ? xasprintf("%zu", security->calls->count)
					 : xstrdup("all");
}

static char *format_files(const struct security *security)
{
	const struct security_paths *paths = &security->paths;
	const bool has_rules = security->cage->rules.handled.files;

	if (!security_can(security, CALLS_OPEN | CALLS_CHANGE | CALLS_EXECUTE))
		return xstrdup("none");
	if (!has_rules)
		return xstrdup(security->cage->chroot ? "its chroot" : "all");
	if (paths->count == 0)
		return xstrdup(security->own.count ? "its own" : "none");
	if (paths->writable == 0)
		return xasprintf("%zu path%s", paths->count, plural(paths->count));
	return xasprintf("%zu path%s, %zu writable", paths->count, plural(paths->count),
			 paths->writable);
}

/* "80, 443" */
static char *list_ports(const struct security *security, uint64_t right)
{
	const struct rules *rules = &security->cage->rules;
	char *text = xstrdup(""), *longer;

	for (size_t i = 0; i < rules->count; i++) {
		if (rules->all[i].path || !(rules->all[i].rights & right))
			continue;
		longer = xasprintf("%s%s%u", text, *text ? ", " : "", rules->all[i].port);
		free(text);
		text = longer;
	}
	return text;
}

static char *format_ports(const struct security *security, uint64_t right)
{
	const size_t count = security_count_ports(security, right);

	if (security_has_all_ports(security, right))
		return xstrdup("all");
	if (count == 0)
		return xstrdup("none");
	return count > PORTS ? xasprintf("%zu ports", count) : list_ports(security, right);
}

static char *format_network(const struct security *security)
{
	char *connect, *bind, *text;

	if (!security_has_network(security))
		return xstrdup("none");
	if (security_is_open(security, SECURITY_NETWORK))
		return xstrdup("all");
	connect = format_ports(security, LANDLOCK_CONNECT);
	bind = format_ports(security, LANDLOCK_BIND);
	text = strcmp(bind, "none") == 0 ? xasprintf("connect %s", connect)
					 : xasprintf("connect %s; bind %s", connect, bind);
	free(connect);
	free(bind);
	return text;
}

/* Rows */

static void add_row(struct view *view, const struct row *row)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		const int length = (int)strlen(row->cells[i]);

		if (length > view->widths[i])
			view->widths[i] = length;
	}
	view->rows[view->nrows++] = *row;
}

static void add_heads(struct view *view)
{
	static const char *const heads[COLUMNS] = { "SERVICE", "SCORE", "USER",	  "CAPABILITIES",
						    "CALLS",   "FILES", "NETWORK" };
	struct row row = { .word = SECURITY_TIGHT };

	for (size_t i = 0; i < COLUMNS; i++)
		row.cells[i] = xstrdup(heads[i]);
	add_row(view, &row);
}

static void add_service(struct view *view, const struct security *security)
{
	const unsigned score = security->score;
	struct row row = { .word = security_word(score) };

	row.cells[SERVICE] = xstrdup(security->service->name);
	row.cells[SCORE] = xasprintf("%u.%u %s", score / 10, score % 10, security_words[row.word]);
	row.cells[USER] = xstrdup(security->service->identity.user);
	row.cells[CAPABILITIES] = format_capabilities(security);
	row.cells[CALLS] = format_calls(security);
	row.cells[FILES] = format_files(security);
	row.cells[NETWORK] = format_network(security);
	if (row.word != SECURITY_TIGHT)
		reasons_list(security, &row.reasons, &row.nreasons);
	add_row(view, &row);
}

/* Printing */

static const char *colour_of(const struct row *row, enum column column, bool is_head)
{
	static const char *const colours[] = {
		[SECURITY_TIGHT] = "\033[32m",
		[SECURITY_GOOD] = "",
		[SECURITY_FAIR] = "\033[33m",
		[SECURITY_EXPOSED] = "\033[31m",
	};

	if (is_head)
		return "\033[1m";
	return column == SCORE ? colours[row->word] : "";
}

static void print_cell(const struct view *view, const struct row *row, enum column column)
{
	const char *colour = view->colour ? colour_of(row, column, row == &view->rows[0]) : "";

	fprintf(view->out, "%s%s%s", colour, row->cells[column], *colour ? "\033[0m" : "");
}

/* Blanks are only printed before something. */
static void print_row(const struct view *view, const struct row *row)
{
	int place = 0, blanks = 0;

	for (enum column column = SERVICE; column < COLUMNS; column++) {
		if (view->width && column > SERVICE && place + view->widths[column] > view->width) {
			putc('\n', view->out);
			place = blanks = INDENT;
		}
		fprintf(view->out, "%*s", blanks, "");
		print_cell(view, row, column);
		blanks = view->widths[column] - (int)strlen(row->cells[column]) + 2;
		place += view->widths[column] + 2;
	}
	putc('\n', view->out);
}

/* On one line with "; " between them, or as many lines as the width wants. */
static void print_reasons(const struct view *view, const struct row *row)
{
	int place = 0;

	for (size_t i = 0; i < row->nreasons; i++) {
		const bool is_last = i + 1 == row->nreasons;
		const int length = (int)strlen(row->reasons[i]) + !is_last;

		if (i == 0 || (view->width && place + 1 + length > view->width)) {
			fprintf(view->out, "%s%*s", i ? "\n" : "", INDENT, "");
			place = INDENT;
		} else {
			putc(' ', view->out);
			place++;
		}
		fprintf(view->out, "%s%s", row->reasons[i], is_last ? "\n" : ";");
		place += length;
	}
}

static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static void view_init(struct view *view, FILE *out, size_t nservices)
{
	struct winsize size;

	*view = (struct view){ .out = out };
	view->rows = xcalloc(nservices + 1, sizeof(*view->rows));
	if (!isatty(fileno(out)))
		return;
	view->colour = wants_colour();
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0) /* or as wide as it gets */
		view->width = size.ws_col;
}

static void view_fini(struct view *view)
{
	for (size_t i = 0; i < view->nrows; i++) {
		for (size_t j = 0; j < COLUMNS; j++)
			free(view->rows[i].cells[j]);
		strv_free(view->rows[i].reasons);
	}
	free(view->rows);
}

static void add_service_to(void *view, const struct security *security)
{
	add_service(view, security);
}

void security_print(const struct config *config, FILE *out)
{
	struct view view;

	view_init(&view, out, config->nservices);
	add_heads(&view);
	security_each(config, add_service_to, &view);
	for (size_t i = 0; i < view.nrows; i++) {
		print_row(&view, &view.rows[i]);
		print_reasons(&view, &view.rows[i]);
	}
	view_fini(&view);
}
