/* SPDX-License-Identifier: ISC */
/*
 * Bytes as UTF-8 and back.
 *
 * A path may hold any byte, and JSON only takes UTF-8 (RFC 8259, section 8.1).  Keeping the bytes
 * matters more than that a name in another encoding can be read: a path must lead back to its file.
 * Whoever writes and whoever reads must go by the same rule, so it is here and nowhere else.
 */
#include "config.h"

#include "base/latin1.h"

#include <errno.h>

bool latin1_is_ascii(const char *bytes)
{
	for (; *bytes; bytes++)
		if ((unsigned char)*bytes >= 0x80)
			return false;
	return true;
}

int latin1_encode(const char *bytes, char *utf8, size_t size)
{
	for (; *bytes; bytes++) {
		const unsigned char byte = (unsigned char)*bytes;
		const size_t needed = byte < 0x80 ? 1 : 2;

		if (size <= needed)
			break;
		if (byte < 0x80) {
			*utf8++ = *bytes;
		} else {
			*utf8++ = (char)(0xc0 | byte >> 6);
			*utf8++ = (char)(0x80 | (byte & 0x3f));
		}
		size -= needed;
	}
	if (size)
		*utf8 = '\0';
	errno = ERANGE;
	return *bytes || size == 0 ? -1 : 0;
}

/* The byte that the character at a place stands for, and the place behind it; -1: none. */
static int next_byte(const char **utf8)
{
	const unsigned char first = (unsigned char)(*utf8)[0];
	unsigned char second;

	if (first < 0x80) {
		*utf8 += 1;
		return first;
	}
	second = (unsigned char)(*utf8)[1]; /* if only the closing NUL */
	if ((first != 0xc2 && first != 0xc3) || (second & 0xc0) != 0x80)
		return -1;
	*utf8 += 2;
	return (first & 0x03) << 6 | (second & 0x3f);
}

int latin1_decode(const char *utf8, char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const int byte = next_byte(&utf8);

		if (byte < 0) {
			errno = EILSEQ;
			return -1;
		}
		bytes[i] = (char)byte;
		if (byte == '\0')
			return 0;
	}
	errno = ERANGE;
	return -1;
}
