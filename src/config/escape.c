/* SPDX-License-Identifier: ISC */
/*
 * Escapes in double quotes.
 *
 * libconfuse takes any letter for itself, cuts a string off at \0, and ends with an error of its
 * own at an octal number that is too large; here is what is left, so that nothing is taken silently
 * for something else.  Only scrub.c asks.
 */
#include "config.h"

#include "config/escape.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c, int base)
{
	return base == 16 ? isxdigit((unsigned char)c) : isdigit((unsigned char)c);
}

/* The length of the number, or 0 when it is a wrong one.  The bytes 0 and 1 cannot be written: one
 * would cut the string off, the other is SCRUB_EMPTY.  libconfuse takes two hexadecimal digits at
 * most, but rejects a fourth octal one. */
static size_t check_digits(const char *text, const char *end, int base)
{
	size_t length = 0, most = base == 16 ? 2 : 4;
	char digits[5] = "", *rest;
	long byte;

	while (length < most && text + length < end && is_digit(text[length], base)) {
		digits[length] = text[length];
		length++;
	}
	byte = strtol(digits, &rest, base);
	return length > 3 || *rest || byte < 2 || byte > 255 ? 0 : length;
}

size_t escape_check(const char *text, const char *end)
{
	char kind = end - text > 1 ? text[1] : '\0';
	size_t length;

	if (kind == 'x') {
		length = check_digits(text + 2, end, 16);
		return length ? length + 2 : 0;
	}
	if (isdigit((unsigned char)kind)) {
		length = check_digits(text + 1, end, 8);
		return length ? length + 1 : 0;
	}
	return kind && strchr("nrtbfaev\"'\\$", kind) ? 2 : 0;
}
