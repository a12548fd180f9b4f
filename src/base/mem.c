/* SPDX-License-Identifier: ISC */
/*
 * Memory.
 *
 * A program that cannot get a few kilobytes while it reads its configuration has nothing better to
 * do than to say so and exit 1: that keeps every caller free of checks that no test ever reaches.
 * Once the master is ready only map_unforked() may be called.
 */
#include "config.h"

#include "base/mem.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *checked(void *memory)
{
	if (memory == NULL)
		err(1, "memory");
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return checked(reallocarray(old, count ? count : 1, size));
}

char *xstrdup(const char *text)
{
	return checked(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
	return checked(strndup(text, length));
}

char *xvasprintf(const char *format, va_list arguments)
{
	char *text;

	if (vasprintf(&text, format, arguments) < 0)
		err(1, "memory");
	return text;
}

char *xasprintf(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = xvasprintf(format, arguments);
	va_end(arguments);
	return text;
}

void strv_free(char **vector)
{
	if (vector == NULL)
		return;
	for (char **each = vector; *each; each++)
		free(*each);
	free(vector);
}

char **strv_dup(char *const *vector)
{
	char **copy = NULL;
	size_t count = 0;

	for (char *const *each = vector; *each; each++)
		strv_add(&copy, &count, xstrdup(*each));
	return copy ? copy : xcalloc(1, sizeof(*copy));
}

void strv_add(char ***vector, size_t *count, char *text)
{
	*vector = xreallocarray(*vector, *count + 2, sizeof(**vector));
	(*vector)[(*count)++] = text;
	(*vector)[*count] = NULL;
}

void *map_unforked(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	return madvise(memory, size, MADV_DONTFORK) < 0 ? NULL : memory;
}
