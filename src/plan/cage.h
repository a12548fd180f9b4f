/* SPDX-License-Identifier: ISC */
/* From the cages of the services to the plan. */
#ifndef PLAN_CAGE_H
#define PLAN_CAGE_H

#include "cage/cages.h"
#include "plan/buffer.h"

/* The offset of a struct plan_cage; 0 for one that says nothing. */
uint32_t cage_put(struct buffer *buffer, const struct cages *cages, size_t index);

#endif
