/* SPDX-License-Identifier: ISC */
/*
 * A key and its value as one line, in the form of the configuration file.
 *
 * Strings are quoted so that scrub.c and libconfuse read back exactly these bytes; numbers, modes
 * and durations have one form each.  Used by print.c, which knows the keys and their order.
 */
#include "config.h"

#include "config/print-key.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/value.h"

static void print_quoted(FILE *out, const char *text)
{
	putc('"', out);
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\' || (*c == '$' && c[1] == '{'))
			fprintf(out, "\\%c", *c);
		else if (*c == '\n')
			fputs("\\n", out);
		else if (*c == '\t')
			fputs("\\t", out);
		else if (*c == '\r')
			fputs("\\r", out);
		else if (iscntrl((unsigned char)*c))
			fprintf(out, "\\x%02x", (unsigned char)*c);
		else
			putc(*c, out);
	}
	putc('"', out);
}

void print_text(FILE *out, const char *key, const char *text)
{
	if (text == NULL)
		return;
	fprintf(out, "%s = ", key);
	print_quoted(out, text);
	putc('\n', out);
}

void print_bool(FILE *out, const char *key, bool yes)
{
	fprintf(out, "%s = %s\n", key, yes ? "true" : "false");
}

void print_number(FILE *out, const char *key, unsigned number)
{
	fprintf(out, "%s = %u\n", key, number);
}

void print_duration(FILE *out, const char *key, int64_t ms)
{
	char text[VALUE_TEXT];

	clock_format_duration(ms, text);
	print_text(out, key, text);
}

void print_size(FILE *out, const char *key, int64_t bytes)
{
	char text[VALUE_TEXT];

	value_format_size(bytes, text);
	print_text(out, key, text);
}

void print_rate(FILE *out, const char *key, const struct service_rate *rate)
{
	char text[VALUE_TEXT];

	if (rate->count == 0)
		return;
	value_format_rate(rate->count, rate->period_ms, text);
	print_text(out, key, text);
}

void print_mode(FILE *out, const char *key, mode_t mode)
{
	fprintf(out, "%s = 0%03o\n", key, (unsigned)mode);
}

void print_list(FILE *out, const char *key, char *const *items)
{
	fprintf(out, "%s = {", key);
	for (size_t i = 0; items && items[i]; i++) {
		fputs(i ? ", " : " ", out);
		print_quoted(out, items[i]);
	}
	fputs(items && items[0] ? " }\n" : "}\n", out);
}

void print_taken(FILE *out, const char *key, char *text)
{
	print_text(out, key, text);
	free(text);
}

void print_taken_list(FILE *out, const char *key, char **items)
{
	print_list(out, key, items);
	strv_free(items);
}
