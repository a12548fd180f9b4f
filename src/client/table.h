/* SPDX-License-Identifier: ISC */
/* Columns of text. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS 8

struct table {
	char **cells; /* row by row */
	size_t ncells;
	size_t columns;
	unsigned right; /* columns that are flush right, as bits */
};

/* So many columns, at most TABLE_COLUMNS; the first row is their heads. */
void table_init(struct table *table, size_t columns, unsigned right);
void table_fini(struct table *table);

/* Puts the next cell, row by row. */
void table_add(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Two blanks between columns, none at the end of a line. */
void table_print(const struct table *table, FILE *out);

#endif
