/* SPDX-License-Identifier: ISC */
/* Bytes of any kind, as file names have them, in formats that want UTF-8: each byte is the
 * character of the same number, as in ISO 8859-1.  ASCII stays as it is. */
#ifndef LATIN1_H
#define LATIN1_H

#include <stdbool.h>
#include <stddef.h>

/* Whether there is nothing to encode. */
bool latin1_is_ascii(const char *bytes);

/* Bytes that the UTF-8 of so many bytes needs at most, with its NUL. */
#define LATIN1_ENCODED(length) (2 * (length) + 1)

/* To UTF-8.  0, or -1 with errno: ERANGE when it does not fit. */
int latin1_encode(const char *bytes, char *utf8, size_t size);

/* From UTF-8, which is never shorter.  0, or -1 with errno: EILSEQ when there is a character that
 * is no byte, ERANGE when it does not fit. */
int latin1_decode(const char *utf8, char *bytes, size_t size);

#endif
