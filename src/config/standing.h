/* SPDX-License-Identifier: ISC */
/* How the clients of a service are served: each by a worker of its own, or many by a standing one.
 */
#ifndef CONFIG_STANDING_H
#define CONFIG_STANDING_H

#include "config/builder.h"

/* Of a service whose listeners, handler or program, and admission are known: reads the keys, adds
 * what they contradict, and takes out what the defaults say in vain. */
void standing_load(const struct builder *builder);

/* The keys alone, each by itself. */
void standing_load_values(const struct builder *builder);

#endif
