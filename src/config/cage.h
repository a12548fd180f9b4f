/* SPDX-License-Identifier: ISC */
/* The keys of a service's cage. */
#ifndef CONFIG_CAGE_H
#define CONFIG_CAGE_H

#include "config/builder.h"

/* sandbox and chroot, before what is looked up in there; whether it can be had, ability.h says. */
void cage_load_root(const struct builder *builder);

/* Reads and checks the others, each by itself, against each other, and against what this kernel and
 * this process can do (cage/kernel.h): problems are added.  After handler, exec, identity and
 * directory are known. */
void cage_load(const struct builder *builder);

/* Each by itself only: for the defaults, of which a service may replace what does not go together.
 */
void cage_load_values(const struct builder *builder);

void cage_settings_fini(struct service_cage *cage);

#endif
