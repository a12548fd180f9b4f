/* SPDX-License-Identifier: ISC */
/* The keys that say where a service listens. */
#ifndef SOCKET_H
#define SOCKET_H

#include "config/builder.h"

void socket_load_listen(const struct builder *builder); /* required, but by tcpmux */
void socket_load(const struct builder *builder);	/* the others */

#endif
