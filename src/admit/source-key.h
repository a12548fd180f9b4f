/* SPDX-License-Identifier: ISC */
/* What a source is known by: beside source_key_init() and source_format() of admit/source.h. */
#ifndef SOURCE_KEY_H
#define SOURCE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "admit/source.h"

/* Whoever does not know the secret cannot choose keys whose hashes have anything in common. */
uint64_t source_key_hash(const struct source_key *key, const uint64_t secret[2]);

/* Whether it is one that source_key_init() may have made. */
bool source_key_is_sound(const struct source_key *key);

/* Whether one of the two prefixes lies within the other; services are not looked at.  The key is a
 * sound one. */
bool source_key_is_within(const struct source_key *key, const struct source_key *within);

#endif
