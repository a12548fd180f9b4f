/* SPDX-License-Identifier: ISC */
/* The part of a handover that there is most of. */
#ifndef HANDOVER_CHILDREN_H
#define HANDOVER_CHILDREN_H

#include "plan/handover.h"
#include "plan/reader.h"

/* Fills in the children, whose services have been read.  A mistake is a complaint of the reader. */
void handover_read_children(struct reader *in, const struct json_t *root,
			    struct handover *handover);

#endif
