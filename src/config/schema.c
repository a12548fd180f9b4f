/* SPDX-License-Identifier: ISC */
/*
 * The keys of a configuration file, and libconfuse.
 *
 * libconfuse is used for the grammar alone: every key is a string or a list of strings, and one
 * callback writes down what was set, where, at the moment at which it is read.  What a value means
 * is decided later, by value.c, so one bad value does not hide the next.  The only file that
 * includes <confuse.h>.  Its cfg_t is freed before schema_read() returns, and nobody borrows its
 * strings.
 *
 * Invariants: no default is ever taken from libconfuse; no key or title is set twice; sections are
 * CFGF_NO_TITLE_DUPES, and never IGNORE_UNKNOWN, COMMENTS or SIMPLE.  An unknown key ends a parse,
 * so the text is parsed again with that name known as a dummy, until nothing unknown is left.
 */
#include "config.h"

#include "config/schema.h"

#include <confuse.h>
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/nearest.h"

#define UNKNOWN_MAX 50		       /* names, and with that parses, of one file */
#define PARSED_MAX  (64 * 1024 * 1024) /* bytes, in all its parses together */

struct unknown {
	char *name;
	bool global; /* outside of sections */
};

/* libconfuse passes no pointer of ours to its callbacks. */
static struct reading {
	struct schema_file *file;
	struct problem_list *problems;
	struct origin at;
	const struct scrubbed *scrubbed;
	cfg_t *root;
	cfg_t *open; /* the section whose settings come, and what they become */
	struct section *section;
	size_t nopened; /* sections so far, complete or not */
	struct unknown unknown[UNKNOWN_MAX];
	size_t nunknown;
	bool again;    /* there is one more unknown name */
	size_t before; /* errors before this parse */
} reading;

void schema_fini(struct schema_file *file)
{
	section_fini(&file->global);
	for (size_t i = 0; i < file->nsections; i++)
		section_free(file->sections[i]);
	free(file->sections);
	for (size_t i = 0; i < file->nincludes; i++)
		free(file->includes[i].pattern);
	free(file->includes);
	*file = (struct schema_file){ 0 };
}

/* Names that are not known. */

static enum key_place place_of(const cfg_t *cfg)
{
	if (cfg == reading.root)
		return IN_GLOBAL;
	return strcmp(cfg->name, "defaults") == 0 ? IN_DEFAULTS : IN_SERVICE;
}

static const char *explain_place(const char *name, enum key_place place)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(key_table[i].name, name) != 0 || (key_table[i].place & place))
			continue;
		if (key_table[i].place == IN_GLOBAL)
			return "is for the whole daemon: it stands outside of sections";
		return key_table[i].place == IN_SERVICE ? "belongs in a service"
							: "belongs in a service or \"defaults\"";
	}
	return strcmp(name, "include") == 0 ? "stands outside of sections" : NULL;
}

static void complain_unknown(const char *name, enum key_place place)
{
	const char *why = explain_place(name, place);
	struct nearest nearest = { .wanted = name };
	char suggestion[NEAREST_SUFFIX];

	if (why) {
		problem_add(reading.problems, &reading.at, "\"%.64s\" %s", name, why);
		return;
	}
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (key_table[i].place & place)
			nearest_offer(&nearest, key_table[i].name);
	if (place == IN_GLOBAL) {
		nearest_offer(&nearest, "service");
		nearest_offer(&nearest, "defaults");
		nearest_offer(&nearest, "include");
	}
	nearest_format(&nearest, suggestion);
	problem_add(reading.problems, &reading.at, "unknown key \"%.64s\"%s", name, suggestion);
}

static bool is_unknown(const char *name, bool global)
{
	for (size_t i = 0; i < reading.nunknown; i++)
		if (reading.unknown[i].global == global &&
		    strcmp(reading.unknown[i].name, name) == 0)
			return true;
	return false;
}

static void add_unknown(const char *name, enum key_place place)
{
	const size_t length = strlen(reading.scrubbed->text);

	if (reading.nunknown == UNKNOWN_MAX || reading.nunknown * length > PARSED_MAX) {
		complain_unknown(name, place);
		return;
	}
	reading.unknown[reading.nunknown++] =
		(struct unknown){ .name = xstrdup(name), .global = place == IN_GLOBAL };
	reading.again = true;
}

/* What libconfuse says. */

static void complain_title(const char *title)
{
	for (size_t i = 0; i < reading.file->nsections; i++) {
		const struct section *section = reading.file->sections[i];

		if (section->title && strcmp(section->title, title) == 0) {
			problem_add(reading.problems, &reading.at,
				    "service \"%.64s\" is there already: %s:%d", title,
				    section->origin.file, section->origin.line);
			return;
		}
	}
}

__attribute__((format(printf, 1, 0))) static void complain_syntax(const char *format,
								  va_list arguments)
{
	char text[256];

	vsnprintf(text, sizeof(text), format, arguments);
	problem_add(reading.problems, &reading.at, "syntax error: %s", text);
}

/* The three errors that are ours to say name one thing.  Others are formatted first and passed on
 * as text: a format string that came out of a file would be an attack. */
__attribute__((format(printf, 2, 0))) static void take_error(cfg_t *cfg, const char *format,
							     va_list arguments)
{
	bool unknown = strcmp(format, "no such option '%s'") == 0;
	bool title = strcmp(format, "found duplicate title '%s'") == 0;
	bool equals = strcmp(format, "missing equal sign after option '%s'") == 0;
	enum key_place place = place_of(cfg);
	const char *name = "";
	va_list copy;

	va_copy(copy, arguments);
	if (unknown || title || equals)
		name = va_arg(copy, const char *);
	va_end(copy);
	reading.at.line = cfg->line;
	if (unknown)
		add_unknown(name, place);
	else if (title)
		complain_title(name);
	else if (equals && is_unknown(name, place == IN_GLOBAL))
		complain_unknown(name, place);
	else
		complain_syntax(format, arguments);
}

/* What libconfuse finds. */

static int section_line(void)
{
	return reading.nopened < reading.scrubbed->nlines ? reading.scrubbed->lines[reading.nopened]
							  : reading.at.line;
}

static void open_section(cfg_t *cfg)
{
	struct section *section = xcalloc(1, sizeof(*section));

	section_free(reading.section);
	reading.open = cfg;
	reading.section = section;
	section->kind = place_of(cfg) == IN_SERVICE ? SECTION_SERVICE : SECTION_DEFAULTS;
	section->title = cfg->title ? xstrdup(cfg->title) : NULL;
	section->origin = (struct origin){ .file = reading.at.file, .line = section_line() };
	reading.nopened++;
}

static struct section *section_of(cfg_t *cfg)
{
	if (cfg == reading.root)
		return &reading.file->global;
	if (cfg != reading.open)
		open_section(cfg);
	return reading.section;
}

/* After the closing brace. */
static int close_section(cfg_t *cfg, cfg_opt_t *opt)
{
	struct schema_file *file = reading.file;
	cfg_t *closed = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);

	(void)cfg;
	(void)section_of(closed); /* it may have been empty */
	file->sections =
		xreallocarray(file->sections, file->nsections + 1, sizeof(*file->sections));
	file->sections[file->nsections++] = reading.section;
	reading.section = NULL;
	reading.open = NULL;
	return 0;
}

static void add_item(enum key key, struct setting *setting, const char *text)
{
	unsigned max = key_table[key].items;

	if (max == 0 || setting->count < max)
		item_add(setting, text, reading.at.line);
	else
		problem_add(reading.problems, &setting->origin, "%s: the list has more than %u",
			    key_table[key].name, max);
}

static void set(cfg_t *cfg, const cfg_opt_t *opt, const char *text)
{
	enum key key = key_find(opt->name);
	struct setting *setting = &section_of(cfg)->settings[key];

	if (setting->origin.file == NULL) {
		setting->origin = reading.at;
	} else if (opt->nvalues == 1) { /* libconfuse has dropped the values before */
		problem_add(reading.problems, &reading.at, "%s is set already: %s:%d", opt->name,
			    setting->origin.file, setting->origin.line);
		setting_fini(setting);
		setting->origin = reading.at;
	}
	if (strcmp(text, SCRUB_EMPTY) != 0)
		add_item(key, setting, text);
}

/* libconfuse makes room for one more each time that a list grows, and nobody asks it for the
 * values: it keeps the first, with which it knows a list that has begun, and the last, which is to
 * be set. */
static void drop_value(cfg_opt_t *opt)
{
	if (opt->nvalues < 3)
		return;
	free(opt->values[1]->string);
	free(opt->values[1]);
	opt->values[1] = opt->values[2];
	opt->nvalues = 2;
}

static int take_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	enum key_place place = place_of(cfg);
	enum key key = key_find(opt->name);

	reading.at.line = cfg->line;
	*(const char **)result = value;
	if (key != KEY_COUNT && (key_table[key].place & place))
		set(cfg, opt, value);
	else if (opt->nvalues == 1)
		complain_unknown(opt->name, place);
	drop_value(opt);
	return 0;
}

static int take_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	struct schema_file *file = reading.file;

	(void)opt;
	reading.at.line = cfg->line;
	if (argc != 1 || argv[0][0] == '\0') {
		problem_add(reading.problems, &reading.at,
			    "include takes one file name or pattern");
		return 0;
	}
	file->includes =
		xreallocarray(file->includes, file->nincludes + 1, sizeof(*file->includes));
	file->includes[file->nincludes++] =
		(struct include){ .origin = reading.at, .pattern = xstrdup(argv[0]) };
	return 0;
}

/* The tables for libconfuse, with the dummies so far. */

static cfg_opt_t *put_value(cfg_opt_t *opt, const char *name, bool list)
{
	opt->name = name;
	opt->type = CFGT_STR;
	opt->flags = CFGF_NODEFAULT | (list ? CFGF_LIST : CFGF_NONE);
	opt->parsecb = take_value;
	return opt + 1;
}

static cfg_opt_t *put_section(cfg_opt_t *opt, const char *name, cfg_flag_t flags,
			      cfg_opt_t *subopts)
{
	opt->name = name;
	opt->type = CFGT_SEC;
	opt->flags = CFGF_MULTI | flags;
	opt->subopts = subopts;
	opt->validcb = close_section;
	return opt + 1;
}

static cfg_opt_t *put_keys(cfg_opt_t *opt, bool global)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (key_table[i].place & (global ? IN_GLOBAL : IN_SECTION))
			opt = put_value(opt, key_table[i].name, key_table[i].items > 0);
	for (size_t i = 0; i < reading.nunknown; i++)
		if (reading.unknown[i].global == global)
			opt = put_value(opt, reading.unknown[i].name, true);
	return opt;
}

static cfg_t *new_root(void)
{
	cfg_opt_t inner[KEY_COUNT + UNKNOWN_MAX + 1] = { 0 };
	cfg_opt_t outer[KEY_COUNT + UNKNOWN_MAX + 4] = { 0 };
	cfg_opt_t *opt = put_keys(outer, true);
	cfg_t *root;

	put_keys(inner, false);
	opt = put_section(opt, "defaults", CFGF_NONE, inner);
	opt = put_section(opt, "service", CFGF_TITLE | CFGF_NO_TITLE_DUPES, inner);
	opt->name = "include";
	opt->type = CFGT_FUNC;
	opt->func = take_include;
	root = cfg_init(outer, CFGF_NONE);
	if (root == NULL)
		err(1, "memory");
	cfg_set_error_function(root, take_error);
	return root;
}

static int parse(cfg_t *root)
{
	const char *text = reading.scrubbed->text;
	size_t length = strlen(text);
	FILE *stream;
	int result;

	if (length == 0)
		return CFG_SUCCESS;
	stream = fmemopen((char *)(uintptr_t)text, length, "r");
	if (stream == NULL)
		err(1, "memory");
	result = cfg_parse_fp(root, stream);
	fclose(stream); /* memory only: nothing to lose */
	return result;
}

/* One parse of the text, from the beginning. */
static void parse_once(void)
{
	schema_fini(reading.file);
	reading.again = false;
	reading.nopened = 0;
	reading.at.line = 1;
	reading.before = reading.problems->errors;
	reading.root = new_root();
	if (parse(reading.root) != CFG_SUCCESS && !reading.again &&
	    reading.problems->errors == reading.before)
		problem_add(reading.problems, &reading.at, "syntax error after this line");
	section_free(reading.section);
	reading.section = NULL;
	reading.open = NULL;
	cfg_free(reading.root);
}

void schema_read(const char *name, const struct scrubbed *scrubbed, struct schema_file *file,
		 struct problem_list *problems)
{
	*file = (struct schema_file){ 0 };
	reading = (struct reading){ .file = file,
				    .problems = problems,
				    .scrubbed = scrubbed,
				    .at = { .file = name, .line = 1 } };
	do
		parse_once();
	while (reading.again);
	for (size_t i = 0; i < reading.nunknown; i++)
		free(reading.unknown[i].name);
	reading = (struct reading){ 0 };
}
