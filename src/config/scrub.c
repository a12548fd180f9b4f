/* SPDX-License-Identifier: ISC */
/*
 * The text of a configuration file, made safe for libconfuse.
 *
 * libconfuse 3.3 counts a comment as three lines, lets a bare "*" vanish, expands ${...} from the
 * environment, accepts the end of the file within a section and says nothing about an empty list.
 * This scanner reads the text by the same tokens, refuses all of that with the line where it
 * stands, and writes a copy in which comments are blanks.  It knows nothing of keys and values.
 *
 * Invariant: the copy has the newlines of the original, so libconfuse's line numbers are right.
 * Called for each file before schema.c, and by the fuzzer.
 */
#include "config.h"

#include "config/scrub.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/escape.h"

#define ERRORS_MAX 20 /* of one file; what follows is noise */

#define ITEMS_MAX  500000 /* of one list; section.c has less for most */

/* libconfuse takes time that grows with the square of these. */
#define STRING_MAX   65536 /* bytes of one string or word, as written */
#define SECTIONS_MAX 10000 /* of one file */

enum where { AT_START, AFTER_NAME, AFTER_EQUALS }; /* in a statement */

struct bracket {
	char type; /* '{' or '(' */
	bool list; /* a value, or the arguments of a function: no bracket opens within */
	int line;
	int items;
	int comma_line; /* where the first comma is missing; said only when the bracket closes */
};

struct scrub {
	const char *in, *end;
	char *out;
	struct scrubbed *result;
	struct problem_list *problems;
	struct origin at;
	enum where where;
	int name_line;
	char last; /* the token before: 'w' a word, 'q' a quoted string, or the character */
	struct bracket open[2];
	int depth;
	int errors;
	bool lost; /* the rest cannot be understood */
	bool torn; /* a string did not end: brackets may have been swallowed */
};

#define COMPLAIN(scrub, ...)                                                                       \
	(problem_add((scrub)->problems, &(scrub)->at, __VA_ARGS__),                                \
	 (scrub)->lost |= ++(scrub)->errors >= ERRORS_MAX)

static void give_up(struct scrub *scrub)
{
	scrub->lost = true;
}

static char peek(const struct scrub *scrub, size_t ahead)
{
	return (size_t)(scrub->end - scrub->in) > ahead ? scrub->in[ahead] : '\0';
}

static const struct bracket *innermost(const struct scrub *scrub)
{
	return scrub->depth ? &scrub->open[scrub->depth - 1] : NULL;
}

static bool is_in_list(const struct scrub *scrub)
{
	return scrub->depth && innermost(scrub)->list;
}

static void copy(struct scrub *scrub, size_t length)
{
	memcpy(scrub->out, scrub->in, length);
	scrub->out += length;
	scrub->in += length;
}

/* One blank for many: libconfuse takes time that grows with the square of their number. */
static void blank(struct scrub *scrub)
{
	const char c = *scrub->in++ == '\n' ? '\n' : ' ';

	scrub->at.line += c == '\n';
	if (c == '\n' || scrub->out == scrub->result->text || scrub->out[-1] != ' ')
		*scrub->out++ = c;
}

static void skip_line(struct scrub *scrub)
{
	while (scrub->in < scrub->end && *scrub->in != '\n')
		blank(scrub);
}

static void skip_comment(struct scrub *scrub)
{
	int opened = scrub->at.line;

	blank(scrub);
	blank(scrub);
	while (scrub->in < scrub->end) {
		if (peek(scrub, 0) == '*' && peek(scrub, 1) == '/') {
			blank(scrub);
			blank(scrub);
			return;
		}
		blank(scrub);
	}
	scrub->at.line = opened;
	COMPLAIN(scrub, "this comment is never closed by \"*/\"");
	scrub->torn = true;
}

/* A word or a string has been read. */
static void note_text(struct scrub *scrub, char kind)
{
	bool second = scrub->last == 'w' || scrub->last == 'q';

	scrub->last = kind;
	if (is_in_list(scrub)) {
		if (second && scrub->open[scrub->depth - 1].comma_line == 0)
			scrub->open[scrub->depth - 1].comma_line = scrub->at.line;
		return;
	}
	/* A quoted key could name an option of another section to libconfuse. */
	if (scrub->where == AT_START && kind == 'q')
		COMPLAIN(scrub, "a string where a key is expected; keys have no quotes");
	if (scrub->where == AT_START) {
		scrub->name_line = scrub->at.line;
		scrub->where = AFTER_NAME;
	} else if (scrub->where == AFTER_EQUALS) {
		scrub->where = AT_START;
	}
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-.:/@%[]~", c));
}

static void check_length(struct scrub *scrub, const char *start)
{
	if (scrub->in - start > STRING_MAX)
		COMPLAIN(scrub, "a string of more than %d bytes", STRING_MAX);
}

static void read_word(struct scrub *scrub)
{
	const char *start = scrub->in;
	size_t length = 1;

	while (is_word(peek(scrub, length)))
		length++;
	copy(scrub, length);
	check_length(scrub, start);
	note_text(scrub, 'w');
}

static void read_escape(struct scrub *scrub)
{
	size_t length = escape_check(scrub->in, scrub->end);

	if (length == 0) {
		COMPLAIN(scrub, "unknown or forbidden escape \"\\%c\" in a string", peek(scrub, 1));
		length = peek(scrub, 1) && peek(scrub, 1) != '\n' ? 2 : 1;
	}
	copy(scrub, length);
}

static void complain_expansion(struct scrub *scrub)
{
	COMPLAIN(scrub, "\"${\" is not expanded from the environment; for these two characters "
			"as they are use single quotes");
}

static void read_character(struct scrub *scrub, char quote)
{
	char c = *scrub->in;

	if (c == '\\' && quote == '"') {
		read_escape(scrub);
		return;
	}
	if (c == '\\' && (peek(scrub, 1) == '\'' || peek(scrub, 1) == '\\')) {
		copy(scrub, 2);
		return;
	}
	if (iscntrl((unsigned char)c) && c != '\t')
		COMPLAIN(scrub, "control character \\x%02x in a string", (unsigned char)c);
	else if (c == '$' && peek(scrub, 1) == '{' && quote == '"')
		complain_expansion(scrub);
	copy(scrub, 1);
}

static void read_quoted(struct scrub *scrub)
{
	const char *start = scrub->in;
	char quote = *start;

	copy(scrub, 1);
	while (scrub->in < scrub->end && *scrub->in != quote && *scrub->in != '\n')
		read_character(scrub, quote);
	if (peek(scrub, 0) == quote) {
		copy(scrub, 1);
	} else {
		COMPLAIN(scrub, "this string has no closing %c on its line", quote);
		scrub->torn = true;
	}
	check_length(scrub, start);
	note_text(scrub, 'q');
}

static void add_section(struct scrub *scrub)
{
	struct scrubbed *result = scrub->result;

	if (result->nlines == SECTIONS_MAX) {
		COMPLAIN(scrub, "more than %d sections", SECTIONS_MAX);
		give_up(scrub);
		return;
	}
	result->lines = xreallocarray(result->lines, result->nlines + 1, sizeof(int));
	result->lines[result->nlines++] =
		scrub->where == AFTER_NAME ? scrub->name_line : scrub->at.line;
}

/* What stands at in cannot be there, because the bracket before has not been closed. */
static void complain_open(struct scrub *scrub, const char *what)
{
	const struct bracket *open = innermost(scrub);
	int line = scrub->at.line;

	scrub->at.line = open->line;
	COMPLAIN(scrub, "\"%c\" is not closed before %s in line %d", open->type, what, line);
	scrub->at.line = line;
	give_up(scrub);
}

static void read_opening(struct scrub *scrub)
{
	struct bracket bracket = { .type = *scrub->in, .line = scrub->at.line };

	bracket.list = bracket.type == '(' || scrub->where == AFTER_EQUALS;
	if (is_in_list(scrub)) {
		complain_open(scrub, bracket.type == '{' ? "another \"{\"" : "\"(\"");
		return;
	}
	if (scrub->depth && !bracket.list) {
		complain_open(scrub, "another section");
		return;
	}
	if (!bracket.list) {
		add_section(scrub);
		scrub->where = AT_START;
	}
	scrub->open[scrub->depth++] = bracket;
	scrub->last = bracket.type;
	copy(scrub, 1);
}

static void complain_comma(struct scrub *scrub, int line)
{
	int now = scrub->at.line;

	scrub->at.line = line;
	COMPLAIN(scrub, "a comma is missing before this value");
	scrub->at.line = now;
}

static void read_closing(struct scrub *scrub)
{
	char opening = *scrub->in == '}' ? '{' : '(';
	const struct bracket *open = innermost(scrub);

	if (open == NULL || open->type != opening) {
		COMPLAIN(scrub, "\"%c\" without \"%c\"", *scrub->in, opening);
		give_up(scrub);
		return;
	}
	if (open->comma_line)
		complain_comma(scrub, open->comma_line);
	if (open->type == '{' && open->list && scrub->last == '{') {
		memcpy(scrub->out, "'" SCRUB_EMPTY "'", 3);
		scrub->out += 3;
	}
	scrub->depth--;
	scrub->where = AT_START;
	scrub->last = *scrub->in;
	copy(scrub, 1);
}

static void read_equals(struct scrub *scrub)
{
	if (is_in_list(scrub)) {
		complain_open(scrub, "the next \"=\"");
		return;
	}
	scrub->where = AFTER_EQUALS;
	scrub->last = '=';
	copy(scrub, 1);
}

/* libconfuse leaks the arguments of an include when they are not well formed. */
static void read_comma(struct scrub *scrub)
{
	if (scrub->last != 'w' && scrub->last != 'q')
		COMPLAIN(scrub, "there is nothing before this comma");
	if (is_in_list(scrub) && ++scrub->open[scrub->depth - 1].items == ITEMS_MAX) {
		COMPLAIN(scrub, "a list of more than %d", ITEMS_MAX);
		give_up(scrub);
		return;
	}
	scrub->last = ',';
	copy(scrub, 1);
}

static void complain_control(struct scrub *scrub, unsigned char c)
{
	if (c == '\r')
		COMPLAIN(scrub, "a carriage return: lines must end with a newline alone");
	else
		COMPLAIN(scrub, "control character \\x%02x: this is not a text file", c);
	give_up(scrub);
}

static void read_stray(struct scrub *scrub)
{
	unsigned char c = (unsigned char)*scrub->in;
	int length = 1;

	if (iscntrl(c)) {
		complain_control(scrub, c);
		return;
	}
	while (length < 8 && (signed char)peek(scrub, (size_t)length) < 0)
		length++; /* the whole of a UTF-8 character */
	if (c == '$' && peek(scrub, 1) == '{') {
		complain_expansion(scrub);
		skip_line(scrub);
		scrub->torn = true;
		return;
	}
	if (c == '+')
		COMPLAIN(scrub, "\"+\" is not known here; give the whole list with \"=\"");
	else
		COMPLAIN(scrub, "stray character \"%.*s\"; put the value into quotes", length,
			 scrub->in);
	while (length--)
		blank(scrub);
}

static void read_token(struct scrub *scrub)
{
	char c = *scrub->in, next = peek(scrub, 1);

	if (c == ' ' || c == '\t' || c == '\n')
		blank(scrub);
	else if (c == '#' || (c == '/' && next == '/'))
		skip_line(scrub);
	else if (c == '/' && next == '*')
		skip_comment(scrub);
	else if (c == '"' || c == '\'')
		read_quoted(scrub);
	else if (c == '{' || c == '(')
		read_opening(scrub);
	else if (c == '}' || c == ')')
		read_closing(scrub);
	else if (c == '=')
		read_equals(scrub);
	else if (c == ',')
		read_comma(scrub);
	else if (is_word(c))
		read_word(scrub);
	else
		read_stray(scrub);
}

static void check_nul(struct scrub *scrub)
{
	const char *nul = memchr(scrub->in, '\0', (size_t)(scrub->end - scrub->in));

	if (nul == NULL)
		return;
	for (const char *c = scrub->in; c < nul; c++)
		scrub->at.line += *c == '\n';
	COMPLAIN(scrub, "a NUL byte: this is not a text file");
	give_up(scrub);
}

static void check_closed(struct scrub *scrub)
{
	const struct bracket *open = innermost(scrub);

	if (open == NULL || scrub->torn || scrub->lost)
		return;
	scrub->at.line = open->line;
	COMPLAIN(scrub, "\"%c\" is never closed", open->type);
}

int scrub_text(const char *text, size_t length, const char *file, struct scrubbed *scrubbed,
	       struct problem_list *problems)
{
	struct scrub scrub = { .in = text, .end = text + length, .result = scrubbed };

	*scrubbed = (struct scrubbed){ 0 };
	/* "{}" grows from two bytes to five. */
	scrubbed->text = scrub.out = xcalloc(3 * length + 1, 1);
	scrub.problems = problems;
	scrub.at = (struct origin){ .file = file, .line = 1 };
	check_nul(&scrub);
	while (scrub.in < scrub.end && !scrub.lost)
		read_token(&scrub);
	check_closed(&scrub);
	return scrub.errors ? -1 : 0;
}

void scrub_fini(struct scrubbed *scrubbed)
{
	free(scrubbed->text);
	free(scrubbed->lines);
	*scrubbed = (struct scrubbed){ 0 };
}
