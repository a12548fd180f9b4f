/* SPDX-License-Identifier: ISC */
/* master/throttle: P5, nothing keeps a service off for longer than its back-off. */
#include "config.h"

#include "master/throttle.h"

#include <limits.h>

#include "suite.h"

START_TEST(single_failures_do_not_pause)
{
	struct throttle throttle = { 0 };

	for (int i = 0; i < 1000; i++) {
		for (int bad = 1; bad < THROTTLE_AFTER; bad++)
			ck_assert_uint_eq(throttle_add(&throttle), 0);
		throttle_clear(&throttle);
	}
}
END_TEST

/* The predecessors turn a service off for ten minutes (F101). */
START_TEST(doubles_to_a_minute_and_stays)
{
	static const unsigned expected[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct throttle throttle = { .bad = THROTTLE_AFTER - 1 };

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		ck_assert_uint_eq(throttle_add(&throttle), expected[i]);
}
END_TEST

/* An adopted pause may be any number, and doubling must not wrap around to none. */
START_TEST(never_passes_a_minute)
{
	static const unsigned pauses[] = { 59, 60, 61, 1U << 31, UINT_MAX };
	struct throttle throttle;

	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
		throttle = (struct throttle){ .bad = THROTTLE_AFTER, .pause_s = pauses[i] };
		ck_assert_uint_eq(throttle_add(&throttle), THROTTLE_LAST_S);
	}
}
END_TEST

START_TEST(one_success_forgets)
{
	struct throttle throttle = { .bad = THROTTLE_AFTER + 3, .pause_s = 32 };

	throttle_clear(&throttle);
	for (int bad = 1; bad < THROTTLE_AFTER; bad++)
		ck_assert_uint_eq(throttle_add(&throttle), 0);
	ck_assert_uint_eq(throttle_add(&throttle), THROTTLE_FIRST_S);
}
END_TEST

SUITE("throttle", single_failures_do_not_pause, doubles_to_a_minute_and_stays, one_success_forgets,
      never_passes_a_minute)
