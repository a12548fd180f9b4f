/* SPDX-License-Identifier: ISC */
/* master/throttle: P5, nothing keeps a service off for longer than its back-off. */
#include "config.h"

#include "master/throttle.h"

#include "suite.h"

START_TEST(single_failures_do_not_pause)
{
	struct throttle throttle = { 0 };

	for (int i = 0; i < 1000; i++) {
		for (int bad = 1; bad < THROTTLE_AFTER; bad++)
			ck_assert_uint_eq(throttle_add(&throttle, THROTTLE_SETUP), 0);
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
		ck_assert_uint_eq(throttle_add(&throttle, THROTTLE_SETUP), expected[i]);
}
END_TEST

/* One client that makes a program fail must not keep all others waiting for a minute. */
START_TEST(what_a_client_may_cause_does_not_double)
{
	struct throttle throttle = { .bad = THROTTLE_AFTER - 1 };

	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(throttle_add(&throttle, THROTTLE_SERVICE), THROTTLE_FIRST_S);
}
END_TEST

START_TEST(one_success_forgets)
{
	struct throttle throttle = { .bad = THROTTLE_AFTER + 3, .pause_s = 32 };

	throttle_clear(&throttle);
	for (int bad = 1; bad < THROTTLE_AFTER; bad++)
		ck_assert_uint_eq(throttle_add(&throttle, THROTTLE_SETUP), 0);
	ck_assert_uint_eq(throttle_add(&throttle, THROTTLE_SETUP), THROTTLE_FIRST_S);
}
END_TEST

SUITE("throttle", single_failures_do_not_pause, doubles_to_a_minute_and_stays, one_success_forgets,
      what_a_client_may_cause_does_not_double)
