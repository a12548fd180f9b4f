/* SPDX-License-Identifier: ISC */
/* A small generator, so that a failure comes again: xorshift. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

static inline uint32_t next_random(void)
{
	static uint32_t random = 2463534242U;

	random ^= random << 13;
	random ^= random >> 17;
	random ^= random << 5;
	return random;
}

#endif
