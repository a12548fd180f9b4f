/* SPDX-License-Identifier: ISC */
/* When clients may come: access-times. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "config/value.h"

#define SCHEDULE_WEEK 10080 /* minutes */

/* Minutes of the week from Monday 0:00 on: from up to before to. */
struct schedule_span {
	uint16_t from, to; /* from < to <= SCHEDULE_WEEK */
};

struct schedule {
	struct schedule_span *spans; /* sorted and merged by schedule_settle() */
	size_t count;
	char **texts; /* the entries in canonical form, NULL-terminated */
	size_t ntexts;
};

/* "08:00-18:00", "mon-fri 08:00-18:00", "sat,sun 22:00-02:00": a range over midnight belongs to the
 * day on which it begins; 24:00 is the end of a day.  0, or -1 with the reason. */
int schedule_add(struct schedule *schedule, const char *text, char why[static VALUE_WHY]);

/* Sorts what was added, and joins what overlaps or touches. */
void schedule_settle(struct schedule *schedule);

void schedule_free(struct schedule *schedule);

#endif
