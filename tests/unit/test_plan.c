/* SPDX-License-Identifier: ISC */
/* plan: only what begatd of the same build has sealed is mapped. */
#include "config.h"

#include "plan/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plan/layout.h"
#include "suite.h"

static int make(const struct plan *plan, size_t size, int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, plan, size), (ssize_t)size);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static const struct plan good = { .magic = PLAN_MAGIC, .stamp = PLAN_STAMP, .size = sizeof(good) };

START_TEST(maps_what_is_right)
{
	const struct plan *plan = plan_map(make(&good, sizeof(good), PLAN_SEALS));

	ck_assert_ptr_nonnull(plan);
	ck_assert_str_eq(plan->stamp, PLAN_STAMP);
	ck_assert_ptr_null(plan_text(plan, 0));
}
END_TEST

START_TEST(refuses_another_build)
{
	struct plan other = good;

	strcpy(other.stamp, "0.0.1-4711");
	ck_assert_ptr_null(plan_map(make(&other, sizeof(other), PLAN_SEALS)));
	ck_assert_int_eq(errno, ESTALE);
}
END_TEST

START_TEST(refuses_what_could_still_change)
{
	ck_assert_ptr_null(plan_map(make(&good, sizeof(good), F_SEAL_SHRINK)));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(refuses_wrong_sizes)
{
	struct plan cut = good;

	cut.size++;
	ck_assert_ptr_null(plan_map(make(&cut, sizeof(cut), PLAN_SEALS)));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(plan_map(make(&good, 16, PLAN_SEALS)));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(refuses_what_is_no_plan)
{
	struct plan noise = good;

	noise.magic[0] = 'B';
	ck_assert_ptr_null(plan_map(make(&noise, sizeof(noise), PLAN_SEALS)));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(plan_map(999));
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* fcntl(F_GET_SEALS) of a file that is no memfd is -1, which has every bit. */
START_TEST(refuses_a_file)
{
	char path[] = "/tmp/begat-test-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(write(fd, &good, sizeof(good)), (ssize_t)sizeof(good));
	ck_assert_ptr_null(plan_map(fd));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

SUITE("plan", maps_what_is_right, refuses_another_build, refuses_what_could_still_change,
      refuses_wrong_sizes, refuses_what_is_no_plan, refuses_a_file)
