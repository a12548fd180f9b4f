/* SPDX-License-Identifier: ISC */
/*
 * Columns of text: as wide as the widest of their cells.  Cells are printable ASCII already.
 */
#include "config.h"

#include "client/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void table_init(struct table *table, size_t columns, unsigned right)
{
	*table = (struct table){ .columns = columns, .right = right };
}

void table_fini(struct table *table)
{
	strv_free(table->cells);
	table->cells = NULL;
}

void table_add(struct table *table, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	strv_add(&table->cells, &table->ncells, xvasprintf(format, arguments));
	va_end(arguments);
}

static void measure(const struct table *table, int widths[TABLE_COLUMNS])
{
	memset(widths, 0, TABLE_COLUMNS * sizeof(*widths));
	for (size_t i = 0; i < table->ncells; i++) {
		const int length = (int)strlen(table->cells[i]);

		if (length > widths[i % table->columns])
			widths[i % table->columns] = length;
	}
}

/* Without the blanks that a line would end with. */
static void print_row(const struct table *table, char *const *cells, const int *widths, FILE *out)
{
	size_t last = table->columns;
	int blanks = 0;

	while (last > 0 && cells[last - 1][0] == '\0')
		last--;
	for (size_t i = 0; i < last; i++) {
		const bool right = table->right & 1U << i;

		fprintf(out, "%*s%*s", blanks, "", right ? widths[i] : 0, cells[i]);
		blanks = 2 + (right ? 0 : widths[i] - (int)strlen(cells[i]));
	}
	putc('\n', out);
}

void table_print(const struct table *table, FILE *out)
{
	int widths[TABLE_COLUMNS];

	measure(table, widths);
	for (size_t i = 0; i + table->columns <= table->ncells; i += table->columns)
		print_row(table, table->cells + i, widths, out);
}
