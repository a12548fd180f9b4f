/* SPDX-License-Identifier: ISC */
/* Where a service is redirected to, and how. */
#ifndef REDIRECT_H
#define REDIRECT_H

#include "config/builder.h"

/* Makes the builder's service a redirect; its listeners are known by now. */
void redirect_load(const struct builder *builder, const struct setting *setting);

/* The keys beside the targets, which are looked at even where nothing is redirected. */
void redirect_load_values(const struct builder *builder);

#endif
