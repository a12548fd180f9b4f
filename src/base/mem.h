/* SPDX-License-Identifier: ISC */
/* Memory.  The x functions are for loading: they end the program with a message when there is none,
 * and are never called by the master once it is ready, nor by a worker. */
#ifndef MEM_H
#define MEM_H

#include <stdarg.h>
#include <stddef.h>

void *xcalloc(size_t count, size_t size);
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* Frees a NULL-terminated vector and its strings; NULL is fine. */
void strv_free(char **vector);

/* A copy of a NULL-terminated vector. */
char **strv_dup(char *const *vector);

/* Appends a string, which the vector takes over, to a NULL-terminated vector (or NULL) of count
 * strings, and counts it. */
void strv_add(char ***vector, size_t *count, char *text);

/* Zeroed memory for the life of the process that forked children do not have, so that our next
 * write to it costs no copy.  NULL with errno: may be called at any time. */
void *map_unforked(size_t size);

#endif
