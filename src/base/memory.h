/* SPDX-License-Identifier: ISC */
/* Text in memory, written as a stream.  For loading: without memory the program ends. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdio.h>

struct memory {
	FILE *stream;
	char *text;
	size_t size;
};

/* What is to be written to. */
FILE *memory_open(struct memory *memory);

/* Closes it; the text, to be freed. */
char *memory_take(struct memory *memory);

#endif
