/* SPDX-License-Identifier: ISC */
/* A state as JSON that must be read without a complaint. */
#ifndef GOOD_H
#define GOOD_H

#include <check.h>
#include <unistd.h>

#include "plan/handover.h"

/* Closes the descriptor. */
static inline struct handover *read_good(int fd)
{
	char error[256] = "";
	struct handover *handover = handover_read(fd, error);

	ck_assert_msg(handover != NULL, "%s", error);
	ck_assert_str_eq(error, "");
	ck_assert_int_eq(close(fd), 0);
	return handover;
}

#endif
