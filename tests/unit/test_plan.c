/* SPDX-License-Identifier: ISC */
/* plan: only what begatd of the same build has sealed is mapped, and it says what begatd was told.
 */
#include "config.h"

#include "plan/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/schedule.h"
#include "plan/buffer.h"
#include "plan/build.h"
#include "plan/layout.h"
#include "peering.h"
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

/* From the configuration */

#define SERVICES_MAX 1000

static struct service services[SERVICES_MAX];
static struct config config;

/* So many services that say nothing of who may come. */
static void begin(size_t count)
{
	static char *pointers[SERVICES_MAX][2], names[SERVICES_MAX][32];
	static struct service *all[SERVICES_MAX];
	static char path[] = "/bin/true", file[] = "/etc/begat.conf";

	for (size_t i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "s%zu", i);
		pointers[i][0] = path;
		services[i] = (struct service){
			.name = names[i],
			.exec = pointers[i],
			.admission = { .prefix4 = 32, .prefix6 = 64, .ban_after = { 20, 60000 } },
		};
		all[i] = &services[i];
	}
	config = (struct config){
		.file = file, .sources = 4711, .services = all, .nservices = count
	};
}

static const struct plan *build(void)
{
	static const struct build_texts texts = { .begatd_path = "/usr/sbin/begatd" };
	static const struct listener_set none;
	static const struct plan_global global = { .pid_fd = -1,
						   .begatd_fd = -1,
						   .master_fd = -1,
						   .effective_fd = -1,
						   .ready_fd = -1,
						   .headers = 1 };
	int fd = build_plan(&config, &none, &global, &texts);
	const struct plan *plan;

	ck_assert_int_ge(fd, 0);
	plan = plan_map(fd);
	ck_assert_ptr_nonnull(plan);
	ck_assert(plan_is_sound(plan));
	ck_assert_int_eq(close(fd), 0);
	return plan;
}

static const struct plan_admission *admission_of(const struct plan *plan, size_t service)
{
	return plan_at(plan, plan_service(plan, service)->admission);
}

/* What makes a source, and when it would be banned, is no reason to ask a client anything. */
START_TEST(lays_no_admission_without_a_key)
{
	begin(1);
	services[0].admission.prefix4 = 24;
	services[0].admission.prefix6 = 56;
	ck_assert_ptr_null(admission_of(build(), 0));
}
END_TEST

START_TEST(lays_each_key)
{
	static const struct peers list;
	static struct schedule_span span = { 480, 1080 };
	static const struct schedule schedule = { .spans = &span, .count = 1 };
	static char text[] = "Come back later";
	const struct plan *plan;
	const struct plan_time *time;

	begin(10);
	services[0].admission.only_from = &list;
	services[1].admission.no_access = &list;
	services[2].admission.proxies = &list;
	services[3].admission.times = &schedule;
	services[4].admission.per_source = 5;
	services[5].admission.rate = (struct service_rate){ 50, 10000 };
	services[6].admission.source_rate = (struct service_rate){ 3, 1000 };
	services[7].admission.refuse_when_full = true;
	services[8].admission.banner_fail = text;
	services[9].admission.ban_ms = 600000;
	plan = build();
	for (size_t i = 0; i < 10; i++)
		ck_assert_msg(admission_of(plan, i) != NULL, "key %zu", i);
	ck_assert_uint_ne(admission_of(plan, 0)->access, 0);
	ck_assert_uint_eq(admission_of(plan, 0)->proxies, 0);
	ck_assert_uint_ne(admission_of(plan, 1)->access, admission_of(plan, 0)->access);
	ck_assert_uint_eq(admission_of(plan, 2)->access, 0);
	ck_assert_uint_eq(admission_of(plan, 2)->proxies, admission_of(plan, 0)->access);
	ck_assert_uint_eq(admission_of(plan, 3)->ntimes, 1);
	time = plan_at(plan, admission_of(plan, 3)->times);
	ck_assert(time->from == 480 && time->to == 1080);
	ck_assert_uint_eq(admission_of(plan, 4)->per_source, 5);
	ck_assert_int_eq(admission_of(plan, 5)->rate.step_ns, 200000000);
	ck_assert_int_eq(admission_of(plan, 5)->rate.window_ns, 10000000000);
	ck_assert_int_eq(admission_of(plan, 6)->source_rate.step_ns, 333333333);
	ck_assert_int_eq(admission_of(plan, 6)->source_rate.window_ns, 999999999);
	ck_assert_int_eq(admission_of(plan, 6)->rate.step_ns, 0);
	ck_assert(admission_of(plan, 7)->refuse_when_full);
	ck_assert_str_eq(plan_text(plan, admission_of(plan, 8)->banner_fail), text);
	ck_assert_int_eq(admission_of(plan, 9)->ban_ms, 600000);
	ck_assert_int_eq(admission_of(plan, 9)->ban_after.step_ns, 3000000000);
	ck_assert_uint_eq(admission_of(plan, 9)->prefix4, 32);
	ck_assert_uint_eq(admission_of(plan, 9)->prefix6, 64);
	ck_assert_uint_eq(plan->global.sources, 4711);
}
END_TEST

/* A rate without a step would be none at all. */
START_TEST(lays_a_step_for_every_rate)
{
	begin(1);
	services[0].admission.rate = (struct service_rate){ 4000000000, 1 };
	ck_assert_int_eq(admission_of(build(), 0)->rate.step_ns, 1);
	ck_assert_int_eq(admission_of(build(), 0)->rate.window_ns, 4000000000);
}
END_TEST

/* What a thousand services take from "defaults" is there once, lists, times, texts and all. */
START_TEST(shares_what_is_the_same)
{
	static struct peers list;
	static struct schedule_span span = { 480, 1080 };
	static const struct schedule schedule = { .spans = &span, .count = 1 };
	static char texts[2][8] = { "later", "later" };
	const struct plan *plan;

	begin(4);
	add_prefix(&list, "192.0.2.0/24");
	for (size_t i = 0; i < 4; i++) {
		services[i].admission.only_from = &list;
		services[i].admission.times = &schedule;
		services[i].admission.banner_fail = texts[i % 2];
	}
	services[2].admission.per_source = 5;
	services[3].admission.no_access = &list;
	plan = build();
	ck_assert_ptr_eq(admission_of(plan, 0), admission_of(plan, 1));
	ck_assert_ptr_ne(admission_of(plan, 0), admission_of(plan, 2));
	ck_assert_uint_eq(admission_of(plan, 0)->access, admission_of(plan, 2)->access);
	ck_assert_uint_ne(admission_of(plan, 0)->access, admission_of(plan, 3)->access);
	for (size_t i = 2; i < 4; i++) {
		ck_assert_uint_eq(admission_of(plan, 0)->times, admission_of(plan, i)->times);
		ck_assert_uint_eq(admission_of(plan, 0)->banner_fail,
				  admission_of(plan, i)->banner_fail);
	}
	free(list.all);
}
END_TEST

START_TEST(keeps_a_thousand_lists_apart)
{
	static struct peers lists[SERVICES_MAX];
	const struct plan_access *access;
	const struct plan_span4 *spans;
	const struct plan *plan;
	char text[32];

	begin(SERVICES_MAX);
	for (unsigned i = 0; i < SERVICES_MAX; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.0/24", i >> 8, i & 255);
		add_prefix(&lists[i], text);
		services[i].admission.only_from = &lists[i];
	}
	plan = build();
	for (unsigned i = 0; i < SERVICES_MAX; i++) {
		access = plan_at(plan, admission_of(plan, i)->access);
		spans = plan_at(plan, access->spans4);
		ck_assert_uint_eq(access->nspans4, 3);
		ck_assert_uint_eq(spans[1].first, 0x0a000000 + (i << 8));
		ck_assert_uint_eq(spans[2].first, 0x0a000100 + (i << 8));
		ck_assert(spans[1].allowed && !spans[2].allowed);
		free(lists[i].all);
	}
}
END_TEST

/* The same in every build: sources find their service by it after an upgrade. */
START_TEST(knows_services_by_their_names)
{
	static char names[3][8] = { "a", "foobar", "s0" };
	const struct plan *plan;

	begin(3);
	for (size_t i = 0; i < 3; i++)
		services[i].name = names[i];
	plan = build();
	ck_assert_uint_eq(plan_service(plan, 0)->id, 0xaf63dc4c8601ec8c); /* FNV's own tests */
	ck_assert_uint_eq(plan_service(plan, 1)->id, 0x85944171f73967e8);
}
END_TEST

/* Offsets have 32 bits: what lies beyond must be an error, never an offset to something else. */
START_TEST(knows_when_it_is_full)
{
	struct buffer buffer = { .used = 0xfffffff0, .room = SIZE_MAX };

	ck_assert_uint_eq(buffer_put(&buffer, "0123456789", 9), 0);
	ck_assert(buffer.is_full);
	ck_assert_uint_eq(buffer_put(&buffer, "0", 1), 0); /* and stays so */
	buffer = (struct buffer){ .used = 8 };
	ck_assert_uint_eq(buffer_put(&buffer, "0", UINT32_MAX), 0);
	ck_assert(buffer.is_full);
	buffer = (struct buffer){ .used = 8 };
	ck_assert_uint_eq(buffer_put(&buffer, "0", SIZE_MAX), 0);
	ck_assert(buffer.is_full);
	ck_assert_uint_eq(buffer.used, 8);
}
END_TEST

SUITE("plan", maps_what_is_right, refuses_another_build, refuses_what_could_still_change,
      refuses_wrong_sizes, refuses_what_is_no_plan, refuses_a_file, lays_no_admission_without_a_key,
      lays_each_key, lays_a_step_for_every_rate, shares_what_is_the_same,
      keeps_a_thousand_lists_apart, knows_services_by_their_names, knows_when_it_is_full)
