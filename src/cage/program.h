/* SPDX-License-Identifier: ISC */
/* What a program needs to get going. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "cage/ruleset.h"

/* Adds itself and, when it is a script, its interpreter; the loader with its cache, libraries,
 * /dev/null and its like, /etc/localtime and zone files.  root: the service's chroot, NULL for
 * none, in which path is looked up. */
void program_add_rules(struct rules *rules, const char *path, const char *root);

#endif
