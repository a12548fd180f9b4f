/* SPDX-License-Identifier: ISC */
/* What serves: a handler, a program, or a redirect. */
#ifndef WHAT_H
#define WHAT_H

#include "config/builder.h"

/* Exactly one of them, with its options; its listeners are known by now. */
void what_load(const struct builder *builder);

/* Those of the defaults: none is right, too. */
void what_check_defaults(const struct builder *builder);

#endif
