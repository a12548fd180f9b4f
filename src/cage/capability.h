/* SPDX-License-Identifier: ISC */
/* Capabilities by name, capabilities(7): "net-bind-service", "CAP_NET_BIND_SERVICE". */
#ifndef CAPABILITY_H
#define CAPABILITY_H

#include <stdint.h>

#define CAPABILITY_NAME 32 /* bytes of a name */

/* Its number, or -1 when there is none of that name, on this kernel and in this libcap-ng. */
int capability_find(const char *name);

/* In lower case with dashes and without "cap-": what capability_find() takes; "37" for one that has
 * no name. */
void capability_format(int number, char name[static CAPABILITY_NAME]);

/* The one that is written most like it, or NULL. */
const char *capability_nearest(const char *name);

#endif
