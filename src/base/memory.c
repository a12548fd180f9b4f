/* SPDX-License-Identifier: ISC */
/*
 * Text in memory, written as a stream: open_memstream(3).
 *
 * Used while a configuration is loaded, for texts that are compared or kept; never by a master or a
 * worker, since it ends the program when memory is short.
 */
#include "config.h"

#include "base/memory.h"

#include <err.h>
#include <stdlib.h>

FILE *memory_open(struct memory *memory)
{
	memory->stream = open_memstream(&memory->text, &memory->size);
	if (memory->stream == NULL)
		err(EXIT_FAILURE, "memory");
	return memory->stream;
}

char *memory_take(struct memory *memory)
{
	if (ferror(memory->stream) | fclose(memory->stream))
		err(EXIT_FAILURE, "memory");
	return memory->text;
}
