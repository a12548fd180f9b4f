/* SPDX-License-Identifier: ISC */
/* limit: so many at one time, and so many in so much time. */
#include "config.h"

#include "admit/limit.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "suite.h"

#define START_NS (1000 * NS_IN_S)

/* 50 in 10 s. */
static const struct plan_rate rate = { .step_ns = NS_IN_S / 5, .window_ns = 10 * NS_IN_S };
static const struct plan_rate none;

/* How many it gives at one time. */
static unsigned drain(int64_t *full_ns, const struct plan_rate *of, int64_t now_ns)
{
	unsigned count = 0;

	for (; count < 1000 && bucket_has(*full_ns, of, now_ns); count++)
		bucket_take(full_ns, of, now_ns);
	return count;
}

START_TEST(is_full_at_its_maximum)
{
	struct limit limit = { .max = 2 };

	limit_take(&limit);
	ck_assert(!limit_is_full(&limit));
	limit_take(&limit);
	ck_assert(limit_is_full(&limit));
	limit_give(&limit);
	ck_assert(!limit_is_full(&limit));
	limit.max = 0; /* lowered by a reload */
	ck_assert(limit_is_full(&limit));
}
END_TEST

START_TEST(gives_just_so_many_at_once)
{
	const struct plan_rate one = { .step_ns = NS_IN_S, .window_ns = NS_IN_S };
	int64_t full_ns = 0, other_ns = 0;

	ck_assert_uint_eq(drain(&full_ns, &rate, START_NS), 50);
	ck_assert_uint_eq(drain(&other_ns, &one, START_NS), 1);
}
END_TEST

START_TEST(one_comes_back_with_every_step)
{
	int64_t full_ns = 0, now_ns = START_NS;

	drain(&full_ns, &rate, now_ns);
	for (int i = 0; i < 200; i++) {
		ck_assert_int_eq(bucket_due_ns(full_ns, &rate, now_ns), now_ns + rate.step_ns);
		now_ns += rate.step_ns;
		ck_assert(!bucket_has(full_ns, &rate, now_ns - 1));
		ck_assert_uint_eq(drain(&full_ns, &rate, now_ns), 1);
	}
}
END_TEST

/* What is saved up in a quiet hour is no more than in a quiet window. */
START_TEST(is_full_after_a_window_and_never_fuller)
{
	int64_t full_ns = 0, now_ns = START_NS;

	drain(&full_ns, &rate, now_ns);
	now_ns += rate.window_ns;
	ck_assert_uint_eq(drain(&full_ns, &rate, now_ns), 50);
	now_ns += 3600 * NS_IN_S;
	ck_assert_uint_eq(drain(&full_ns, &rate, now_ns), 50);
}
END_TEST

START_TEST(what_is_given_back_is_there_again)
{
	int64_t full_ns = 0;

	drain(&full_ns, &rate, START_NS);
	for (int i = 0; i < 7; i++)
		bucket_give(&full_ns, &rate);
	ck_assert_uint_eq(drain(&full_ns, &rate, START_NS), 7);
	full_ns = 0;
	for (int i = 0; i < 7; i++)
		bucket_give(&full_ns, &rate);
	ck_assert_uint_eq(drain(&full_ns, &rate, START_NS), 50);
}
END_TEST

START_TEST(no_step_is_no_limit)
{
	int64_t full_ns = 0;

	ck_assert_uint_eq(drain(&full_ns, &none, START_NS), 1000);
	bucket_give(&full_ns, &none);
	ck_assert_int_eq(full_ns, 0);
	ck_assert_int_le(bucket_due_ns(full_ns, &none, START_NS), START_NS);
}
END_TEST

/* "1/1h" has become "50/10s": nobody waits for the hour. */
START_TEST(a_new_rate_is_waited_for_no_longer_than_its_own_window)
{
	int64_t full_ns = START_NS + 3600 * NS_IN_S;

	ck_assert(!bucket_has(full_ns, &rate, START_NS));
	ck_assert_int_eq(bucket_due_ns(full_ns, &rate, START_NS), START_NS + rate.step_ns);
	bucket_give(&full_ns, &rate);
	ck_assert(!bucket_has(full_ns, &rate, START_NS));
	full_ns = START_NS + rate.window_ns - 3 * rate.step_ns;
	ck_assert_uint_eq(drain(&full_ns, &rate, START_NS), 3);
}
END_TEST

/* The table of sources may have been damaged; the sanitizer looks on. */
START_TEST(no_number_overflows)
{
	static const int64_t extreme[] = { INT64_MIN,	  INT64_MIN + 1, -1,	   0, 1,
					   INT64_MAX / 2, INT64_MAX - 1, INT64_MAX };
	static const struct plan_rate rates[] = {
		{ 1, 1 },
		{ 1, INT64_MAX / 2 },
		{ INT64_MAX / 2, INT64_MAX / 2 },
		{ 0, 0 },
	};
	static const int64_t clocks[] = { 0, 1, INT64_MAX / 2 };

	for (size_t i = 0; i < 8 * 4 * 3; i++) {
		const struct plan_rate *of = &rates[i / 8 % 4];
		const int64_t now_ns = clocks[i / 32];
		int64_t full_ns = extreme[i % 8];

		(void)bucket_due_ns(full_ns, of, now_ns); /* only that it can be asked */
		if (bucket_has(full_ns, of, now_ns))
			bucket_take(&full_ns, of, now_ns);
		full_ns = extreme[i % 8];
		bucket_give(&full_ns, of);
	}
}
END_TEST

/* The bucket as people draw it: with tokens that are put in as time goes by. */
struct model {
	int64_t tokens; /* each counts for step_ns */
	int64_t at_ns;
};

static void model_refill(struct model *model, const struct plan_rate *of, int64_t now_ns)
{
	model->tokens += now_ns - model->at_ns;
	model->at_ns = now_ns;
	if (model->tokens > of->window_ns)
		model->tokens = of->window_ns;
}

static void compare(const struct plan_rate *of, unsigned steps)
{
	struct model model = { .tokens = of->window_ns, .at_ns = START_NS };
	int64_t full_ns = 0, now_ns = START_NS;

	for (unsigned i = 0; i < steps; i++) {
		now_ns += random() % 4 ? 0 : random() % (2 * of->step_ns);
		now_ns += random() % 500 ? 0 : random() % (2 * of->window_ns);
		model_refill(&model, of, now_ns);
		ck_assert_int_eq(bucket_has(full_ns, of, now_ns), model.tokens >= of->step_ns);
		if (model.tokens < of->step_ns) {
			ck_assert_int_eq(bucket_due_ns(full_ns, of, now_ns),
					 now_ns + of->step_ns - model.tokens);
			continue;
		}
		ck_assert_int_le(bucket_due_ns(full_ns, of, now_ns), now_ns);
		if (random() % 8 == 0) {
			bucket_give(&full_ns, of);
			model.tokens += of->step_ns;
			model_refill(&model, of, now_ns);
		} else {
			bucket_take(&full_ns, of, now_ns);
			model.tokens -= of->step_ns;
		}
	}
}

START_TEST(does_as_a_bucket_of_tokens_would)
{
	srandom(4711);
	for (int64_t tokens = 1; tokens <= 1000; tokens *= 10)
		for (int64_t step_ns = 1; step_ns <= NS_IN_S; step_ns *= 1000)
			compare(&(struct plan_rate){ step_ns, tokens * step_ns }, 5000);
}
END_TEST

SUITE("limit", is_full_at_its_maximum, gives_just_so_many_at_once, one_comes_back_with_every_step,
      is_full_after_a_window_and_never_fuller, what_is_given_back_is_there_again,
      no_step_is_no_limit, a_new_rate_is_waited_for_no_longer_than_its_own_window,
      no_number_overflows, does_as_a_bucket_of_tokens_would)
