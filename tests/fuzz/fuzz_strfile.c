/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: a database of quotations and its index.  The first two bytes are the length of the
 * index, which comes before the text.
 */
#include "config.h"

#include "handlers/strfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int file_with(const uint8_t *bytes, size_t length)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct strfile strfile;
	size_t index_length, max;
	char *quote;

	if (length < 2)
		return 0;
	index_length = bytes[0] << 8 | bytes[1];
	if (index_length > length - 2)
		index_length = length - 2;
	max = index_length % 2 ? STRFILE_QUOTE_MAX : 20;
	strfile_init(&strfile, file_with(bytes + 2 + index_length, length - 2 - index_length),
		     length - 2 - index_length, file_with(bytes + 2, index_length));
	quote = malloc(STRFILE_QUOTE_MAX);
	if (strfile_pick(&strfile, max, quote) > max)
		abort();
	free(quote);
	strfile_close(&strfile);
	return 0;
}
