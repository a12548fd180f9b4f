/* SPDX-License-Identifier: ISC */
/*
 * Stands for libFuzzer where there is none: feeds each file that is named to the fuzz target once.
 * So "make check" keeps every input that a fuzzer ever found, with any compiler.
 */
#include "config.h"

#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define INPUT_MAX (1 << 20) /* bytes of a file; more than any corpus has */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t *buffer = malloc(INPUT_MAX), *data;
	size_t size;

	if (file == NULL || buffer == NULL)
		err(1, "%s", path);
	size = fread(buffer, 1, INPUT_MAX, file);
	if (ferror(file))
		err(1, "%s", path);
	fclose(file);				 /* only read from */
	data = realloc(buffer, size ? size : 1); /* so that a sanitizer sees a read over the end */
	if (data == NULL)
		err(1, "%s", path);
	(void)LLVMFuzzerTestOneInput(data, size); /* always 0: a finding ends the process */
	free(data);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%d inputs\n", argc - 1);
	return 0;
}
