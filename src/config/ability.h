/* SPDX-License-Identifier: ISC */
/* What of a cage can be had here. */
#ifndef ABILITY_H
#define ABILITY_H

#include "config/builder.h"

/* What this kernel, build or user cannot do is an error; with sandbox = "best-effort" it is a
 * warning, and taken out of the service's settings.  Nothing is asked for a service that is
 * disabled. */
void ability_check_root(const struct builder *builder); /* chroot, before the others are known */
void ability_check(const struct builder *builder);

#endif
