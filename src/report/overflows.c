/* SPDX-License-Identifier: ISC */
/*
 * Clients that the kernel has turned away.
 *
 * They never come to a daemon, which therefore cannot count them; but an administrator who looks
 * for lost connections should find them where everything else is.  The file has pairs of lines:
 * names, and the numbers in the same order.
 */
#include "config.h"

#include "report/overflows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t find(char *names, char *numbers)
{
	const char *name, *number;

	while ((name = strsep(&names, " \n")) && (number = strsep(&numbers, " \n")))
		if (strcmp(name, "ListenOverflows") == 0)
			return strtoll(number, NULL, 10);
	return -1;
}

int64_t overflows_read(void)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	char *names = NULL, *numbers = NULL;
	size_t names_size = 0, numbers_size = 0;
	int64_t found = -1;

	while (file && found < 0 && getline(&names, &names_size, file) > 0 &&
	       getline(&numbers, &numbers_size, file) > 0)
		found = find(names, numbers);
	free(names);
	free(numbers);
	if (file)
		(void)fclose(file); /* only read from */
	return found;
}
