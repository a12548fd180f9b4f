/* SPDX-License-Identifier: ISC */
/* From a service's admission, as configured, to the one in the plan. */
#ifndef PLAN_ADMISSION_H
#define PLAN_ADMISSION_H

#include <stdint.h>

#include "config/service.h"
#include "plan/buffer.h"

/* What stands in the plan already, so that services that say the same share it.  All zero: nothing.
 */
struct admissions {
	void *accesses; /* trees: tsearch(3) */
	void *pieces;	/* apart, since a pair of pointers may look like any text */
};

/* The offset of a struct plan_admission; 0 when the service has none of these keys. */
uint32_t admission_put(struct admissions *admissions, struct buffer *buffer,
		       const struct service_admission *admission);

/* A rate as a bucket. */
struct plan_rate admission_rate(const struct service_rate *rate);

void admissions_fini(struct admissions *admissions);

#endif
