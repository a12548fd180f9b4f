/* SPDX-License-Identifier: ISC */
/* Keys of a cage that say the opposite of each other. */
#ifndef CONTRADICTION_H
#define CONTRADICTION_H

#include "config/builder.h"

/* Adds what two keys of a service cannot both have, as errors, and what one of them makes idle, as
 * warnings, with both places. */
void contradiction_check(const struct builder *builder);

#endif
