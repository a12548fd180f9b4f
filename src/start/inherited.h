/* SPDX-License-Identifier: ISC */
/* What the process that started us left behind. */
#ifndef INHERITED_H
#define INHERITED_H

#include <stddef.h>

/* Makes a clean start of whatever was inherited: 0 to 2 open, every other descriptor but
 * those in keep closed (-1: none; they are sorted), all signals at their default and blocked, umask
 * 022.  The first thing that begatd does.  Ends the program when it cannot. */
void inherited_reset(int *keep, size_t count);

#endif
