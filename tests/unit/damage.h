/* SPDX-License-Identifier: ISC */
/* One field of something flat that is good, and what it must not be. */
#ifndef DAMAGE_H
#define DAMAGE_H

#include <stddef.h>
#include <stdint.h>

struct damage {
	const char *what;
	size_t offset, size;
	uint64_t value;
};

#define IN(start, type, field, bad)                                                                \
	{                                                                                          \
#type "." #field " = " #bad, (start) + offsetof(struct type, field),               \
			sizeof(((struct type *)NULL)->field), (uint64_t)(bad)                      \
	}

#endif
