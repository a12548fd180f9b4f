/* SPDX-License-Identifier: ISC */
/* A number for a text that is the same in every process: to know it again, not to keep secrets. */
#ifndef HASH_H
#define HASH_H

#include <stdint.h>

/* FNV-1a in 64 bits. */
static inline uint64_t hash_text(const char *text)
{
	uint64_t hash = 14695981039346656037U;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211U;
	return hash;
}

#endif
