/* SPDX-License-Identifier: ISC */
/* admit/access: what the lists and the times of a configuration say, the master says too. */
#include "config.h"

#include "admit/access.h"

#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/schedule.h"
#include "config/service.h"
#include "plan/admission.h"
#include "peering.h"
#include "suite.h"

/* From the configuration to a plan in memory */

static struct peers yes, no;
static struct buffer buffer;
static struct admissions admissions;

static void begin(void)
{
	free(yes.all);
	free(no.all);
	yes = no = (struct peers){ .all = NULL };
}

static void begin_plan(void)
{
	const struct plan head = { .size = sizeof(head) };

	free(buffer.bytes);
	admissions_fini(&admissions);
	buffer = (struct buffer){ .bytes = NULL };
	admissions = (struct admissions){ .accesses = NULL };
	ck_assert_uint_eq(buffer_put(&buffer, &head, sizeof(head)), 0);
}

static const struct plan *plan(void)
{
	return (const struct plan *)(const void *)buffer.bytes;
}

static const struct plan_admission *put(const struct service_admission *admission)
{
	uint32_t at;

	begin_plan();
	at = admission_put(&admissions, &buffer, admission);
	ck_assert_uint_ne(at, 0);
	return plan_at(plan(), at);
}

/* A list that is empty is not given. */
static const struct plan_access *put_lists(void)
{
	const struct service_admission admission = {
		.only_from = yes.count ? &yes : NULL,
		.no_access = no.count ? &no : NULL,
		.prefix4 = 32,
		.prefix6 = 64,
	};
	const struct plan_admission *planned = put(&admission); /* makes the plan */

	return plan_at(plan(), planned->access);
}

static bool is_allowed(const struct connection *connection)
{
	const struct plan_access *access = put_lists();

	return access_is_allowed(plan(), access, connection);
}

/* Addresses */

static struct connection come_from(const char *host)
{
	struct connection connection = { .fd = -1 };
	struct sockaddr_in *in = (struct sockaddr_in *)&connection.peer;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&connection.peer;

	if (strchr(host, ':')) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(4711);
		in6->sin6_scope_id = 2;
		ck_assert_int_eq(inet_pton(AF_INET6, host, &in6->sin6_addr), 1);
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(4711);
		ck_assert_int_eq(inet_pton(AF_INET, host, &in->sin_addr), 1);
	}
	return connection;
}

static bool may_come(const char *host)
{
	const struct connection connection = come_from(host);

	return is_allowed(&connection);
}

START_TEST(judges_ipv4)
{
	begin();
	add_prefix(&yes, "10.0.0.0/8");
	add_prefix(&no, "10.1.0.0/16");
	add_prefix(&yes, "10.1.2.3/32");
	add_prefix(&yes, "255.255.255.255/32");
	ck_assert(may_come("10.0.0.0"));
	ck_assert(may_come("10.0.255.255"));
	ck_assert(!may_come("10.1.0.0"));
	ck_assert(!may_come("10.1.2.2"));
	ck_assert(may_come("10.1.2.3"));
	ck_assert(!may_come("10.1.2.4"));
	ck_assert(!may_come("10.1.255.255"));
	ck_assert(may_come("10.2.0.0"));
	ck_assert(may_come("10.255.255.255"));
	ck_assert(!may_come("11.0.0.0"));
	ck_assert(!may_come("0.0.0.0"));
	ck_assert(!may_come("255.255.255.254"));
	ck_assert(may_come("255.255.255.255"));
	ck_assert(!may_come("::a00:1")); /* no list of this family */
}
END_TEST

START_TEST(judges_ipv6)
{
	begin();
	add_prefix(&no, "2001:db8::/32");
	add_prefix(&yes, "2001:db8:0:7::/64");
	add_prefix(&no, "2001:db8:0:7::ffff/128");
	add_prefix(&yes, "::1/128");
	ck_assert(may_come("::1"));
	ck_assert(!may_come("::"));
	ck_assert(!may_come("::2"));
	ck_assert(!may_come("2001:db8:0:6:ffff:ffff:ffff:ffff"));
	ck_assert(may_come("2001:db8:0:7::"));
	ck_assert(may_come("2001:db8:0:7::fffe"));
	ck_assert(!may_come("2001:db8:0:7::ffff"));
	ck_assert(may_come("2001:db8:0:7::1:0"));
	ck_assert(may_come("2001:db8:0:7:ffff:ffff:ffff:ffff"));
	ck_assert(!may_come("2001:db8:0:8::"));
	ck_assert(!may_come("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}
END_TEST

/* Nobody is forgotten: without only-from all others may come, whatever the family. */
START_TEST(lets_others_in_without_only_from)
{
	begin();
	add_prefix(&no, "192.0.2.0/24");
	ck_assert(!may_come("192.0.2.7"));
	ck_assert(may_come("192.0.3.0"));
	ck_assert(may_come("::1"));
}
END_TEST

/* A peer of no family that there is a list for: no bug elsewhere may let it in. */
START_TEST(denies_what_it_does_not_know)
{
	struct connection connection = { .fd = -1 };

	begin();
	add_prefix(&no, "192.0.2.0/24");
	connection.peer.ss_family = AF_UNSPEC;
	ck_assert(!is_allowed(&connection));
}
END_TEST

/* By the rule, with prefixes that do not lie within each other: the third byte decides. */
START_TEST(judges_many)
{
	const struct plan_access *access;
	struct connection connection;
	char text[INET_ADDRSTRLEN + 4];

	begin();
	for (unsigned i = 0; i < 65536; i += 2) {
		snprintf(text, sizeof(text), "10.%u.%u.0/24", i >> 8, i & 255);
		add_prefix(i % 4 ? &yes : &no, text);
	}
	access = put_lists();
	ck_assert_uint_eq(access->nspans4, 1 + 2 * 16384);
	for (unsigned i = 0; i < 65536; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 8, i & 255, i % 3 ? 255 : 0);
		connection = come_from(text);
		ck_assert(access_is_allowed(plan(), access, &connection) == (i % 4 == 2));
	}
}
END_TEST

/* Unix peers */

/* One that no kernel will tell more about. */
static bool may_user(uid_t uid, gid_t gid)
{
	struct connection connection = { .fd = -1,
					 .credentials = { .pid = 4711, .uid = uid, .gid = gid } };

	connection.peer.ss_family = AF_UNIX;
	return is_allowed(&connection);
}

START_TEST(judges_users_before_groups)
{
	begin();
	add_user(&yes, 1000);
	add_user(&no, 1001);
	add_group(&no, 100);
	add_group(&yes, 200);
	ck_assert(may_user(1000, 100));
	ck_assert(!may_user(1001, 200));
	ck_assert(!may_user(1002, 100));
	ck_assert(!may_user(999, 100));
	ck_assert(!may_user(1002, 300));
}
END_TEST

START_TEST(addresses_do_not_matter_to_users)
{
	begin();
	add_prefix(&yes, "0.0.0.0/0");
	ck_assert(!may_user(1000, 100));
	begin();
	add_prefix(&no, "0.0.0.0/0");
	ck_assert(may_user(1000, 100));
	begin();
	add_user(&yes, 1000);
	ck_assert(!may_come("127.0.0.1"));
	ck_assert(!may_come("::1"));
}
END_TEST

/* Without SO_PEERGROUPS nobody can say that a peer is not in a group that is denied. */
START_TEST(denies_when_groups_cannot_be_told)
{
	begin();
	add_group(&yes, 200);
	ck_assert(may_user(1000, 200));
	ck_assert(!may_user(1000, 300));
	add_group(&no, 100);
	ck_assert(!may_user(1000, 200));
	begin();
	add_group(&no, 100);
	ck_assert(!may_user(1000, 200));
	begin();
	add_user(&no, 7);
	ck_assert(may_user(1000, 200)); /* no group is asked for */
}
END_TEST

/* What a failed SO_PEERCRED leaves, and a peer from another pid namespace, which has no pid here.
 */
START_TEST(takes_unknown_peers_for_others)
{
	struct connection connection = { .fd = -1 };

	connection.peer.ss_family = AF_UNIX;
	connection.credentials = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	begin();
	add_user(&yes, 1000);
	add_user(&yes, (uid_t)-1); /* whatever a list says */
	ck_assert(!is_allowed(&connection));
	connection.credentials = (struct ucred){ .uid = 1000, .gid = 1000 };
	ck_assert(is_allowed(&connection));
	begin();
	add_user(&no, 1001);
	ck_assert(is_allowed(&connection));
	connection.credentials.uid = 1001; /* it has not got rid of its user */
	ck_assert(!is_allowed(&connection));
	connection.credentials.uid = (uid_t)-1;
	add_user(&no, (uid_t)-1);
	ck_assert(is_allowed(&connection));
}
END_TEST

/* Peers that a kernel knows */

static int listen_abstract(struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t length = sizeof(*address);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)address, sizeof(sa_family_t)), 0); /* any */
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)address, &length), 0);
	return fd;
}

/* In a process of its own, as that user in those groups; without groups as ourselves. */
static void connect_as(const struct sockaddr_un *address, gid_t gid, const gid_t *groups,
		       size_t count)
{
	/* The name of an abstract socket is all five bytes behind the first NUL: unix(7). */
	const socklen_t length = offsetof(struct sockaddr_un, sun_path) + 6;
	pid_t pid = fork();
	int fd, status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (count && (setgroups(count, groups) < 0 || setresgid(gid, gid, gid) < 0 ||
			      setresuid(4711, 4711, 4711) < 0))
			_exit(1);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		_exit(connect(fd, (const struct sockaddr *)address, length) < 0 ? 2 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static struct connection come_as(gid_t gid, const gid_t *groups, size_t count)
{
	struct sockaddr_un address;
	struct connection connection;
	int fd = listen_abstract(&address);

	connect_as(&address, gid, groups, count);
	ck_assert_int_eq(connection_accept(fd, &connection), CONNECTION_OK);
	ck_assert_int_eq(close(fd), 0);
	return connection;
}

START_TEST(knows_real_users)
{
	struct connection connection = come_as(0, NULL, 0);

	begin();
	add_user(&yes, geteuid());
	ck_assert(is_allowed(&connection));
	begin();
	add_user(&no, geteuid());
	ck_assert(!is_allowed(&connection));
	begin();
	add_group(&yes, getegid());
	ck_assert(is_allowed(&connection));
	begin();
	add_group(&no, getegid());
	ck_assert(!is_allowed(&connection));
	ck_assert_int_eq(close(connection.fd), 0);
}
END_TEST

START_TEST(knows_real_groups)
{
	static const gid_t groups[] = { 7001, 7003, 7005 };
	struct connection connection;

	if (geteuid() != 0) {
		puts("skipped: only root can take other groups");
		return;
	}
	connection = come_as(7000, groups, 3);
	begin();
	add_group(&yes, 7005); /* the last of them */
	ck_assert(is_allowed(&connection));
	add_group(&no, 7001); /* one that is denied outweighs */
	ck_assert(!is_allowed(&connection));
	add_user(&yes, 4711); /* but a user comes first */
	ck_assert(is_allowed(&connection));
	begin();
	add_group(&yes, 7000); /* the primary one */
	ck_assert(is_allowed(&connection));
	begin();
	add_group(&yes, 7002); /* between two of them */
	add_group(&yes, 0);
	ck_assert(!is_allowed(&connection));
	begin();
	add_group(&no, 7002);
	ck_assert(is_allowed(&connection)); /* the kernel has told them all */
	add_group(&no, 7003);
	ck_assert(!is_allowed(&connection));
	ck_assert_int_eq(close(connection.fd), 0);
}
END_TEST

/* As many as a process can have: the last one counts. */
START_TEST(knows_all_groups)
{
	static gid_t groups[NGROUPS_MAX];
	struct connection connection;

	if (geteuid() != 0) {
		puts("skipped: only root can take other groups");
		return;
	}
	for (gid_t i = 0; i < NGROUPS_MAX; i++)
		groups[i] = 100000 + i;
	connection = come_as(7000, groups, NGROUPS_MAX);
	begin();
	add_group(&yes, 7000);
	ck_assert(is_allowed(&connection));
	add_group(&no, 100000 + NGROUPS_MAX);
	ck_assert(is_allowed(&connection));
	add_group(&no, 100000 + NGROUPS_MAX - 1);
	ck_assert(!is_allowed(&connection));
	ck_assert_int_eq(close(connection.fd), 0);
}
END_TEST

/* Times */

#define MONDAY 1704067200 /* 2024-01-01 00:00:00 UTC */
#define DAY    86400
#define HOUR   3600

static const struct plan_admission *put_times(const struct schedule_span *spans, size_t count)
{
	const struct schedule schedule = { .spans = (struct schedule_span *)(uintptr_t)spans,
					   .count = count };
	const struct service_admission admission = { .times = &schedule,
						     .prefix4 = 32,
						     .prefix6 = 64 };

	return put(&admission);
}

static void set_zone(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

START_TEST(knows_the_minute)
{
	static const struct schedule_span spans[] = { { 480, 1080 }, { 1081, 1082 } };
	const struct plan_admission *admission;

	admission = put_times(spans, 2);
	set_zone("UTC0");
	ck_assert(!access_is_time(plan(), admission, MONDAY));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 8 * HOUR - 1));
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR));
	ck_assert(access_is_time(plan(), admission, MONDAY + 18 * HOUR - 1));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 18 * HOUR));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 18 * HOUR + 59));
	ck_assert(access_is_time(plan(), admission, MONDAY + 18 * HOUR + 60));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 18 * HOUR + 120));
	ck_assert(!access_is_time(plan(), admission, MONDAY + DAY + 9 * HOUR)); /* Tuesday */
	ck_assert(access_is_time(plan(), admission, MONDAY + 7 * DAY + 9 * HOUR));
	ck_assert(access_is_time(plan(), admission, MONDAY - 7 * DAY + 9 * HOUR));
}
END_TEST

/* "sat,sun 22:00-02:00", as it is laid out: the week ends in the middle of a night. */
START_TEST(knows_the_night)
{
	static const struct schedule_span spans[] = { { 0, 120 },
						      { 5 * 1440 + 1320, 6 * 1440 + 120 },
						      { 6 * 1440 + 1320, 7 * 1440 } };
	static const struct {
		time_t time;
		bool allowed;
	} cases[] = {
		{ 5 * DAY + 22 * HOUR - 1, false },
		{ 5 * DAY + 22 * HOUR, true },
		{ 6 * DAY - 1, true },
		{ 6 * DAY, true },
		{ 6 * DAY + 2 * HOUR - 1, true },
		{ 6 * DAY + 2 * HOUR, false },
		{ 6 * DAY + 22 * HOUR - 1, false },
		{ 6 * DAY + 22 * HOUR, true },
		{ 7 * DAY - 1, true },
		{ 7 * DAY, true },
		{ 7 * DAY + 2 * HOUR - 1, true },
		{ 7 * DAY + 2 * HOUR, false },
		{ 8 * DAY, false },
		{ 0, true },
	};
	const struct plan_admission *admission;

	admission = put_times(spans, 3);
	set_zone("UTC0");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(access_is_time(plan(), admission, MONDAY + cases[i].time) ==
				      cases[i].allowed,
			      "after %lld seconds", (long long)cases[i].time);
}
END_TEST

/* Local time, in which an hour of the last Sunday in March is missing, and one in October comes
 * twice. */
START_TEST(knows_the_zone)
{
	static const struct schedule_span spans[] = { { 6 * 1440 + 120, 6 * 1440 + 180 } };
	const struct plan_admission *admission;
	const time_t march = 1711846800, october = 1729987200; /* 01:00 and 00:00 UTC */

	admission = put_times(spans, 1);
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	ck_assert(access_is_time(plan(), admission, MONDAY + 6 * DAY + HOUR));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 6 * DAY + 2 * HOUR));
	ck_assert(!access_is_time(plan(), admission, march - 1));
	ck_assert(!access_is_time(plan(), admission, march)); /* 03:00 at once */
	ck_assert(!access_is_time(plan(), admission, october - 1));
	ck_assert(access_is_time(plan(), admission, october));
	ck_assert(access_is_time(plan(), admission, october + 2 * HOUR - 1));
	ck_assert(!access_is_time(plan(), admission, october + 2 * HOUR));
}
END_TEST

/* Where minutes begin between ours, as they did in many places a hundred years ago. */
START_TEST(knows_when_a_minute_begins)
{
	static const struct schedule_span spans[] = { { 480, 481 } };
	const struct plan_admission *admission;

	admission = put_times(spans, 1);
	set_zone("OLD-0:00:20"); /* 20 seconds ahead */
	ck_assert(!access_is_time(plan(), admission, MONDAY + 8 * HOUR - 21));
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR - 20));
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR));
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR + 39));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 8 * HOUR + 40));
}
END_TEST

/* Seen by a zone that changes behind its back: in the same minute nobody looks. */
START_TEST(converts_once_a_minute)
{
	static const struct schedule_span spans[] = { { 480, 540 } };
	const struct plan_admission *admission;

	admission = put_times(spans, 1);
	set_zone("UTC0");
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR + 30));
	set_zone("CET-1");
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR));
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR + 59));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 8 * HOUR + 60));
	ck_assert(!access_is_time(plan(), admission, MONDAY + 8 * HOUR)); /* set back */
	ck_assert(access_is_time(plan(), admission, MONDAY + 8 * HOUR - 1));
}
END_TEST

/* localtime_r(3) fails for years that are no int: F70, a clock that is wrong. */
START_TEST(denies_when_there_is_no_telling)
{
	static const struct schedule_span spans[] = { { 0, 10080 } };
	const struct plan_admission *admission;

	admission = put_times(spans, 1);
	ck_assert(access_is_time(plan(), admission, MONDAY));
	ck_assert(!access_is_time(plan(), admission, INT64_MAX));
	ck_assert(!access_is_time(plan(), admission, INT64_MIN));
	ck_assert(access_is_time(plan(), admission, MONDAY + 60));
}
END_TEST

SUITE("access", judges_ipv4, judges_ipv6, lets_others_in_without_only_from,
      denies_what_it_does_not_know, judges_many, judges_users_before_groups,
      addresses_do_not_matter_to_users, denies_when_groups_cannot_be_told,
      takes_unknown_peers_for_others, knows_real_users, knows_real_groups, knows_all_groups,
      knows_the_minute, knows_the_night, knows_the_zone, knows_when_a_minute_begins,
      converts_once_a_minute, denies_when_there_is_no_telling)
