/* SPDX-License-Identifier: ISC */
/* Lists of TCP ports: numbers, names of services(5) and ranges. */
#ifndef PORTS_H
#define PORTS_H

#include "config/builder.h"

/* Reads a list when the key is set; what is wrong is added to the problems. */
void ports_load(const struct builder *builder, enum key key, struct service_ports *ports);

/* Numbers and ranges, a NULL-terminated vector that the caller frees. */
char **ports_format(const struct service_ports *ports);

#endif
