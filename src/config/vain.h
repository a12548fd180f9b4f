/* SPDX-License-Identifier: ISC */
/* Keys that mean nothing for the clients that a service has. */
#ifndef VAIN_H
#define VAIN_H

#include "config/builder.h"

/* Adds those of a service of which everything else is known, and takes them out of it. */
void vain_check(const struct builder *builder);

#endif
