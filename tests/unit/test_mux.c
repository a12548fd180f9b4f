/* SPDX-License-Identifier: ISC */
/* How a client is handed over, from the master's side: what a worker of tcpmux may say, and what it
 * gains by saying anything else. */
#include "config.h"

#include "master/mux.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admit/admit.h"
#include "base/fd.h"
#include "descriptors.h"
#include "master/arrival.h"
#include "master/cgroup.h"
#include "master/drain.h"
#include "master/gate.h"
#include "master/loop.h"
#include "master/serving.h"
#include "random.h"
#include "report/log.h"
#include "worker/offer.h"
#include "suite.h"

#define HEADERS 8 /* descriptors: two for each worker */
#define MUX	0 /* the places of the services */
#define MARKED	1
#define SECRET	2

static struct {
	struct plan plan;
	struct plan_service services[3];
	struct plan_listener listeners[2];
} plan;

static struct serving servings[3];
static struct serving_record records[3];
static struct gate gates[2];

/* What the rest of the master would do, and what it was asked for. */
static struct {
	enum refusal refusal;
	bool drains;
	int unborn; /* errno of a worker that cannot be made */
	bool blames_group;
	unsigned asked, refused, received, fed, settled, group_paused;
	enum refusal refused_for;
	struct serving *target;
	struct gate *gate;
	struct connection connection;
} world;

struct serving *servings_all(void)
{
	return servings;
}

struct admission serving_ask(struct serving *serving, const struct connection *connection)
{
	return (struct admission){ .plan = &plan.plan,
				   .service = serving->plan,
				   .connection = connection };
}

enum refusal admit_check(const struct admission *admission)
{
	world.asked++;
	world.connection = *admission->connection;
	return world.refusal;
}

void serving_refused(struct serving *serving, struct connection *connection,
		     const struct admission *admission, enum refusal refusal)
{
	(void)connection;
	ck_assert_ptr_eq(admission->service, serving->plan);
	world.refused++;
	world.refused_for = refusal;
	world.target = serving;
}

int arrival_receive(struct serving *serving, struct gate *gate, struct connection *connection)
{
	world.received++;
	world.target = serving;
	world.gate = gate;
	world.connection = *connection;
	if (world.unborn == 0)
		return 0;
	ck_assert_int_eq(close(connection->fd), 0);
	errno = world.unborn;
	return -1;
}

bool drain_has_begun(void)
{
	return world.drains;
}

struct gate *gates_find(uint32_t listener)
{
	return &gates[listener];
}

void gates_feed(void)
{
	world.fed++;
}

void gates_settle(void)
{
	world.settled++;
}

bool cgroup_is_at_fault(const struct plan *of, const struct plan_service *service, int error)
{
	ck_assert_ptr_eq(of, &plan.plan);
	ck_assert_ptr_eq(service, &plan.services[MARKED]);
	ck_assert_int_eq(error, world.unborn);
	return world.blames_group;
}

void cgroup_pause(struct serving *serving, int error)
{
	ck_assert_ptr_eq(serving, &servings[MARKED]);
	ck_assert_int_eq(error, world.unborn);
	world.group_paused++;
}

static uint64_t id_of(size_t service)
{
	return 0xfedcba9876543210 + service;
}

static void init_plan(void)
{
	plan.plan.services = offsetof(typeof(plan), services);
	plan.plan.nservices = 3;
	plan.plan.listeners = offsetof(typeof(plan), listeners);
	plan.plan.nlisteners = 2;
	plan.plan.global.headers = HEADERS;
	plan.services[MUX].multiplexes = true;
	plan.services[MARKED].multiplexed = true;
	for (size_t i = 0; i < 3; i++) {
		plan.services[i].id = id_of(i);
		servings[i] = (struct serving){ .plan = &plan.services[i],
						.name = "service",
						.record = &records[i] };
	}
	plan.listeners[0].internet = false;
	plan.listeners[1].internet = true;
}

static void init(void)
{
	init_plan();
	for (size_t i = 0; i < 2; i++) {
		gates[i] = (struct gate){ .plan = &plan.listeners[i], .serving = &servings[MUX] };
		SLIST_INSERT_HEAD(&servings[MUX].gates, &gates[i], of_service);
	}
	log_init("test_mux");
	log_set_level(LOG_CRIT, NULL);
	ck_assert_int_eq(loop_open(), 0);
	mux_init(&plan.plan);
}

/* A worker, with its client. */
struct stage {
	struct child child;
	int client, server, worker;
};

static socklen_t name(int fd, struct sockaddr_storage *address)
{
	socklen_t length = sizeof(*address);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)address, &length), 0);
	return length;
}

/* from and to are of the families of the two ends. */
static void connect_by(struct stage *stage, int from, int to)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT };
	struct sockaddr_in loopback = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 loopback6 = { .sin6_family = AF_INET6,
					  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_storage at;
	int listener = socket(to, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(to == AF_INET
				 ? bind(listener, (struct sockaddr *)&loopback, sizeof(loopback))
				 : bind(listener, (struct sockaddr *)&any6, sizeof(any6)),
			 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	(void)name(listener, &at);
	loopback.sin_port = loopback6.sin6_port = ((struct sockaddr_in *)&at)->sin_port;
	stage->client = socket(from, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
		from == AF_INET
			? connect(stage->client, (struct sockaddr *)&loopback, sizeof(loopback))
			: connect(stage->client, (struct sockaddr *)&loopback6, sizeof(loopback6)),
		0);
	stage->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(stage->server, 0);
	close(listener);
}

static void connect_unix(struct stage *stage)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	stage->client = ends[0];
	stage->server = ends[1];
}

static void init_child(struct stage *stage)
{
	stage->child = (struct child){ .serving = &servings[MUX],
				       .role = WORKER_MUX,
				       .talk = { .fd = -1 },
				       .offered_fd = -1,
				       .gate = &gates[1] };
}

/* Of the server's end only the copy is left, as when the worker has ended. */
static void open_on(struct stage *stage)
{
	const struct connection connection = { .fd = stage->server };

	init_child(stage);
	ck_assert_int_eq(mux_open(&stage->child, &connection, &stage->worker), 0);
	ck_assert_int_ge(stage->child.offered_fd, FD_PARKED);
	ck_assert_int_ge(stage->child.talk.fd, FD_PARKED);
	close(stage->server);
}

static void open_stage(struct stage *stage)
{
	connect_by(stage, AF_INET, AF_INET);
	open_on(stage);
}

static void close_stage(struct stage *stage)
{
	close(stage->worker);
	mux_close(&stage->child);
	close(stage->client);
}

static void say(const struct stage *stage, uint32_t kind, uint64_t service)
{
	const struct offer offer = { .kind = kind, .service = service };

	ck_assert_int_eq(send(stage->worker, &offer, sizeof(offer), MSG_NOSIGNAL), sizeof(offer));
}

/* As the loop would: it may have closed already. */
static void let_hear(struct stage *stage)
{
	if (stage->child.talk.fd >= 0)
		stage->child.talk.ready(stage->child.talk.context);
}

static enum refusal hear_answer(const struct stage *stage)
{
	struct offer_answer answer = { .refusal = REFUSALS };

	ck_assert_int_eq(recv(stage->worker, &answer, sizeof(answer), MSG_DONTWAIT),
			 sizeof(answer));
	return (enum refusal)answer.refusal;
}

static enum refusal ask_for(struct stage *stage, size_t service)
{
	say(stage, OFFER_ASK, id_of(service));
	let_hear(stage);
	return hear_answer(stage);
}

static void expect_open(const struct stage *stage)
{
	ck_assert_int_ge(stage->child.talk.fd, 0);
	ck_assert_int_ge(stage->child.offered_fd, 0);
}

static void expect_closed(const struct stage *stage)
{
	ck_assert_int_eq(stage->child.talk.fd, -1);
	ck_assert_int_eq(stage->child.offered_fd, -1);
}

/* Nobody has the connection any more. */
static void expect_end(const struct stage *stage)
{
	char byte;

	expect_closed(stage);
	ck_assert_int_eq(recv(stage->client, &byte, 1, MSG_DONTWAIT), 0);
}

/* That it is this very connection, and in the state in which it was. */
static void expect_handed(const struct stage *stage)
{
	char byte = 0;

	ck_assert_uint_eq(world.received, 1);
	ck_assert_ptr_eq(world.target, &servings[MARKED]);
	expect_closed(stage);
	ck_assert_int_eq(send(stage->client, "x", 1, 0), 1);
	ck_assert_int_eq(recv(world.connection.fd, &byte, 1, 0), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(fcntl(world.connection.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(world.connection.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(world.connection.proxy.ss_family, AF_UNSPEC);
	ck_assert_int_eq(world.connection.local.ss_family, AF_UNSPEC);
}

static void expect_peer(int family, const struct stage *stage)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&world.connection.peer;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&world.connection.peer;
	struct sockaddr_storage client;

	ck_assert_int_eq(world.connection.peer.ss_family, family);
	if (family == AF_UNIX) {
		ck_assert_uint_eq(world.connection.credentials.uid, getuid());
		return;
	}
	(void)name(stage->client, &client);
	ck_assert_uint_eq(in->sin_port, ((struct sockaddr_in *)&client)->sin_port);
	if (family == AF_INET)
		ck_assert_uint_eq(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	else
		ck_assert_mem_eq(&in6->sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback));
	ck_assert_int_eq(world.connection.credentials.uid, (uid_t)-1);
}

/* As whom the client is asked for, and handed over: as who it was when it was accepted. */
static void hand_over(struct stage *stage, int family)
{
	open_on(stage);
	world.received = 0;
	ck_assert_int_eq(ask_for(stage, MARKED), REFUSAL_NONE);
	expect_peer(family, stage);
	expect_open(stage);
	say(stage, OFFER_HAND, id_of(MARKED));
	let_hear(stage);
	expect_handed(stage);
	expect_peer(family, stage);
	ck_assert_ptr_eq(world.gate, &gates[1]);
	close(world.connection.fd);
	close_stage(stage);
}

START_TEST(mux_hands_over)
{
	const size_t before = (init(), descriptors_count());
	struct stage stage;

	connect_by(&stage, AF_INET, AF_INET);
	hand_over(&stage, AF_INET);
	connect_unix(&stage);
	hand_over(&stage, AF_UNIX);
	connect_by(&stage, AF_INET, AF_INET6); /* mapped */
	hand_over(&stage, AF_INET);
	connect_by(&stage, AF_INET6, AF_INET6);
	hand_over(&stage, AF_INET6);
	ck_assert_uint_eq(world.settled, 4);
	ck_assert_uint_eq(world.refused, 0);
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

/* getpeername(2) does not know any more, but the log still wants to say who it was. */
START_TEST(mux_reset)
{
	const struct linger none = { .l_onoff = 1 };
	struct sockaddr_storage client;
	struct stage stage;
	char byte;

	init();
	open_stage(&stage);
	(void)name(stage.client, &client);
	ck_assert_int_eq(setsockopt(stage.client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
	ck_assert_int_eq(close(stage.client), 0);
	stage.client = -1;
	ck_assert_int_eq(recv(stage.child.offered_fd, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	ck_assert_uint_eq(((struct sockaddr_in *)&world.connection.peer)->sin_port,
			  ((struct sockaddr_in *)&client)->sin_port);
	close_stage(&stage);
}
END_TEST

/* Who is told no is not handed over, and the refusal is the service's. */
START_TEST(mux_refuses)
{
	struct stage stage;

	init();
	for (world.refusal = 1; world.refusal < REFUSALS; world.refusal++) {
		world.refused = 0;
		open_stage(&stage);
		ck_assert_int_eq(ask_for(&stage, MARKED), world.refusal);
		ck_assert_uint_eq(world.refused, 1);
		ck_assert_int_eq(world.refused_for, world.refusal);
		ck_assert_ptr_eq(world.target, &servings[MARKED]);
		expect_end(&stage);
		close_stage(&stage);
	}
	ck_assert_uint_eq(world.received, 0);
}
END_TEST

/* CVE-2012-0862: what is not marked is not to be had, whoever asks. */
START_TEST(mux_not_marked)
{
	static const uint64_t others[] = { 0, 1, 2, UINT64_MAX, 0x76543211, MARKED };
	struct stage stage;

	init();
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		open_stage(&stage);
		say(&stage, OFFER_ASK, others[i]);
		let_hear(&stage);
		ck_assert_int_eq(hear_answer(&stage), REFUSAL_ACCESS);
		expect_end(&stage);
		close_stage(&stage);
	}
	for (size_t service = 0; service < 3; service++) {
		if (service == MARKED)
			continue;
		open_stage(&stage);
		ck_assert_int_eq(ask_for(&stage, service), REFUSAL_ACCESS);
		expect_end(&stage);
		close_stage(&stage);
		open_stage(&stage);
		ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
		say(&stage, OFFER_HAND, id_of(service));
		let_hear(&stage);
		expect_end(&stage);
		close_stage(&stage);
	}
	ck_assert_uint_eq(world.received, 0);
}
END_TEST

/* CVE-2013-4342: no way around the questions, in whatever order things are said. */
START_TEST(mux_order)
{
	struct stage stage;

	init();
	open_stage(&stage); /* not asked */
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	expect_end(&stage);
	close_stage(&stage);
	open_stage(&stage); /* asked twice */
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	say(&stage, OFFER_ASK, id_of(MARKED));
	let_hear(&stage);
	expect_end(&stage);
	close_stage(&stage);
	ck_assert_uint_eq(world.asked, 1);
	world.refusal = REFUSAL_ACCESS; /* refused */
	open_stage(&stage);
	say(&stage, OFFER_ASK, id_of(MARKED));
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	let_hear(&stage);
	expect_end(&stage);
	close_stage(&stage);
	ck_assert_uint_eq(world.received, 0);
}
END_TEST

START_TEST(mux_once)
{
	struct stage stage;

	init();
	open_stage(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	say(&stage, OFFER_HAND, id_of(MARKED));
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	let_hear(&stage);
	expect_handed(&stage);
	close_stage(&stage);
	ck_assert_uint_eq(world.received, 1);
}
END_TEST

static void say_bytes(struct stage *stage, const void *bytes, size_t length)
{
	open_stage(stage);
	ck_assert_int_eq(send(stage->worker, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
	let_hear(stage);
	expect_end(stage);
	close_stage(stage);
}

START_TEST(mux_nonsense)
{
	const size_t before = (init(), descriptors_count());
	struct offer offer = { .kind = OFFER_ASK, .service = id_of(MARKED) };
	char bytes[sizeof(offer) + 8] = { 0 };
	struct stage stage;

	memcpy(bytes, &offer, sizeof(offer));
	for (size_t length = 0; length <= sizeof(bytes); length++)
		if (length != sizeof(offer))
			say_bytes(&stage, bytes, length);
	for (uint32_t kind = OFFER_HAND + 1; kind; kind <<= 1) {
		offer.kind = kind;
		say_bytes(&stage, &offer, sizeof(offer));
	}
	offer.kind = UINT32_MAX;
	say_bytes(&stage, &offer, sizeof(offer));
	offer.kind = 32; /* as far as a bit can be moved */
	say_bytes(&stage, &offer, sizeof(offer));
	ck_assert_uint_eq(world.asked + world.received, 0);
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

/* Whatever is said, nobody is handed over to another service, or asked for more than once. */
START_TEST(mux_at_random)
{
	struct stage stage;

	init();
	for (int i = 0; i < 1000; i++) {
		world.received = world.asked = 0;
		connect_unix(&stage); /* which leaves no port behind */
		open_on(&stage);
		for (int j = 0; j < 4 && stage.child.talk.fd >= 0; j++) {
			say(&stage, next_random() % 4, id_of(next_random() % 4));
			let_hear(&stage);
		}
		close_stage(&stage);
		ck_assert_uint_le(world.asked, 1);
		ck_assert_uint_le(world.received, world.asked);
		if (world.received) {
			ck_assert_ptr_eq(world.target, &servings[MARKED]);
			close(world.connection.fd);
		}
	}
}
END_TEST

static void send_descriptor(int to)
{
	const struct offer offer = { .kind = OFFER_ASK, .service = id_of(MARKED) };
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = { (void *)(uintptr_t)&offer, sizeof(offer) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &to, sizeof(to));
	ck_assert_int_eq(sendmsg(to, &message, 0), sizeof(offer));
}

/* P3: nobody fills our table of descriptors with his. */
START_TEST(mux_takes_no_descriptors)
{
	struct stage stage;
	size_t before;

	init();
	open_stage(&stage);
	before = descriptors_count();
	send_descriptor(stage.worker);
	let_hear(&stage);
	ck_assert_uint_eq(descriptors_count(), before);
	close_stage(&stage);
}
END_TEST

/* At its own door a client would wait until that is over. */
START_TEST(mux_paused)
{
	struct stage stage;

	init();
	servings[MARKED].pause.running = true;
	open_stage(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_PAUSED);
	expect_end(&stage);
	close_stage(&stage);
	world.refusal = REFUSAL_ACCESS; /* which comes first */
	open_stage(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_ACCESS);
	close_stage(&stage);
	ck_assert_uint_eq(world.refused, 2);
	world.refusal = REFUSAL_NONE;
	servings[MARKED].pause.running = false;
	open_stage(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	servings[MARKED].pause.running = true;
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	expect_end(&stage);
	ck_assert_uint_eq(world.refused, 3);
	ck_assert_int_eq(world.refused_for, REFUSAL_PAUSED);
	close_stage(&stage);
	ck_assert_uint_eq(world.received, 0);
}
END_TEST

/* P10: who stops has no new workers. */
START_TEST(mux_drains)
{
	struct stage stage;

	init();
	open_stage(&stage);
	world.drains = true;
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_PAUSED);
	expect_end(&stage);
	close_stage(&stage);
	world.drains = false;
	open_stage(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	world.drains = true;
	say(&stage, OFFER_HAND, id_of(MARKED));
	close_stage(&stage);
	expect_closed(&stage);
	ck_assert_uint_eq(world.received, 0);
}
END_TEST

/* Of a worker that has ended, SIGCHLD may come before what it has said. */
START_TEST(mux_last_word)
{
	struct stage stage;

	init();
	open_stage(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	say(&stage, OFFER_HAND, id_of(MARKED));
	close(stage.worker);
	mux_close(&stage.child);
	expect_handed(&stage);
	mux_close(&stage.child);
	ck_assert_uint_eq(world.received, 1);
}
END_TEST

/* Its client sees the end at once, and not when somebody comes to look. */
START_TEST(mux_ends)
{
	struct stage stage;

	init();
	open_stage(&stage);
	close(stage.worker);
	let_hear(&stage); /* it lives, and has closed its socket */
	expect_end(&stage);
	close(stage.client);
	open_stage(&stage);
	mux_close(&stage.child);
	expect_end(&stage);
	close(stage.worker);
	open_stage(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	mux_close(&stage.child);
	expect_end(&stage);
	ck_assert_uint_eq(world.received, 0);
}
END_TEST

/* The sockets of other workers are not ours to read, or to close. */
START_TEST(mux_of_other_roles)
{
	struct child child = { .role = WORKER_STANDING, .talk = { .fd = 0 }, .offered_fd = -1 };

	init();
	mux_close(&child);
	ck_assert_int_eq(child.talk.fd, 0);
	ck_assert_int_ge(fcntl(0, F_GETFD), 0);
}
END_TEST

START_TEST(mux_fills)
{
	struct stage stages[HEADERS / 2];

	init();
	for (size_t i = 0; i < HEADERS / 2; i++) {
		ck_assert(!mux_is_full());
		open_stage(&stages[i]);
	}
	ck_assert(mux_is_full());
	ck_assert_uint_eq(world.fed, 0);
	for (size_t i = 0; i < HEADERS / 2; i++) {
		close_stage(&stages[i]);
		ck_assert(!mux_is_full());
	}
	ck_assert_uint_eq(world.fed, 1);
}
END_TEST

static void adopt(struct stage *stage)
{
	int ends[2];

	connect_by(stage, AF_INET, AF_INET);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	init_child(stage);
	stage->worker = ends[1];
	ck_assert_int_eq(mux_adopt(&stage->child, ends[0], stage->server), 0);
}

/* P1: a reload may come before the name, or between our answer and the hand-over. */
START_TEST(mux_adopts)
{
	struct stage stage;

	init();
	adopt(&stage);
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	expect_handed(&stage);
	close_stage(&stage);
	world.received = 0;
	adopt(&stage);
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	expect_handed(&stage);
	expect_peer(AF_INET, &stage);
	close_stage(&stage);
	init_child(&stage); /* one that has handed its client over, and has not ended yet */
	ck_assert_int_eq(mux_adopt(&stage.child, -1, -1), 0);
	mux_close(&stage.child);
	ck_assert(!mux_is_full());
}
END_TEST

/* The listener by which the client came may be gone then. */
START_TEST(mux_other_gate)
{
	struct stage stage;

	init();
	connect_unix(&stage);
	open_on(&stage);
	stage.child.gate = NULL;
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	ck_assert_ptr_eq(world.gate, &gates[0]);
	close_stage(&stage);
	SLIST_INIT(&servings[MUX].gates); /* and the service with it */
	open_stage(&stage);
	stage.child.gate = NULL;
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
	say(&stage, OFFER_HAND, id_of(MARKED));
	let_hear(&stage);
	ck_assert_ptr_eq(world.gate, &gates[1]);
	close_stage(&stage);
	connect_unix(&stage); /* whose path is not known any more */
	open_on(&stage);
	stage.child.gate = NULL;
	ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_SHORTAGE);
	expect_end(&stage);
	close_stage(&stage);
}
END_TEST

/* A worker that cannot be born is not the fault of tcpmux. */
START_TEST(mux_unborn)
{
	struct stage stage;

	init();
	for (int i = 0; i < 2; i++) {
		world.blames_group = i;
		world.unborn = EAGAIN;
		open_stage(&stage);
		ck_assert_int_eq(ask_for(&stage, MARKED), REFUSAL_NONE);
		say(&stage, OFFER_HAND, id_of(MARKED));
		let_hear(&stage);
		expect_end(&stage);
		close_stage(&stage);
		ck_assert_uint_eq(world.group_paused, (unsigned)i);
	}
}
END_TEST

SUITE("mux", mux_hands_over, mux_reset, mux_refuses, mux_not_marked, mux_order, mux_once,
      mux_nonsense, mux_at_random, mux_takes_no_descriptors, mux_paused, mux_drains, mux_last_word,
      mux_ends, mux_of_other_roles, mux_fills, mux_adopts, mux_other_gate, mux_unborn)
