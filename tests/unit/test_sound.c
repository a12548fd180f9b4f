/* SPDX-License-Identifier: ISC */
/* sound: a plan that a master could not go by is known before one does. */
#include "config.h"

#include "plan/plan.h"

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "plan/bounds.h"
#include "plan/layout.h"
#include "report/log.h"
#include "damage.h"
#include "random.h"
#include "suite.h"

/* A plan in memory of its very size, where a sanitizer sees each byte that is read behind it. */
static struct {
	char *bytes;
	uint32_t used;
} buffer;

static uint32_t put(const void *bytes, size_t size)
{
	uint32_t at = buffer.used;

	buffer.used += (uint32_t)((size + 7) & ~(size_t)7);
	buffer.bytes = realloc(buffer.bytes, buffer.used);
	ck_assert_ptr_nonnull(buffer.bytes);
	memset(buffer.bytes + at, 0, buffer.used - at);
	memcpy(buffer.bytes + at, bytes, size);
	return at;
}

static uint32_t put_text(const char *text)
{
	return put(text, strlen(text) + 1);
}

static uint32_t put_vector(const char *const *strings, uint32_t count)
{
	uint32_t vector[1 + PLAN_VECTOR_MAX] = { count };

	for (uint32_t i = 0; i < count; i++)
		vector[1 + i] = put_text(strings[i]);
	return put(vector, (1 + count) * sizeof(*vector));
}

static const char *const words[] = { "/usr/bin/uptime", "-p", "--", "PATH=/bin" };

static uint32_t put_access(void)
{
	static const struct plan_span4 spans4[] = { { 0, 0 },
						    { 0x0a000000, 1 },
						    { 0x0b000000, 0 } };
	static const struct plan_span6 spans6[] = { { 0, 0, 1 }, { 7, 0, 0 }, { 7, 1, 1 } };
	static const struct plan_id ids[] = { { 0, 0 }, { 33, 1 }, { 1000, 0 } };
	const struct plan_access access = {
		.spans4 = put(spans4, sizeof(spans4)),
		.nspans4 = 3,
		.spans6 = put(spans6, sizeof(spans6)),
		.nspans6 = 3,
		.users = put(ids, sizeof(ids)),
		.nusers = 3,
		.groups = put(ids, sizeof(ids)),
		.ngroups = 3,
		.others_allowed = true,
	};

	return put(&access, sizeof(access));
}

static uint32_t put_admission(void)
{
	static const struct plan_time times[] = { { 0, 60 }, { 61, 10080 } };
	const struct plan_admission admission = {
		.access = put_access(),
		.proxies = put_access(),
		.times = put(times, sizeof(times)),
		.ntimes = 2,
		.banner_fail = put_text("Come back later"),
		.per_source = 5,
		.prefix4 = 32,
		.prefix6 = 64,
		.rate = { .step_ns = 20000000, .window_ns = 1000000000 },
		.source_rate = { .step_ns = 1, .window_ns = INT64_MAX / 4 },
		.ban_after = { .step_ns = 3000000000, .window_ns = 60000000000 },
		.ban_ms = 600000,
		.refuse_when_full = true,
	};

	return put(&admission, sizeof(admission));
}

static uint32_t put_cage(void)
{
	static const struct plan_limit limits[] = { { RLIMIT_NOFILE, 1024, 4096 },
						    { RLIMIT_CORE, 0, 0 },
						    { RLIMIT_STACK, UINT64_MAX, UINT64_MAX } };
	static const struct sock_filter filter[] = { { 0x20, 0, 0, 0 }, { 0x06, 0, 0, 0 } };
	const struct plan_rule rules[] = {
		{ .path = put_text("/usr"),
		  .rights = LANDLOCK_READ_FILE,
		  .fixed = true,
		  .device = 1,
		  .inode = 2 },
		{ .path = put_text("/"), .rights = LANDLOCK_READ_DIR },
		{ .port = UINT16_MAX, .rights = LANDLOCK_CONNECT },
	};
	const struct plan_cage cage = {
		.limits = put(limits, sizeof(limits)),
		.nlimits = 3,
		.chroot = put_text("/srv/jail"),
		.filter = put(filter, sizeof(filter)),
		.nfilter = 2,
		.rules = put(rules, sizeof(rules)),
		.nrules = 3,
		.handled = { 0x7fff, LANDLOCK_CONNECT, 0 },
		.ruleset_fd = 80,
		.network_fd = 81,
		.cgroup_fd = -1,
		.capabilities = UINT64_MAX,
		.set_capabilities = true,
		.drop_bounding = true,
		.set_nice = true,
		.nice = -20,
		.private_tmp = true,
		.deny_write_execute = true,
		.die_with_master = true,
	};

	return put(&cage, sizeof(cage));
}

static struct plan_service plan_handler(void)
{
	const struct plan_value values[] = {
		{ .name = put_text("prompt"), .string = put_text("Command? ") },
		{ .name = put_text("idle"), .number = -1 },
		{ .name = put_text("command.uptime"), .argv = put_vector(words, 2) },
	};

	return (struct plan_service){
		.name = put_text("shell"),
		.admission = put_admission(),
		.cage = put_cage(),
		.id = 1,
		.handler = 4,
		.values = put(values, sizeof(values)),
		.nvalues = 3,
		.banner = put_text("Hello %h"),
		.multiplexes = true,
		.asks_names = true,
		.instances = 10,
		.reply_max = 512,
		.reply_factor = 4,
		.reply_rate = { .step_ns = 10000000, .window_ns = 1000000000 },
		.idle_ms = 60000,
		.max_time_ms = 7LL * 24 * 3600 * 1000,
	};
}

static struct plan_service plan_program(void)
{
	const gid_t groups[] = { 5, 5, 100 };

	return (struct plan_service){
		.name = put_text("uptime"),
		.id = UINT64_MAX,
		.handler = -1,
		.path = put_text(words[0]),
		.argv = put_vector(words, 3),
		.env = put_vector(words + 3, 1),
		.directory = put_text("/tmp"),
		.groups = put(groups, sizeof(groups)),
		.ngroups = 3,
		.set_identity = true,
		.multiplexed = true,
		.uid = 1000,
		.stderr_to = PLAN_STDERR_NULL,
		.instances = 1,
		.kill_grace_ms = 5000,
	};
}

static struct plan_global plan_global(void)
{
	return (struct plan_global){
		.pid_fd = 64,
		.begatd_fd = -1,
		.master_fd = -1,
		.effective_fd = 65,
		.ready_fd = -1,
		.log_sink = LOG_SINK_FILE,
		.log_level = LOG_INFO,
		.log_file = put_text("/var/log/begat"),
		.config_path = put_text("/etc/begat.conf"),
		.begatd_path = put_text("/usr/sbin/begatd"),
		.argv = put_vector(words, 1),
		.instances = 100,
		.sources = 65536,
		.headers = 1,
		.stop_timeout_ms = 10000,
		.reload_timeout_ms = 30000,
	};
}

/* A FIFO, a socket for datagrams that is lent to a standing worker, and one for connections. */
static struct plan_listener plan_listener_of(enum plan_kind kind)
{
	return (struct plan_listener){
		.fd = kind == PLAN_FIFO ? -1 : 70,
		.kind = kind,
		.standing = kind == PLAN_DATAGRAM,
		.sources_fd = kind == PLAN_DATAGRAM ? 75 : -1,
		.service = kind % 2,
		.asked = put_text("unix:/run/x"),
		.address = put_text("unix:/run/x"),
		.path = put_text("/run/x"),
	};
}

/* As it is after the last put(). */
static struct plan *finish(void)
{
	struct plan *plan = (struct plan *)(void *)buffer.bytes;

	plan->size = buffer.used;
	return plan;
}

/* What build_plan() makes of two services and three listeners; the texts come last. */
static struct plan *make(void)
{
	struct plan head = { .magic = PLAN_MAGIC, .stamp = PLAN_STAMP };
	static const int fds[] = { 80, 81, 3 };
	static const uint16_t ports[] = { 1, 13, 13, 37, UINT16_MAX };
	struct plan_service services[2];
	struct plan_listener listeners[3];

	buffer.bytes = NULL;
	buffer.used = 0;
	(void)put(&head, sizeof(head)); /* its room */
	services[0] = plan_handler();
	services[1] = plan_program();
	head.services = put(services, sizeof(services));
	head.nservices = 2;
	listeners[0] = plan_listener_of(PLAN_FIFO);
	listeners[1] = plan_listener_of(PLAN_DATAGRAM);
	listeners[2] = plan_listener_of(PLAN_STREAM);
	head.listeners = put(listeners, sizeof(listeners));
	head.nlisteners = 3;
	head.fds = put(fds, sizeof(fds));
	head.nfds = 3;
	head.ports = put(ports, sizeof(ports));
	head.nports = 5;
	head.global = plan_global();
	memcpy(buffer.bytes, &head, sizeof(head));
	return finish();
}

START_TEST(takes_what_is_sound)
{
	struct plan *plan = make();

	ck_assert(plan_is_sound(plan));
	plan->global.log_sink = LOG_SINK_STDERR;
	plan->global.log_file = plan->global.begatd_path = plan->global.argv = 0;
	ck_assert(plan_is_sound(plan));
	free(plan);
}
END_TEST

/* The largest and the smallest that there may be. */
START_TEST(takes_the_limits)
{
	gid_t groups[PLAN_GROUPS_MAX] = { 0 };
	uint32_t none, all;
	struct plan *plan;
	struct plan_service *service;

	(void)make();
	none = put_vector(NULL, 0);
	all = put(groups, sizeof(groups));
	plan = finish();
	plan->global.argv = none;
	plan->global.instances = BOUNDS_CHILDREN;
	plan->global.sources = 16777216;
	plan->global.log_level = LOG_EMERG;
	service = (struct plan_service *)(uintptr_t)plan_service(plan, 0);
	service->groups = all;
	service->ngroups = PLAN_GROUPS_MAX;
	service->reply_max = 65507; /* the largest datagram */
	service->reply_factor = 1000;
	ck_assert(plan_is_sound(plan));
	plan->global.log_level = LOG_DEBUG;
	ck_assert(plan_is_sound(plan));
	free(plan);
}
END_TEST

/* It belongs to no service. */
START_TEST(takes_a_control_socket)
{
	struct plan *plan = make();
	struct plan_listener *last =
		(struct plan_listener *)(uintptr_t)plan_listener(plan, plan->nlisteners - 1);

	ck_assert_ptr_null(plan_control(plan));
	last->service = PLAN_CONTROL;
	ck_assert(plan_is_sound(plan));
	ck_assert_ptr_eq(plan_control(plan), last);
	plan->nlisteners = 0;
	ck_assert_ptr_null(plan_control(plan));
	free(plan);
}
END_TEST

START_TEST(takes_an_empty_one)
{
	struct plan *plan = make();

	plan->nservices = plan->nlisteners = plan->nfds = plan->nports = 0;
	plan->services = plan->listeners = plan->fds = plan->ports = plan->size;
	ck_assert(plan_is_sound(plan));
	plan->services = plan->listeners = plan->fds = plan->ports = 0;
	ck_assert(plan_is_sound(plan));
	ck_assert(!plan_has_port(plan, 0));
	plan->size = sizeof(*plan) - 1;
	ck_assert(!plan_is_sound(plan));
	free(plan);
}
END_TEST

static void expect_damage(struct plan *plan, const struct damage *damage)
{
	const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	const char *low = (const char *)&damage->value + (big ? 8 - damage->size : 0);
	char *field = (char *)plan + damage->offset;
	uint64_t good;

	memcpy(&good, field, damage->size);
	memcpy(field, low, damage->size);
	ck_assert_msg(!plan_is_sound(plan), "%s: taken", damage->what);
	memcpy(field, &good, damage->size);
	ck_assert_msg(plan_is_sound(plan), "%s: refused when mended", damage->what);
}

static void expect_all(struct plan *plan, const struct damage *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect_damage(plan, &all[i]);
	free(plan);
}

START_TEST(refuses_bad_arrays)
{
	struct plan *plan = make();
	const uint32_t size = plan->size;
	const struct damage all[] = {
		IN(0, plan, services, 0),
		IN(0, plan, services, 16), /* in the header */
		IN(0, plan, services, plan->services + 4),
		IN(0, plan, services, size),
		IN(0, plan, services, size - 8),
		IN(0, plan, services, 0xfffffff8),
		IN(0, plan, nservices, 0), /* listeners have one */
		IN(0, plan, nservices, 1),
		IN(0, plan, nservices, UINT32_MAX),
		IN(0, plan, nservices, (1ULL << 32) / sizeof(struct plan_service) + 1),
		IN(0, plan, listeners, size + 8),
		IN(0, plan, nlisteners, UINT32_MAX),
		IN(0, plan, nlisteners, 0x80000000),
		IN(0, plan, fds, 0),
		IN(0, plan, fds, plan->fds + 2),
		IN(0, plan, fds, size - 8),
		IN(0, plan, fds, size),
		IN(0, plan, fds, UINT32_MAX - 3),
		IN(0, plan, nfds, size / sizeof(int)),
		IN(0, plan, nfds, 0x40000001), /* four times that is 4 */
		IN(0, plan, nfds, UINT32_MAX),
		IN(0, plan, ports, 0),
		IN(0, plan, ports, plan->ports + 1),
		IN(0, plan, ports, size - 8),
		IN(0, plan, ports, size),
		IN(0, plan, ports, UINT32_MAX - 1),
		IN(0, plan, nports, size / sizeof(uint16_t)),
		IN(0, plan, nports, 0x80000001), /* twice that is 2 */
		IN(0, plan, nports, UINT32_MAX),
		{ "ports not in order", plan->ports + 4, 2, 12 },
		{ "the last one not in order", plan->ports + 8, 2, 36 },
		{ "a descriptor that is none", plan->fds, 4, (uint64_t)-1 },
		{ "standard input", plan->fds + 4, 4, 0 },
		{ "standard error", plan->fds + 8, 4, 2 },
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

START_TEST(refuses_a_bad_global)
{
	struct plan *plan = make();
	const uint32_t size = plan->size;
	const size_t at = offsetof(struct plan, global);
	const struct damage all[] = {
		IN(at, plan_global, pid_fd, -2),
		IN(at, plan_global, begatd_fd, -2),
		IN(at, plan_global, master_fd, INT32_MIN),
		IN(at, plan_global, effective_fd, -3),
		IN(at, plan_global, ready_fd, -2),
		IN(at, plan_global, detached, 2),
		IN(at, plan_global, has_terminal, 255),
		IN(at, plan_global, restore_nofile, 3),
		IN(at, plan_global, log_sink, LOG_SINK_FILE + 1),
		IN(at, plan_global, log_sink, -1),
		IN(at, plan_global, log_level, LOG_DEBUG + 1),
		IN(at, plan_global, log_level, -1),
		IN(at, plan_global, log_file, size),
		IN(at, plan_global, log_file, 0), /* there is none, but lines go there */
		IN(at, plan_global, debug_topics, size),
		IN(at, plan_global, pid_path, 1),
		IN(at, plan_global, config_path, 0),
		IN(at, plan_global, begatd_path, UINT32_MAX),
		IN(at, plan_global, argv, size - 2),
		IN(at, plan_global, argv, 0xfffffffc),
		IN(at, plan_global, instances, BOUNDS_CHILDREN + 1),
		IN(at, plan_global, instances, UINT32_MAX),
		IN(at, plan_global, sources, 16777216 + 1),
		IN(at, plan_global, headers, 0),
		IN(at, plan_global, stop_timeout_ms, -1),
		IN(at, plan_global, stop_timeout_ms, INT64_MAX / 1000000),
		IN(at, plan_global, reload_timeout_ms, INT64_MAX),
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

START_TEST(refuses_a_bad_handler)
{
	struct plan *plan = make();
	const uint32_t size = plan->size;
	const size_t at = plan->services, values = plan_service(plan, 0)->values;
	const size_t last = values + 2 * sizeof(struct plan_value);
	const struct damage all[] = {
		IN(at, plan_service, name, 0),
		IN(at, plan_service, name, size),
		IN(at, plan_service, admission, 8),
		IN(at, plan_service, admission, plan_service(plan, 0)->admission + 4),
		IN(at, plan_service, admission, size - 8),
		IN(at, plan_service, admission, size),
		IN(at, plan_service, admission, UINT32_MAX),
		IN(at, plan_service, cage, 8),
		IN(at, plan_service, cage, plan_service(plan, 0)->cage + 4),
		IN(at, plan_service, cage, plan_service(plan, 0)->cage - 8),
		IN(at, plan_service, cage, size - 8),
		IN(at, plan_service, cage, size),
		IN(at, plan_service, cage, UINT32_MAX),
		IN(at, plan_service, id, 0),
		IN(at, plan_service, handler, -2),
		IN(at, plan_service, handler, -1), /* then it is a program, and has none */
		IN(at, plan_service, values, 0),
		IN(at, plan_service, values, values + 2),
		IN(at, plan_service, values, size),
		IN(at, plan_service, nvalues, UINT32_MAX),
		IN(at, plan_service, nvalues, size / sizeof(struct plan_value)),
		IN(at, plan_service, banner, 8),
		IN(at, plan_service, banner, size),
		IN(at, plan_service, path, size),
		IN(at, plan_service, crlf, 2),
		IN(at, plan_service, multiplexes, 2),
		IN(at, plan_service, multiplexed, 255),
		IN(at, plan_service, asks_names, 3),
		IN(at, plan_service, reply_max, 65508),
		IN(at, plan_service, reply_max, UINT32_MAX),
		IN(at, plan_service, reply_factor, 1001),
		IN(at, plan_service, reply_factor, UINT32_MAX),
		IN(at, plan_service, first_byte_ms, -1),
		IN(at, plan_service, idle_ms, INT32_MIN),
		IN(at, plan_service, max_time_ms, INT32_MIN),
		IN(at, plan_service, kill_grace_ms, -1),
		IN(last, plan_value, name, 0),
		IN(last, plan_value, name, size),
		IN(last, plan_value, string, size),
		IN(last, plan_value, argv, size),
		IN(last, plan_value, argv, 1),
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

static const struct plan_admission *admission_of(const struct plan *plan)
{
	return plan_at(plan, plan_service(plan, 0)->admission);
}

/* The least that there may be: one span for each family, and nothing else. */
START_TEST(takes_the_limits_of_an_admission)
{
	struct plan *plan = make();
	struct plan_admission *admission = (struct plan_admission *)(uintptr_t)admission_of(plan);
	struct plan_access *access =
		(struct plan_access *)(uintptr_t)plan_at(plan, admission->access);

	access->nspans4 = access->nspans6 = 1;
	access->users = access->nusers = access->groups = access->ngroups = 0;
	admission->proxies = admission->times = admission->ntimes = admission->banner_fail = 0;
	admission->prefix4 = admission->prefix6 = 1;
	admission->rate = (struct plan_rate){ 0, 0 };
	admission->source_rate = (struct plan_rate){ INT64_MAX / 4, INT64_MAX / 4 };
	admission->ban_ms = 0;
	ck_assert(plan_is_sound(plan));
	admission->prefix6 = 128;
	admission->per_source = UINT32_MAX;
	admission->access = 0;
	ck_assert(plan_is_sound(plan));
	free(plan);
}
END_TEST

START_TEST(refuses_a_bad_admission)
{
	struct plan *plan = make();
	const uint32_t size = plan->size, times = admission_of(plan)->times;
	const size_t at = plan_service(plan, 0)->admission;
	const struct damage all[] = {
		IN(at, plan_admission, access, 16),
		IN(at, plan_admission, access, admission_of(plan)->access + 4),
		IN(at, plan_admission, access, size - 16),
		IN(at, plan_admission, access, size),
		IN(at, plan_admission, access, UINT32_MAX - 7),
		IN(at, plan_admission, proxies, admission_of(plan)->proxies - 1),
		IN(at, plan_admission, proxies, size),
		IN(at, plan_admission, times, 0),
		IN(at, plan_admission, times, times + 4),
		IN(at, plan_admission, times, size),
		IN(at, plan_admission, ntimes, size / sizeof(struct plan_time)),
		IN(at, plan_admission, ntimes, UINT32_MAX),
		IN(at, plan_admission, banner_fail, 8),
		IN(at, plan_admission, banner_fail, size),
		IN(at, plan_admission, prefix4, 0),
		IN(at, plan_admission, prefix4, 33),
		IN(at, plan_admission, prefix6, 0),
		IN(at, plan_admission, prefix6, 129),
		IN(at, plan_admission, ban_ms, -1),
		IN(at, plan_admission, ban_ms, INT64_MAX / 1000000),
		IN(at, plan_admission, refuse_when_full, 2),
		IN(times, plan_time, from, 60), /* as far as it goes */
		IN(times, plan_time, to, 61),	/* touches the next one */
		IN(times, plan_time, to, 62),
		IN(times + 4, plan_time, from, 10080),
		IN(times + 4, plan_time, to, 10081),
		IN(times + 4, plan_time, to, 61),
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

/* A window is a whole number of steps, and can be added to a clock. */
static void refuse_bad_rate(struct plan *plan, size_t at)
{
	const struct damage all[] = {
		IN(at, plan_rate, step_ns, 0),
		IN(at, plan_rate, step_ns, -1),
		IN(at, plan_rate, step_ns, INT64_MAX),
		IN(at, plan_rate, step_ns, 7000000001),
		IN(at, plan_rate, window_ns, 0),
		IN(at, plan_rate, window_ns, -1),
		IN(at, plan_rate, window_ns, INT64_MAX / 4 + 1),
		IN(at, plan_rate, window_ns, INT64_MAX),
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}

/* Each of the three of an admission, and that of datagrams. */
START_TEST(refuses_bad_rates)
{
	static const size_t rates[] = { offsetof(struct plan_admission, rate),
					offsetof(struct plan_admission, source_rate),
					offsetof(struct plan_admission, ban_after) };
	struct plan *plan;

	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		plan = make();
		refuse_bad_rate(plan, plan_service(plan, 0)->admission + rates[i]);
	}
	plan = make();
	refuse_bad_rate(plan, plan->services + offsetof(struct plan_service, reply_rate));
}
END_TEST

/* What a look-up goes by: sorted, from the first address on. */
START_TEST(refuses_a_bad_access)
{
	static const size_t lists[] = { offsetof(struct plan_admission, access),
					offsetof(struct plan_admission, proxies) };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct plan *plan = make();
		const uint32_t size = plan->size;
		uint32_t at;
		const struct plan_access *access;

		memcpy(&at, (const char *)admission_of(plan) + lists[i], sizeof(at));
		access = plan_at(plan, at);
		const struct damage all[] = {
			IN(at, plan_access, spans4, 0),
			IN(at, plan_access, spans4, access->spans4 + 4),
			IN(at, plan_access, spans4, access->spans4 + 8), /* not the first one */
			IN(at, plan_access, spans4, size),
			IN(at, plan_access, nspans4, 0),
			IN(at, plan_access, nspans4, size / sizeof(struct plan_span4)),
			IN(at, plan_access, nspans4, UINT32_MAX),
			IN(at, plan_access, spans6, 0),
			IN(at, plan_access, spans6, access->spans6 + 24),
			IN(at, plan_access, spans6, size - 8),
			IN(at, plan_access, nspans6, 0),
			IN(at, plan_access, nspans6, UINT32_MAX / 24 + 1),
			IN(at, plan_access, users, 0),
			IN(at, plan_access, users, access->users + 4),
			IN(at, plan_access, users, size),
			IN(at, plan_access, nusers, UINT32_MAX),
			IN(at, plan_access, groups, 8),
			IN(at, plan_access, groups, size),
			IN(at, plan_access, ngroups, size / sizeof(struct plan_id)),
			IN(at, plan_access, others_allowed, 2),
			IN(access->spans4, plan_span4, first, 1),
			IN(access->spans4 + 8, plan_span4, first, 0),
			IN(access->spans4 + 8, plan_span4, first, 0x0b000000),
			IN(access->spans6, plan_span6, high, 1),
			IN(access->spans6, plan_span6, low, 1),
			IN(access->spans6 + 24, plan_span6, high, 0),
			IN(access->spans6 + 24, plan_span6, high, 8),
			IN(access->spans6 + 48, plan_span6, low, 0),
			IN(access->users + 8, plan_id, id, 0),
			IN(access->users + 8, plan_id, id, 1001),
			IN(access->groups + 16, plan_id, id, 33),
		};

		expect_all(plan, all, sizeof(all) / sizeof(*all));
	}
}
END_TEST

static struct plan_cage *cage_of(const struct plan *plan)
{
	return (struct plan_cage *)(uintptr_t)plan_cage(plan, plan_service(plan, 0));
}

/* The least that there may be, and the most that the kernel takes for a filter. */
START_TEST(takes_the_limits_of_a_cage)
{
	static const struct sock_filter filter[BPF_MAXINSNS + 1];
	struct plan *plan;
	struct plan_cage *cage;
	uint32_t longest;

	(void)make();
	longest = put(filter, sizeof(filter));
	plan = finish();
	cage = cage_of(plan);
	cage->filter = longest;
	cage->nfilter = BPF_MAXINSNS;
	cage->cgroup_fd = INT32_MAX;
	cage->private_pids = true;
	ck_assert(plan_is_sound(plan));
	cage->nfilter++;
	ck_assert(!plan_is_sound(plan));
	*cage = (struct plan_cage){ .ruleset_fd = -1, .network_fd = -1, .cgroup_fd = -1 };
	ck_assert(plan_is_sound(plan));
	ck_assert_ptr_null(plan_cage(plan, plan_service(plan, 1)));
	free(plan);
}
END_TEST

START_TEST(refuses_a_bad_cage)
{
	struct plan *plan = make();
	const uint32_t size = plan->size, limits = cage_of(plan)->limits;
	const size_t at = plan_service(plan, 0)->cage, rules = cage_of(plan)->rules;
	const size_t second = limits + sizeof(struct plan_limit);
	const size_t last = rules + 2 * sizeof(struct plan_rule);
	const struct damage all[] = {
		IN(at, plan_cage, limits, 0),
		IN(at, plan_cage, limits, limits + 4),
		IN(at, plan_cage, limits, size - 8),
		IN(at, plan_cage, limits, size),
		IN(at, plan_cage, limits, UINT32_MAX),
		IN(at, plan_cage, nlimits, size / sizeof(struct plan_limit)),
		IN(at, plan_cage, nlimits, UINT32_MAX / sizeof(struct plan_limit) + 2),
		IN(at, plan_cage, nlimits, UINT32_MAX),
		IN(at, plan_cage, chroot, 8),
		IN(at, plan_cage, chroot, size),
		IN(at, plan_cage, chroot, UINT32_MAX),
		IN(at, plan_cage, filter, 0),
		IN(at, plan_cage, filter, cage_of(plan)->filter + 2),
		IN(at, plan_cage, filter, size - 8),
		IN(at, plan_cage, filter, size),
		IN(at, plan_cage, nfilter, BPF_MAXINSNS + 1),
		IN(at, plan_cage, nfilter, 65536 + 2), /* 2, to whoever takes 16 bits */
		IN(at, plan_cage, nfilter, size / sizeof(struct sock_filter)),
		IN(at, plan_cage, nfilter, UINT32_MAX),
		IN(at, plan_cage, rules, 0),
		IN(at, plan_cage, rules, rules + 4),
		IN(at, plan_cage, rules, size - 8),
		IN(at, plan_cage, rules, size),
		IN(at, plan_cage, nrules, size / sizeof(struct plan_rule)),
		IN(at, plan_cage, nrules, UINT32_MAX / sizeof(struct plan_rule) + 2),
		IN(at, plan_cage, nrules, UINT32_MAX),
		IN(at, plan_cage, ruleset_fd, -2),
		IN(at, plan_cage, network_fd, INT32_MIN),
		IN(at, plan_cage, cgroup_fd, -2),
		IN(at, plan_cage, set_capabilities, 2),
		IN(at, plan_cage, drop_bounding, 2),
		IN(at, plan_cage, set_nice, 255),
		IN(at, plan_cage, private_tmp, 2),
		IN(at, plan_cage, private_pids, 2),
		IN(at, plan_cage, deny_write_execute, 128),
		IN(at, plan_cage, die_with_master, 3),
		IN(limits, plan_limit, resource, RLIM_NLIMITS),
		IN(second, plan_limit, resource, UINT32_MAX),
		IN(limits, plan_limit, soft, 4097),
		IN(second, plan_limit, soft, UINT64_MAX),
		IN(limits, plan_limit, hard, 1023),
		IN(rules, plan_rule, path, 8),
		IN(rules, plan_rule, path, size),
		IN(rules, plan_rule, path, UINT32_MAX),
		IN(last, plan_rule, path, 1),
		IN(rules, plan_rule, fixed, 2),
		IN(last, plan_rule, fixed, 255),
		IN(last, plan_rule, port, UINT16_MAX + 1),
		IN(last, plan_rule, port, UINT32_MAX),
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

START_TEST(refuses_a_bad_program)
{
	struct plan *plan = make();
	const uint32_t size = plan->size;
	const size_t at = plan->services + sizeof(struct plan_service);
	const uint32_t argv = plan_service(plan, 1)->argv, groups = plan_service(plan, 1)->groups;
	const struct damage all[] = {
		IN(at, plan_service, path, 0),
		IN(at, plan_service, path, sizeof(*plan) - 1),
		IN(at, plan_service, argv, 0),
		IN(at, plan_service, argv, size),
		IN(at, plan_service, argv, argv + 1),
		IN(at, plan_service, env, size - 4),
		IN(at, plan_service, directory, size),
		IN(at, plan_service, groups, 0),
		IN(at, plan_service, groups, size - 4),
		IN(at, plan_service, ngroups, PLAN_GROUPS_MAX + 1),
		IN(at, plan_service, ngroups, UINT32_MAX),
		IN(at, plan_service, set_identity, 2),
		IN(at, plan_service, no_new_privileges, 128),
		IN(at, plan_service, stderr_to, PLAN_STDERR_NULL + 1),
		IN(at, plan_service, stderr_to, UINT32_MAX),
		{ "no argument", argv, 4, 0 },
		{ "too many arguments", argv, 4, PLAN_VECTOR_MAX + 1 },
		{ "far too many arguments", argv, 4, UINT32_MAX },
		{ "an argument that is none", argv + 8, 4, 0 },
		{ "an argument outside", argv + 12, 4, size },
		{ "groups not in order", groups + 4, 4, 4 },
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

START_TEST(refuses_a_bad_listener)
{
	struct plan *plan = make();
	const uint32_t size = plan->size;
	const size_t last = plan->listeners + 2 * sizeof(struct plan_listener);
	const struct damage all[] = {
		IN(last, plan_listener, fd, -2),
		IN(last, plan_listener, kind, PLAN_FIFO), /* of which there is no descriptor */
		IN(last, plan_listener, kind, PLAN_FIFO + 1),
		IN(last, plan_listener, kind, -1),
		IN(last, plan_listener, standing, 2),
		IN(last, plan_listener, sources_fd, -2),
		IN(last, plan_listener, sources_fd, INT32_MIN),
		IN(last, plan_listener, service, 2),
		IN(last, plan_listener, service, UINT32_MAX - 1),
		/* the control socket comes last */
		IN(plan->listeners, plan_listener, service, PLAN_CONTROL),
		IN(last, plan_listener, asked, 0),
		IN(last, plan_listener, asked, size),
		IN(last, plan_listener, address, 0),
		IN(last, plan_listener, address, 24),
		IN(last, plan_listener, path, size),
		IN(last, plan_listener, internet, 2),
		IN(last, plan_listener, added, 2),
		IN(last, plan_listener, changed, 2),
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

/* Nothing of it is open in the master, and its path is all that is known. */
START_TEST(refuses_a_bad_fifo)
{
	struct plan *plan = make();
	const size_t at = plan->listeners;
	const struct damage all[] = {
		IN(at, plan_listener, fd, 70),		 IN(at, plan_listener, fd, 0),
		IN(at, plan_listener, fd, -2),		 IN(at, plan_listener, path, 0),
		IN(at, plan_listener, path, plan->size),
	};

	expect_all(plan, all, sizeof(all) / sizeof(*all));
}
END_TEST

/* Answers to our own sockets would be answered: each of them is found, and no other. */
START_TEST(finds_each_port)
{
	static uint16_t ports[UINT16_MAX];
	struct plan *plan;
	uint32_t at;

	for (uint32_t i = 0; i < UINT16_MAX; i++)
		ports[i] = (uint16_t)(i + 1);
	(void)make();
	at = put(ports, sizeof(ports));
	plan = finish();
	ck_assert(plan_has_port(plan, 1) && plan_has_port(plan, 13) && plan_has_port(plan, 37));
	ck_assert(plan_has_port(plan, UINT16_MAX));
	ck_assert(!plan_has_port(plan, 0) && !plan_has_port(plan, 2) && !plan_has_port(plan, 36));
	ck_assert(!plan_has_port(plan, 38) && !plan_has_port(plan, UINT16_MAX - 1));
	plan->ports = at;
	for (plan->nports = 0; plan->nports < 100; plan->nports++)
		for (uint16_t port = 0; port < 200; port++)
			ck_assert(plan_has_port(plan, port) == (port && port <= plan->nports));
	plan->nports = UINT16_MAX;
	ck_assert(plan_is_sound(plan));
	for (uint32_t port = 0; port <= UINT16_MAX; port++)
		ck_assert(plan_has_port(plan, (uint16_t)port) == (port > 0));
	free(plan);
}
END_TEST

/* As many strings as the readers have room for, up to the last byte of the plan. */
START_TEST(knows_where_vectors_end)
{
	const char *strings[PLAN_VECTOR_MAX];
	struct plan *plan;
	uint32_t vector;

	for (size_t i = 0; i < PLAN_VECTOR_MAX; i++)
		strings[i] = "x";
	(void)make();
	vector = put_vector(strings, PLAN_VECTOR_MAX);
	plan = finish();
	plan->global.argv = vector;
	ck_assert(plan_is_sound(plan));
	plan->size -= 8;
	ck_assert(!plan_is_sound(plan));
	free(plan);
}
END_TEST

/* The very last byte decides whether the last text has an end. */
START_TEST(refuses_a_text_without_an_end)
{
	struct plan *plan;
	uint32_t text;

	(void)make();
	text = put("12345678", 8);
	plan = finish();
	plan->global.pid_path = text;
	ck_assert(!plan_is_sound(plan));
	buffer.bytes[buffer.used - 1] = '\0';
	ck_assert(plan_is_sound(plan));
	plan->global.pid_path = buffer.used - 1; /* an empty one */
	ck_assert(plan_is_sound(plan));
	free(plan);
}
END_TEST

static size_t length_of(const struct plan *plan, uint32_t offset)
{
	return offset ? strlen(plan_text(plan, offset)) : 0;
}

static size_t read_vector(const struct plan *plan, uint32_t offset)
{
	char *strings[PLAN_VECTOR_MAX + 1];
	size_t count = plan_vector(plan, offset, strings), length = 0;

	for (size_t i = 0; i < count; i++)
		length += strlen(strings[i]);
	return length;
}

static size_t read_access(const struct plan *plan, uint32_t offset)
{
	const struct plan_access *access = plan_at(plan, offset);
	size_t sum = 0;

	if (access == NULL)
		return 0;
	for (uint32_t i = 0; i < access->nspans4; i++)
		sum += ((const struct plan_span4 *)plan_at(plan, access->spans4))[i].allowed;
	for (uint32_t i = 0; i < access->nspans6; i++)
		sum += ((const struct plan_span6 *)plan_at(plan, access->spans6))[i].allowed;
	for (uint32_t i = 0; i < access->nusers; i++)
		sum += ((const struct plan_id *)plan_at(plan, access->users))[i].allowed;
	for (uint32_t i = 0; i < access->ngroups; i++)
		sum += ((const struct plan_id *)plan_at(plan, access->groups))[i].allowed;
	return sum + access->others_allowed;
}

static size_t read_admission(const struct plan *plan, uint32_t offset)
{
	const struct plan_admission *admission = plan_at(plan, offset);
	size_t sum = 0;

	if (admission == NULL)
		return 0;
	for (uint32_t i = 0; i < admission->ntimes; i++)
		sum += ((const struct plan_time *)plan_at(plan, admission->times))[i].to;
	return sum + read_access(plan, admission->access) + read_access(plan, admission->proxies) +
	       length_of(plan, admission->banner_fail) + admission->refuse_when_full;
}

static size_t read_cage(const struct plan *plan, const struct plan_cage *cage)
{
	size_t sum = 0;

	if (cage == NULL)
		return 0;
	for (uint32_t i = 0; i < cage->nlimits; i++)
		sum += ((const struct plan_limit *)plan_at(plan, cage->limits))[i].hard & 1;
	for (uint32_t i = 0; i < cage->nrules; i++)
		sum += length_of(plan,
				 ((const struct plan_rule *)plan_at(plan, cage->rules))[i].path);
	for (uint32_t i = 0; i < cage->nfilter; i++)
		sum += ((const struct sock_filter *)plan_at(plan, cage->filter))[i].code;
	return sum + length_of(plan, cage->chroot) + cage->set_capabilities + cage->set_nice +
	       cage->private_tmp + cage->private_pids + cage->deny_write_execute +
	       cage->die_with_master;
}

static size_t read_service(const struct plan *plan, const struct plan_service *service)
{
	const struct plan_value *values = plan_at(plan, service->values);
	const gid_t *groups = plan_at(plan, service->groups);
	size_t length = service->crlf + service->set_identity + service->no_new_privileges +
			service->multiplexes + service->multiplexed + service->asks_names;

	length += read_admission(plan, service->admission);
	length += read_cage(plan, plan_cage(plan, service));
	length += length_of(plan, service->name) + length_of(plan, service->path) +
		  length_of(plan, service->banner) + length_of(plan, service->directory) +
		  read_vector(plan, service->argv) + read_vector(plan, service->env);
	for (uint32_t i = 0; i < service->nvalues; i++)
		length += length_of(plan, values[i].name) + length_of(plan, values[i].string) +
			  read_vector(plan, values[i].argv);
	for (uint32_t i = 0; i < service->ngroups; i++)
		length += groups[i];
	return length;
}

static size_t read_listener(const struct plan *plan, const struct plan_listener *listener)
{
	return length_of(plan, listener->asked) + length_of(plan, listener->address) +
	       length_of(plan, listener->path) + listener->internet + listener->added +
	       listener->changed + listener->standing +
	       (listener->service == PLAN_CONTROL
			? 0
			: plan_service(plan, listener->service)->instances);
}

/* All of a plan, as the master and its workers read it: a sanitizer looks on. */
static size_t read_all(const struct plan *plan)
{
	const struct plan_global *global = &plan->global;
	size_t length = global->detached + global->has_terminal + global->restore_nofile;

	length += length_of(plan, global->log_file) + length_of(plan, global->debug_topics) +
		  length_of(plan, global->pid_path) + length_of(plan, global->config_path) +
		  length_of(plan, global->begatd_path) + read_vector(plan, global->argv);
	for (uint32_t i = 0; i < plan->nservices; i++)
		length += read_service(plan, plan_service(plan, i));
	for (uint32_t i = 0; i < plan->nlisteners; i++)
		length += read_listener(plan, plan_listener(plan, i));
	for (uint32_t i = 0; i < plan->nfds; i++)
		length += plan_fds(plan)[i] > 2;
	for (uint32_t port = 0; port <= UINT16_MAX; port += 4711)
		length += plan_has_port(plan, (uint16_t)port);
	return length;
}

/* Behind the size, which plan_map() has compared. */
static void flip(struct plan *plan)
{
	const uint32_t from = offsetof(struct plan, global);
	unsigned char *byte = (unsigned char *)plan + from + next_random() % (plan->size - from);

	if (next_random() % 2)
		*byte ^= (unsigned char)(1U << next_random() % 8);
	else
		*byte = (unsigned char)next_random();
}

/* Whatever was damaged: it is refused, or can be read from one end to the other. */
START_TEST(survives_random_damage)
{
	struct plan *plan = make();
	const uint32_t size = plan->size;
	char *good = malloc(size);
	unsigned taken = 0;

	memcpy(good, plan, size);
	for (int i = 0; i < 20000; i++) {
		for (uint32_t n = 1 + next_random() % 4; n; n--)
			flip(plan);
		if (plan_is_sound(plan)) {
			taken++;
			ck_assert_uint_gt(read_all(plan), 0);
		}
		memcpy(plan, good, size);
	}
	ck_assert_uint_gt(taken, 1000); /* letters and numbers can be anything */
	ck_assert_uint_lt(taken, 19000);
	free(good);
	free(plan);
}
END_TEST

SUITE("sound", takes_what_is_sound, takes_the_limits, takes_a_control_socket, takes_an_empty_one,
      refuses_bad_arrays, refuses_a_bad_global, refuses_a_bad_handler,
      takes_the_limits_of_an_admission, refuses_a_bad_admission, refuses_bad_rates,
      refuses_a_bad_access, takes_the_limits_of_a_cage, refuses_a_bad_cage, refuses_a_bad_program,
      refuses_a_bad_listener, refuses_a_bad_fifo, finds_each_port, knows_where_vectors_end,
      refuses_a_text_without_an_end, survives_random_damage)
