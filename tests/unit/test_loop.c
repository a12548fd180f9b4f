/* SPDX-License-Identifier: ISC */
/* master/loop: timers in their order, watches that may go at any time. */
#include "config.h"

#include "master/loop.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "suite.h"

static char fired[16];

static void note(const char *name)
{
	strncat(fired, name, sizeof(fired) - strlen(fired) - 1);
}

static void note_timer(void *name)
{
	note(name);
}

static void note_and_stop(void *name)
{
	note(name);
	loop_stop();
}

START_TEST(timers_fire_by_due_time)
{
	struct timer a = { .fire = note_timer, .context = (char[]){ "a" } };
	struct timer b = { .fire = note_timer, .context = (char[]){ "b" } };
	struct timer c = { .fire = note_and_stop, .context = (char[]){ "c" } };

	ck_assert_int_eq(loop_open(), 0);
	timer_start(&c, 30);
	timer_start(&b, 20);
	timer_start(&a, 10);
	ck_assert_int_eq(loop_run(), 0);
	ck_assert_str_eq(fired, "abc");
	ck_assert(!a.running && !b.running && !c.running);
}
END_TEST

START_TEST(stopped_timers_do_not_fire)
{
	struct timer a = { .fire = note_timer, .context = (char[]){ "a" } };
	struct timer b = { .fire = note_and_stop, .context = (char[]){ "b" } };

	ck_assert_int_eq(loop_open(), 0);
	timer_start(&a, 1);
	timer_start(&b, 10);
	timer_stop(&a);
	timer_stop(&a);
	ck_assert_int_eq(loop_run(), 0);
	ck_assert_str_eq(fired, "b");
}
END_TEST

START_TEST(starting_again_moves_a_timer)
{
	struct timer a = { .fire = note_and_stop, .context = (char[]){ "a" } };
	int64_t start_ns = clock_now_ns();

	ck_assert_int_eq(loop_open(), 0);
	timer_start(&a, 1);
	timer_start(&a, 50);
	ck_assert_int_eq(loop_run(), 0);
	ck_assert_int_ge(clock_now_ns() - start_ns, 50 * NS_IN_MS);
	ck_assert_str_eq(fired, "a");
}
END_TEST

static int pipes[2][2];
static struct watch watches[2];

/* Whoever is first deletes the other, which is ready in the same turn. */
static void delete_other(void *context)
{
	struct watch *self = context;

	note("w");
	loop_del(&watches[self == &watches[0]]);
	loop_stop();
}

START_TEST(deleted_watch_is_not_called_any_more)
{
	ck_assert_int_eq(loop_open(), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(pipe(pipes[i]), 0);
		watches[i] = (struct watch){ pipes[i][0], delete_other, &watches[i] };
		ck_assert_int_eq(loop_add(&watches[i]), 0);
		ck_assert_int_eq(write(pipes[i][1], "x", 1), 1);
	}
	ck_assert_int_eq(loop_run(), 0);
	ck_assert_str_eq(fired, "w");
}
END_TEST

SUITE("loop", timers_fire_by_due_time, stopped_timers_do_not_fire, starting_again_moves_a_timer,
      deleted_watch_is_not_called_any_more)
