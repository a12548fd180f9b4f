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
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/schedule.h"
#include "handlers/handler.h"
#include "plan/buffer.h"
#include "plan/build.h"
#include "plan/layout.h"
#include "folder.h"
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
static size_t cage_places[SERVICES_MAX];
static struct config config;
static struct made_cage nothing = { .ruleset = CAGES_NO_FD,
				    .network = CAGES_NO_FD,
				    .cgroup = CAGES_NO_FD };
static struct cages cages;

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
		cage_places[i] = 0;
	}
	cages = (struct cages){ .all = &nothing, .count = 1, .of_service = cage_places };
	config = (struct config){
		.file = file, .sources = 4711, .services = all, .nservices = count
	};
}

static const struct plan *build_with(const struct listener_set *listeners)
{
	static const struct build_texts texts = { .begatd_path = "/usr/sbin/begatd" };
	static const struct plan_global global = { .pid_fd = -1,
						   .begatd_fd = -1,
						   .master_fd = -1,
						   .effective_fd = -1,
						   .ready_fd = -1,
						   .headers = 1 };
	int fd = build_plan(&config, listeners, &cages, &global, &texts);
	const struct plan *plan;

	ck_assert_int_ge(fd, 0);
	plan = plan_map(fd);
	ck_assert_ptr_nonnull(plan);
	ck_assert(plan_is_sound(plan));
	ck_assert_int_eq(close(fd), 0);
	return plan;
}

static const struct plan *build(void)
{
	static const struct listener_set none;

	return build_with(&none);
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

/* Cages */

static const struct plan_cage *cage_of(const struct plan *plan, size_t service)
{
	return plan_cage(plan, plan_service(plan, service));
}

/* The master asks of each connection whether there is a cage, and does nothing when there is none.
 */
START_TEST(lays_no_cage_without_a_word)
{
	const struct plan *plan;

	begin(3);
	plan = build();
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(plan_service(plan, i)->cage, 0);
		ck_assert_ptr_null(cage_of(plan, i));
	}
	ck_assert_uint_eq(plan->nfds, 0);
}
END_TEST

#define CAGES 12

/* A wall that is alone in its cage must not be forgotten. */
START_TEST(lays_a_cage_for_each_wall)
{
	static char root[] = "/srv";
	static int fds[] = { 70, 71, 72 };
	static struct service_limit limit = { .resource = 0 };
	static const struct sock_filter filter[2];
	struct made_cage all[CAGES];
	const struct plan *plan;

	begin(CAGES);
	for (size_t i = 0; i < CAGES; i++) {
		all[i] = nothing;
		cage_places[i] = i;
	}
	all[0].cage.limits = &limit;
	all[0].cage.nlimits = 1;
	all[1].cage.set_nice = true;
	all[2].cage.chroot = root;
	all[3].cage.set_capabilities = true; /* none at all */
	all[4].cage.private_tmp = true;
	all[5].cage.private_pids = true;
	all[6].cage.deny_write_execute = true;
	all[7].cage.die_with_master = true;
	all[8].filter = filter;
	all[8].nfilter = 2;
	all[9].ruleset = 0;
	all[10].network = 1;
	all[11].cgroup = 2;
	cages = (struct cages){
		.all = all, .count = CAGES, .of_service = cage_places, .fds = fds, .nfds = 3
	};
	plan = build();
	for (size_t i = 0; i < CAGES; i++)
		ck_assert_msg(cage_of(plan, i) != NULL, "cage %zu", i);
	ck_assert_uint_eq(cage_of(plan, 0)->nlimits, 1);
	ck_assert(cage_of(plan, 1)->set_nice && cage_of(plan, 1)->nice == 0);
	ck_assert_str_eq(plan_text(plan, cage_of(plan, 2)->chroot), "/srv");
	ck_assert(cage_of(plan, 3)->set_capabilities);
	ck_assert_uint_eq(cage_of(plan, 3)->capabilities, 0);
	ck_assert(!cage_of(plan, 3)->drop_bounding); /* who is not root may not */
	ck_assert(cage_of(plan, 4)->private_tmp && !cage_of(plan, 4)->private_pids);
	ck_assert(cage_of(plan, 5)->private_pids && !cage_of(plan, 5)->private_tmp);
	ck_assert(cage_of(plan, 6)->deny_write_execute && !cage_of(plan, 6)->die_with_master);
	ck_assert(cage_of(plan, 7)->die_with_master && !cage_of(plan, 7)->deny_write_execute);
	ck_assert_uint_eq(cage_of(plan, 8)->nfilter, 2);
	for (size_t i = 0; i < CAGES; i++) {
		ck_assert_int_eq(cage_of(plan, i)->ruleset_fd, i == 9 ? 70 : -1);
		ck_assert_int_eq(cage_of(plan, i)->network_fd, i == 10 ? 71 : -1);
		ck_assert_int_eq(cage_of(plan, i)->cgroup_fd, i == 11 ? 72 : -1);
	}
	ck_assert_uint_eq(plan->nfds, 3);
	ck_assert_mem_eq(plan_fds(plan), fds, sizeof(fds));
}
END_TEST

/* Whatever can be said, in one cage. */
static struct made_cage full_cage(void)
{
	static struct service_limit limits[] = { { RLIMIT_CPU, 60, 120 },
						 { RLIMIT_CORE, 0, 0 },
						 { RLIMIT_STACK, 1, RLIM_INFINITY } };
	static const struct sock_filter filter[] = { { 0x20, 1, 2, 3 },
						     { 0x06, 0, 0, 0x7fff0000 } };
	static char paths[2][16] = { "/srv/jail", "/srv/jail/etc/x" };
	static struct rule rules[] = {
		{ .path = paths[0], .rights = LANDLOCK_READ_DIR },
		{ .path = paths[1], .rights = LANDLOCK_READ_FILE, .optional = true },
		{ .port = 443, .rights = LANDLOCK_CONNECT },
	};
	static struct cage_rule_file files[] = { { 7, UINT64_MAX }, { 0, 0 }, { 0, 0 } };

	return (struct made_cage){
		.cage = { .limits = limits,
			  .nlimits = 3,
			  .set_nice = true,
			  .nice = -20,
			  .chroot = paths[0],
			  .set_capabilities = true,
			  .drop_bounding = true,
			  .capabilities = (UINT64_C(1) << 40) + 1,
			  .private_network = true,
			  .private_tmp = true,
			  .private_pids = true,
			  .deny_write_execute = true,
			  .die_with_master = true,
			  .rules = { rules, 3, { 0x7fff, 3, 1 } } },
		.filter = filter,
		.nfilter = 2,
		.files = files,
		.ruleset = 2,
		.network = 0,
		.cgroup = 1,
	};
}

/* Each wall as the worker puts it up. */
START_TEST(lays_a_whole_cage)
{
	static int fds[] = { 70, 71, 72 };
	struct made_cage made = full_cage();
	const struct plan *plan;
	const struct plan_cage *cage;
	const struct plan_limit *limits;

	begin(1);
	cages.all = &made;
	cages.fds = fds;
	cages.nfds = 3;
	plan = build();
	cage = cage_of(plan, 0);
	limits = plan_at(plan, cage->limits);
	ck_assert_uint_eq(cage->nlimits, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(limits[i].resource, (unsigned)made.cage.limits[i].resource);
		ck_assert_uint_eq(limits[i].soft, made.cage.limits[i].soft);
		ck_assert_uint_eq(limits[i].hard, made.cage.limits[i].hard);
	}
	ck_assert_uint_eq(limits[2].hard, UINT64_MAX);
	ck_assert_int_eq(cage->nice, -20);
	ck_assert_uint_eq(cage->capabilities, (UINT64_C(1) << 40) + 1);
	ck_assert(cage->set_capabilities && cage->drop_bounding);
	ck_assert_str_eq(plan_text(plan, cage->chroot), "/srv/jail");
	ck_assert_uint_eq(cage->nfilter, 2);
	ck_assert_mem_eq(plan_at(plan, cage->filter), made.filter, 2 * sizeof(*made.filter));
	ck_assert_mem_eq(&cage->handled, &made.cage.rules.handled, sizeof(cage->handled));
	ck_assert_int_eq(cage->ruleset_fd, 72);
	ck_assert_int_eq(cage->network_fd, 70);
	ck_assert_int_eq(cage->cgroup_fd, 71);
}
END_TEST

/* A worker that looks at them is in its root by then. */
START_TEST(lays_rules_as_seen_from_the_root)
{
	static int fds[] = { 70, 71, 72 };
	struct made_cage made = full_cage();
	const struct plan *plan;
	const struct plan_rule *rules;

	begin(1);
	cages.all = &made;
	cages.fds = fds;
	cages.nfds = 3;
	plan = build();
	rules = plan_at(plan, cage_of(plan, 0)->rules);
	ck_assert_uint_eq(cage_of(plan, 0)->nrules, 3);
	ck_assert_str_eq(plan_text(plan, rules[0].path), "/");
	ck_assert_uint_eq(rules[0].rights, LANDLOCK_READ_DIR);
	ck_assert_uint_eq(rules[0].device, 7);
	ck_assert_uint_eq(rules[0].inode, UINT64_MAX);
	ck_assert_str_eq(plan_text(plan, rules[1].path), "/etc/x");
	ck_assert_uint_eq(rules[1].rights, LANDLOCK_READ_FILE);
	ck_assert_uint_eq(rules[1].device, 0);
	ck_assert_uint_eq(rules[1].inode, 0);
	ck_assert_uint_eq(rules[2].path, 0);
	ck_assert_uint_eq(rules[2].port, 443);
	ck_assert_uint_eq(rules[2].rights, LANDLOCK_CONNECT);
	made.cage.chroot = NULL;
	plan = build();
	rules = plan_at(plan, cage_of(plan, 0)->rules);
	ck_assert_str_eq(plan_text(plan, rules[0].path), "/srv/jail");
	ck_assert_str_eq(plan_text(plan, rules[1].path), "/srv/jail/etc/x");
}
END_TEST

/* What workers may replace, a worker is not to add again when it is another file. */
START_TEST(lays_what_can_be_replaced_as_fixed)
{
	static int fds[] = { 70, 71, 72 };
	static char paths[][16] = { "/srv", "/srv/data", "/srv/data/hooks", "/srv/data2" };
	static struct rule rules[] = {
		{ .path = paths[0], .rights = LANDLOCK_READ_FILE },
		{ .path = paths[1], .rights = LANDLOCK_READ_FILE | LANDLOCK_MAKE_SYM },
		{ .path = paths[2], .rights = LANDLOCK_EXECUTE },
		{ .path = paths[3], .rights = LANDLOCK_EXECUTE },
		{ .port = 443, .rights = LANDLOCK_CONNECT },
	};
	static struct cage_rule_file files[5];
	struct made_cage made = full_cage();
	const struct plan_rule *planned;
	const struct plan *plan;

	made.cage.chroot = NULL;
	made.cage.rules.all = rules;
	made.cage.rules.count = 5;
	rules_settle(&made.cage.rules);
	made.files = files;
	begin(1);
	cages.all = &made;
	cages.fds = fds;
	cages.nfds = 3;
	plan = build();
	planned = plan_at(plan, cage_of(plan, 0)->rules);
	for (size_t i = 0; i < 5; i++)
		ck_assert_msg(planned[i].fixed == (i == 2), "rule %zu", i);
}
END_TEST

static const char *laid_path(const char *path, const char *root)
{
	struct rule rule = { .path = xstrdup(path), .rights = LANDLOCK_READ_FILE };
	struct cage_rule_file file = { 1, 1 };
	static int fd = 70;
	struct made_cage made = nothing;
	const struct plan *plan;
	const struct plan_rule *rules;

	made.cage.chroot = root;
	made.cage.rules = (struct rules){ .all = &rule, .count = 1 };
	made.files = &file;
	made.ruleset = 0;
	begin(1);
	cages.all = &made;
	cages.fds = &fd;
	cages.nfds = 1;
	plan = build();
	free(rule.path);
	rules = plan_at(plan, cage_of(plan, 0)->rules);
	return plan_text(plan, rules->path);
}

/* What is looked up within the root comes back by the name that it really has. */
START_TEST(lays_rules_of_a_root_behind_a_link)
{
	char *root, *real, *path, *link;

	enter_directory();
	ck_assert_int_eq(mkdir("a-longer-name", 0755), 0);
	ck_assert_int_eq(mkdir("a-longer-name/bin", 0755), 0);
	ck_assert_int_eq(symlink("a-longer-name", "jail"), 0);
	ck_assert_int_eq(symlink("jail/bin", "programs"), 0);
	root = xasprintf("%s/jail", directory);
	real = xasprintf("%s/a-longer-name", directory);
	path = xasprintf("%s/bin", real);
	link = xasprintf("%s/programs", directory);
	ck_assert_str_eq(laid_path(path, root), "/bin");
	ck_assert_str_eq(laid_path(real, root), "/");
	ck_assert_str_eq(laid_path(link, root), "/bin");
	ck_assert_str_eq(laid_path(path, real), "/bin");
	leave_directory();
	free(root);
	free(real);
	free(path);
	free(link);
}
END_TEST

/* A neighbour whose name begins in the same way is not beneath it. */
START_TEST(lays_no_half_of_a_name)
{
	ck_assert_str_eq(laid_path("/srv/jail/x", "/srv/jail"), "/x");
	ck_assert_str_ne(laid_path("/srv/jail2/x", "/srv/jail"), "2/x");
}
END_TEST

/* One filter, one list of rules, once for all that have the same; and everybody has his own. */
START_TEST(shares_cages)
{
	static int fds[] = { 70, 71, 72 };
	struct made_cage all[3] = { full_cage(), nothing, full_cage() };
	size_t small;
	const struct plan *plan;

	begin(100);
	for (size_t i = 0; i < 100; i++)
		cage_places[i] = i % 2;
	all[2].cage.nice = 5;
	cage_places[99] = 2;
	cages = (struct cages){
		.all = all, .count = 3, .of_service = cage_places, .fds = fds, .nfds = 3
	};
	plan = build();
	small = plan->size;
	for (size_t i = 0; i < 99; i++)
		ck_assert_ptr_eq(cage_of(plan, i), i % 2 ? NULL : cage_of(plan, 0));
	ck_assert_int_eq(cage_of(plan, 0)->nice, -20);
	ck_assert_int_eq(cage_of(plan, 99)->nice, 5);
	for (size_t i = 0; i < 100; i++)
		cage_places[i] = 0;
	plan = build();
	ck_assert_uint_eq(plan->size, small); /* whoever has them */
}
END_TEST

/* In the master they have other numbers, and the same places. */
START_TEST(lays_descriptors_by_their_numbers)
{
	static int fds[] = { 70, 71, 72 }, others[] = { 4000, 90, 91 };
	struct made_cage all[2] = { full_cage(), full_cage() };
	const struct plan *plan;

	begin(2);
	cage_places[1] = 1;
	all[1].ruleset = CAGES_NO_FD;
	cages = (struct cages){
		.all = all, .count = 2, .of_service = cage_places, .fds = fds, .nfds = 3
	};
	ck_assert_int_eq(cage_of(build(), 0)->ruleset_fd, 72);
	cages.fds = others;
	plan = build();
	ck_assert_int_eq(cage_of(plan, 0)->ruleset_fd, 91);
	ck_assert_int_eq(cage_of(plan, 1)->ruleset_fd, -1);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(cage_of(plan, i)->network_fd, 4000);
		ck_assert_int_eq(cage_of(plan, i)->cgroup_fd, 90);
	}
	ck_assert_uint_eq(plan->nfds, 3);
	ck_assert_mem_eq(plan_fds(plan), others, sizeof(others));
}
END_TEST

/* Listeners */

static struct listener listener_of(int type, int fd, uint16_t port)
{
	static char text[] = "udp:13", path[] = "/f";

	return (struct listener){
		.fd = fd,
		.sources_fd = -1,
		.type = type,
		.port = port,
		.asked = text,
		.address = text,
		.path = type == 0 ? path : NULL,
	};
}

/* The master does with each of them what its kind needs. */
START_TEST(lays_listeners_by_their_kind)
{
	struct listener all[] = {
		listener_of(SOCK_STREAM, 70, 0),
		listener_of(SOCK_DGRAM, 71, 13),
		listener_of(0, -1, 0),
		listener_of(SOCK_STREAM, 72, 0),
		listener_of(SOCK_SEQPACKET, 73, 0),
	};
	const struct listener_set set = { .all = all, .count = 5 };
	const struct plan *plan;

	all[1].standing = all[3].standing = true;
	all[1].sources_fd = 75; /* of a handler; those of programs ask nobody */
	all[1].internet = true;
	all[4].service = LISTENER_CONTROL;
	begin(1);
	plan = build_with(&set);
	ck_assert_uint_eq(plan->nlisteners, 5);
	for (size_t i = 0; i < 5; i++) {
		const struct plan_listener *listener = plan_listener(plan, i);

		ck_assert_int_eq(listener->fd, all[i].fd);
		ck_assert_int_eq(listener->kind, i == 1	  ? PLAN_DATAGRAM
						 : i == 2 ? PLAN_FIFO
							  : PLAN_STREAM);
		ck_assert_int_eq(listener->standing, i == 1 || i == 3);
		ck_assert_int_eq(listener->sources_fd, i == 1 ? 75 : -1);
		ck_assert_int_eq(listener->internet, i == 1);
		ck_assert_pstr_eq(plan_text(plan, listener->path), i == 2 ? "/f" : NULL);
	}
	ck_assert_ptr_eq(plan_control(plan), plan_listener(plan, 4));
}
END_TEST

/* In whatever order they are configured, plan_has_port() finds them. */
START_TEST(lays_ports_in_order)
{
	static const uint16_t ports[] = { 1024, 13, 0, UINT16_MAX, 37, 13, 0, 1 };
	static const uint16_t sorted[] = { 1, 13, 13, 37, 1024, UINT16_MAX };
	struct listener all[8];
	const struct listener_set set = { .all = all, .count = 8 };
	const struct plan *plan;

	for (int i = 0; i < 8; i++)
		all[i] = listener_of(ports[i] ? SOCK_DGRAM : SOCK_STREAM, 70 + i, ports[i]);
	begin(1);
	plan = build_with(&set);
	ck_assert_uint_eq(plan->nports, 6);
	ck_assert_mem_eq(plan_at(plan, plan->ports), sorted, sizeof(sorted));
	for (int i = 0; i < 8; i++)
		ck_assert(plan_has_port(plan, ports[i]) == (ports[i] != 0));
	ck_assert(!plan_has_port(plan, 14));
	begin(1);
	ck_assert_uint_eq(build()->nports, 0);
}
END_TEST

/* Services */

START_TEST(lays_what_datagrams_get)
{
	const struct plan *plan;

	begin(2);
	services[0].reply_max = 65507;
	services[0].reply_factor = 1000;
	services[0].reply_rate = (struct service_rate){ 100, 1000 };
	plan = build();
	ck_assert_uint_eq(plan_service(plan, 0)->reply_max, 65507);
	ck_assert_uint_eq(plan_service(plan, 0)->reply_factor, 1000);
	ck_assert_int_eq(plan_service(plan, 0)->reply_rate.step_ns, 10000000);
	ck_assert_int_eq(plan_service(plan, 0)->reply_rate.window_ns, 1000000000);
	ck_assert_ptr_null(admission_of(plan, 0)); /* it is none of it */
	ck_assert_uint_eq(plan_service(plan, 1)->reply_factor, 0);
	ck_assert_int_eq(plan_service(plan, 1)->reply_rate.step_ns, 0);
}
END_TEST

/* tcpmux hands its clients over to those alone that are marked, and is none of them itself. */
START_TEST(lays_who_multiplexes)
{
	const struct plan *plan;

	begin(3);
	services[0].exec = NULL;
	services[0].handler = &tcpmux_handler;
	services[1].multiplexed = true;
	plan = build();
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(plan_service(plan, i)->multiplexes, i == 0);
		ck_assert_int_eq(plan_service(plan, i)->multiplexed, i == 1);
	}
}
END_TEST

static bool asks_names(const char *banner, const char *target)
{
	char *targets[] = { (char *)(uintptr_t) "tcp:127.0.0.1:13", (char *)(uintptr_t)target,
			    NULL };
	struct begat_value value = { .name = "target", .argv = targets };

	begin(1);
	services[0].banner = (char *)(uintptr_t)banner;
	if (target) {
		services[0].exec = NULL;
		services[0].handler = &redirect_handler;
		services[0].values = &value;
		services[0].nvalues = 1;
	}
	return plan_service(build(), 0)->asks_names;
}

/* Nobody who does not ask gets a way to the resolver, and everybody who does. */
START_TEST(lays_who_asks_for_names)
{
	ck_assert(!asks_names(NULL, NULL));
	ck_assert(!asks_names("Hello %h, it's now %t", NULL));
	ck_assert(!asks_names("100%%n", NULL));
	ck_assert(asks_names("Hello %n", NULL));
	ck_assert(!asks_names(NULL, "tcp:192.0.2.1:13"));
	ck_assert(!asks_names(NULL, "tcp:[2001:db8::1]:13"));
	ck_assert(!asks_names(NULL, "unix:/a.example:1"));
	ck_assert(!asks_names("Hello %h", "unix:@a.example"));
	ck_assert(asks_names(NULL, "tcp:host.example:13"));
	ck_assert(asks_names(NULL, "tcp:localhost:13"));
	ck_assert(asks_names("%n", "tcp:192.0.2.1:13"));
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
      keeps_a_thousand_lists_apart, lays_no_cage_without_a_word, lays_a_cage_for_each_wall,
      lays_a_whole_cage, lays_rules_as_seen_from_the_root, lays_what_can_be_replaced_as_fixed,
      lays_rules_of_a_root_behind_a_link, lays_no_half_of_a_name, shares_cages,
      lays_descriptors_by_their_numbers, lays_listeners_by_their_kind, lays_ports_in_order,
      lays_what_datagrams_get, lays_who_multiplexes, lays_who_asks_for_names,
      knows_services_by_their_names, knows_when_it_is_full)
