/* SPDX-License-Identifier: ISC */
/* What the builder and the reader of a plan must agree on. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "base/memfd.h"
#include "plan/stamp.h" /* PLAN_STAMP, made at build time from all sources */

#define PLAN_MAGIC "begatPL" /* 8 bytes with its NUL */
#define PLAN_SEALS MEMFD_SEALED

#endif
