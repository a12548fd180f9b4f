/* SPDX-License-Identifier: ISC */
/* The time as RFC 868 has it. */
#ifndef HANDLERS_TIME_H
#define HANDLERS_TIME_H

#include <stdint.h>

/* Seconds since 1900-01-01 00:00 UTC modulo 2^32, from seconds since 1970: wraps to 0 on 2036-02-07
 * at 06:28:16 UTC, as the RFC foresees. */
uint32_t time_from_unix(int64_t seconds);

#endif
