/* SPDX-License-Identifier: ISC */
/* Time zones of the machine's database: tzfile(5). */
#ifndef ZONE_H
#define ZONE_H

#include "config/value.h"

/* The rules of the zone of this name, such as "CET-1CEST,M3.5.0,M10.5.0/3", as the variable TZ
 * takes them; the caller frees it.  0, or -1 with the reason. */
int zone_read(const char *name, char **rules, char why[static VALUE_WHY]);

/* The same out of a file's bytes.  NULL: it is no such file, or has no rules. */
char *zone_parse(const unsigned char *bytes, size_t size);

#endif
