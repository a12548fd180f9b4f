/* SPDX-License-Identifier: ISC */
/* status: what one master knows reaches the next one, by JSON and back, whole. */
#include "config.h"

#include "report/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "admit/source.h"
#include "base/memfd.h"
#include "plan/handover.h"
#include "good.h"
#include "suite.h"

/* A plan, in memory of its own. */

static _Alignas(8) char memory[1 << 16];
static uint32_t used;

static uint32_t put(const void *bytes, size_t size)
{
	uint32_t at = used;

	ck_assert_uint_le(used + size, sizeof(memory));
	memcpy(memory + used, bytes, size);
	used += ((uint32_t)size + 7) & ~7U;
	return at;
}

static uint32_t text(const char *bytes)
{
	return bytes ? put(bytes, strlen(bytes) + 1) : 0;
}

static struct plan *plan_begin(void)
{
	memset(memory, 0, sizeof(memory));
	used = sizeof(struct plan);
	return (struct plan *)memory;
}

/* Every byte but NUL. */
static const char *all_bytes(void)
{
	static char bytes[256];

	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	return bytes;
}

static const struct plan *old_plan(void)
{
	static const int cages[] = { 111, 109, 110 };
	struct plan *plan = plan_begin();
	const struct plan_service services[] = {
		{ .name = text("daytime"), .kill_grace_ms = 5000 },
		{ .name = text("command"), .kill_grace_ms = 7000 },
	};
	const struct plan_listener listeners[] = {
		{ .fd = 80,
		  .sources_fd = 82,
		  .service = 0,
		  .asked = text("tcp:127.0.0.1:0"),
		  .address = text("tcp:127.0.0.1:4711"),
		  .internet = true,
		  .backlog = 4096,
		  .socket_uid = (uid_t)-1,
		  .socket_gid = (gid_t)-1,
		  .socket_mode = (mode_t)-1 },
		{ .fd = 81,
		  .sources_fd = -1,
		  .service = 1,
		  .asked = text("unix:/a"),
		  .address = text("unix:/a"),
		  .path = text(all_bytes()),
		  .device = (dev_t)UINT64_MAX,
		  .inode = (ino_t)INT64_MAX + 1,
		  .backlog = 17,
		  .socket_uid = 0,
		  .socket_gid = UINT32_MAX - 1,
		  .socket_mode = 0 },
		{ .fd = -1,
		  .kind = PLAN_FIFO,
		  .sources_fd = -1,
		  .service = 0,
		  .asked = text("fifo:/f"),
		  .address = text("fifo:/f"),
		  .path = text("/f"),
		  .socket_uid = 1000,
		  .socket_gid = (gid_t)-1,
		  .socket_mode = 0640 },
	};

	plan->services = put(services, sizeof(services));
	plan->nservices = 2;
	plan->listeners = put(listeners, sizeof(listeners));
	plan->nlisteners = 3;
	plan->fds = put(cages, sizeof(cages));
	plan->nfds = 3;
	plan->global = (struct plan_global){
		.pid_fd = 64,
		.begatd_fd = 65,
		.master_fd = 66,
		.effective_fd = 67,
		.detached = true,
		.has_terminal = true,
		.pid_path = text("/run/\xfc.pid"),
		.config_path = text("/etc/begat\n.conf"),
		.begatd_path = text("/usr/sbin/begatd"),
		.nofile_soft = 1024,
		.nofile_hard = UINT64_MAX,
	};
	return plan;
}

static const uint64_t old_refused[REFUSALS] = { 0,  11, 12,	    13, 14, 15, 16, 17, 18,
						19, 20, UINT64_MAX, 31, 32, 33, 34, 35 };

static void fill_services(struct state *state)
{
	struct state_service *services = state_services(state);

	services[0] = (struct state_service){
		.name = state_put_text(state, "daytime"),
		.kill_grace_ms = 5000,
		.stats = { .begat = 21, .served = 22, .ended = { 1, 2, 3, 4, 5, 6, 7 } },
		.bad = 7,
		.pause_s = 60,
		.pause_due_ns = INT64_MAX,
		.rate_ns = INT64_MAX,
		.throttled_why = state_put_text(state, "step exec: \"\xe9\""),
		.stderr_reader = 90,
		.stderr_writer = 91,
	};
	memcpy(services[0].stats.refused, old_refused, sizeof(old_refused));
	services[1] = (struct state_service){
		.name = state_put_text(state, "command"),
		.plan = 1,
		.kill_grace_ms = 7000,
		.stats = { .begat = INT64_MAX,
			   .served = INT64_MAX,
			   .ended = { [RESULT_OK] = UINT64_MAX },
			   .refused = { [REFUSAL_BANNED] = 1 } },
		.bad = 1,
		.stderr_reader = -1,
		.stderr_writer = -1,
	};
	services[2] = (struct state_service){
		.name = state_put_text(state, "gone"),
		.plan = -1,
		.kill_grace_ms = 0,
		.stats.begat = 2,
		.stderr_reader = 92,
		.stderr_writer = 93,
	};
}

#define CHILDREN 11

static void fill_children(struct state *state)
{
	static const struct state_child children[] = {
		{ .pid = 2000,
		  .service = 0,
		  .place = 4194303,
		  .started_ns = 1,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = -1,
		  .offered_fd = -1,
		  .listener = -1,
		  .peer = "192.0.2.1:7" },
		{ .pid = 2001,
		  .service = 2,
		  .place = 0,
		  .started_ns = 2,
		  .due_ns = 3,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = -1,
		  .offered_fd = -1,
		  .listener = -1 },
		{ .pid = 4194303,
		  .service = 2,
		  .place = 1,
		  .started_ns = INT64_MAX,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = -1,
		  .offered_fd = -1,
		  .listener = -1,
		  .ending = 2,
		  .timed_out = true,
		  .client_gone = true,
		  .peer = "\x01\x7f\x80\xff\"\\" },
		{ .pid = 2003,
		  .service = 0,
		  .place = 2,
		  .source = 0,
		  .talk_fd = -1,
		  .offered_fd = -1,
		  .listener = 2 },
		{ .pid = 2004,
		  .service = 0,
		  .place = 3,
		  .source = STATE_NO_SOURCE - 1,
		  .talk_fd = -1,
		  .offered_fd = -1,
		  .listener = -1,
		  .client_gone = true },
		{ .pid = 2005,
		  .service = 1,
		  .place = 4,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = 94,
		  .offered_fd = -1,
		  .listener = -1 },
		{ .pid = 2006,
		  .service = 1,
		  .place = 5,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = -1,
		  .offered_fd = -1,
		  .listener = -1,
		  .refused = REFUSAL_SHORTAGE },
		{ .pid = 2007,
		  .service = 0,
		  .place = 6,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = 95,
		  .offered_fd = -1,
		  .role = 2,
		  .listener = 0,
		  .served = INT64_MAX,
		  .denied = INT64_MAX - 1,
		  .peer = "udp:13" },
		{ .pid = 2008,
		  .service = 1,
		  .place = 7,
		  .source = 17,
		  .talk_fd = 96,
		  .offered_fd = 97,
		  .role = 1,
		  .listener = 1 },
		{ .pid = 2009,
		  .service = 0,
		  .place = 8,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = 98,
		  .offered_fd = -1,
		  .role = 3,
		  .listener = 2 },
		{ .pid = 2010,
		  .service = 2,
		  .place = 9,
		  .source = STATE_NO_SOURCE,
		  .talk_fd = 99,
		  .offered_fd = -1,
		  .role = 2,
		  .listener = -1,
		  .served = 1 },
	};

	_Static_assert(sizeof(children) == CHILDREN * sizeof(*children), "CHILDREN is wrong");
	memcpy(state_children(state), children, sizeof(children));
}

static const struct state *old_state(void)
{
	const struct state_room room = {
		.services = 3, .children = CHILDREN, .received = 2, .text = 256
	};
	int fd;
	struct state *state = state_new(&room, &fd);

	ck_assert_ptr_nonnull(state);
	state->generation = 41;
	state->reload_again = true;
	state->begatd_gone = true;
	state->started_ns = 123456789;
	state->started_s = 1700000000;
	state->log_dropped = INT64_MAX;
	state->reloads = (struct reload_stats){ 40, INT64_MAX, 1700000001 };
	state->last_failure = state_put_text(state, "begat.conf:3: \t\"what\xe9\"?");
	state->plan_fd = 68;
	state->state_fd = 69;
	state->reports_fd = 70;
	state->sources_fd = 71;
	fill_services(state);
	fill_children(state);
	state_received(state)[0] = 101;
	state_received(state)[1] = 100;
	return state;
}

static int save(const struct plan *plan, const struct state *state)
{
	int fd = memfd_create("test", 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(status_write(plan, state, STATUS_FOR_RELOAD, fd), 0);
	return fd;
}

static struct handover *read_old(void)
{
	return read_good(save(old_plan(), old_state()));
}

/* Nothing that a master knows is lost on the way, whatever bytes are in it. */
START_TEST(head_goes_round)
{
	struct handover *handover = read_old();

	ck_assert_int_eq(handover->pid, getppid());
	ck_assert_uint_eq(handover->generation, 41);
	ck_assert_str_eq(handover->config_path, "/etc/begat\n.conf");
	ck_assert_str_eq(handover->pid_path, "/run/\xfc.pid");
	ck_assert_int_eq(handover->pid_fd, 64);
	ck_assert_str_eq(handover->begatd_path, "/usr/sbin/begatd");
	ck_assert(handover->begatd_gone);
	ck_assert_int_eq(handover->begatd_fd, 65);
	ck_assert_int_eq(handover->master_fd, 66);
	ck_assert_int_eq(handover->effective_fd, 67);
	ck_assert_int_eq(handover->plan_fd, 68);
	ck_assert_int_eq(handover->state_fd, 69);
	ck_assert_int_eq(handover->reports_fd, 70);
	ck_assert_int_eq(handover->sources_fd, 71);
	ck_assert(handover->detached && handover->has_terminal);
	ck_assert_uint_eq(handover->nofile_soft, 1024);
	ck_assert_uint_eq(handover->nofile_hard, UINT64_MAX);
	ck_assert_uint_eq(handover->log_dropped, INT64_MAX);
	ck_assert_int_eq(handover->started_ns, 123456789);
	ck_assert_int_eq(handover->started_s, 1700000000);
	ck_assert_uint_eq(handover->reloads.succeeded, 40);
	ck_assert_uint_eq(handover->reloads.failed, INT64_MAX);
	ck_assert_int_eq(handover->reloads.last_s, 1700000001);
	ck_assert_str_eq(handover->last_failure, "begat.conf:3: \t\"what\xe9\"?");
	ck_assert(handover->reload_again);
	ck_assert_uint_eq(handover->nreceived, 2);
	ck_assert_int_eq(handover->received[0], 101);
	ck_assert_int_eq(handover->received[1], 100);
	ck_assert_uint_eq(handover->ncages, 3);
	ck_assert_int_eq(handover->cages[0], 111);
	ck_assert_int_eq(handover->cages[1], 109);
	ck_assert_int_eq(handover->cages[2], 110);
	handover_free(handover);
}
END_TEST

START_TEST(listeners_go_round)
{
	struct handover *handover = read_old();
	const struct handover_listener *listener = handover->listeners;

	ck_assert_uint_eq(handover->nlisteners, 3);
	ck_assert_str_eq(listener[0].asked, "tcp:127.0.0.1:0");
	ck_assert_str_eq(listener[0].address, "tcp:127.0.0.1:4711");
	ck_assert_ptr_null(listener[0].path);
	ck_assert_int_eq(listener[0].fd, 80);
	ck_assert_int_eq(listener[0].sources_fd, 82);
	ck_assert_int_eq(listener[0].backlog, 4096);
	ck_assert_uint_eq(listener[0].uid, (uid_t)-1);
	ck_assert_uint_eq(listener[0].gid, (gid_t)-1);
	ck_assert_uint_eq(listener[0].mode, (mode_t)-1);
	ck_assert_str_eq(listener[1].path, all_bytes());
	ck_assert_int_eq(listener[1].fd, 81);
	ck_assert_int_eq(listener[1].sources_fd, -1);
	ck_assert_int_eq(listener[1].backlog, 17);
	ck_assert_uint_eq(listener[1].uid, 0);
	ck_assert_uint_eq(listener[1].gid, UINT32_MAX - 1);
	ck_assert_uint_eq(listener[1].mode, 0);
	ck_assert_uint_eq(listener[1].device, UINT64_MAX);
	ck_assert_uint_eq(listener[1].inode, (uint64_t)INT64_MAX + 1);
	ck_assert_str_eq(listener[2].asked, "fifo:/f");
	ck_assert_str_eq(listener[2].path, "/f");
	ck_assert_int_eq(listener[2].fd, -1);
	ck_assert_int_eq(listener[2].sources_fd, -1);
	ck_assert_uint_eq(listener[2].uid, 1000);
	ck_assert_uint_eq(listener[2].gid, (gid_t)-1);
	ck_assert_uint_eq(listener[2].mode, 0640);
	handover_free(handover);
}
END_TEST

START_TEST(services_go_round)
{
	struct handover *handover = read_old();
	const struct handover_service *service = handover->services;
	const uint64_t ended[RESULTS] = { 1, 2, 3, 4, 5, 6, 7 };

	ck_assert_uint_eq(handover->nservices, 3);
	ck_assert_str_eq(service[0].name, "daytime");
	ck_assert_int_eq(service[0].state.kill_grace_ms, 5000);
	ck_assert_uint_eq(service[0].state.stats.begat, 21);
	ck_assert_uint_eq(service[0].state.stats.served, 22);
	ck_assert_mem_eq(service[0].state.stats.ended, ended, sizeof(ended));
	ck_assert_mem_eq(service[0].state.stats.refused, old_refused, sizeof(old_refused));
	ck_assert_int_eq(service[0].state.rate_ns, INT64_MAX);
	ck_assert_str_eq(service[0].throttled_why, "step exec: \"\xe9\"");
	ck_assert_uint_eq(service[0].state.bad, 7);
	ck_assert_uint_eq(service[0].state.pause_s, 60);
	ck_assert_int_eq(service[0].state.pause_due_ns, INT64_MAX);
	ck_assert_int_eq(service[0].state.stderr_reader, 90);
	ck_assert_int_eq(service[0].state.stderr_writer, 91);
	ck_assert_str_eq(service[1].name, "command");
	ck_assert_uint_eq(service[1].state.stats.begat, INT64_MAX);
	ck_assert_uint_eq(service[1].state.stats.served, INT64_MAX);
	ck_assert_uint_eq(service[1].state.stats.ended[RESULT_OK], UINT64_MAX);
	ck_assert_uint_eq(service[1].state.stats.ended[RESULT_TIMED_OUT], 0);
	ck_assert_uint_eq(service[1].state.stats.refused[REFUSAL_BANNED], 1);
	ck_assert_uint_eq(service[1].state.stats.refused[REFUSAL_ACCESS], 0);
	ck_assert_int_eq(service[1].state.rate_ns, 0);
	ck_assert_ptr_null(service[1].throttled_why);
	ck_assert_uint_eq(service[1].state.bad, 1);
	ck_assert_uint_eq(service[1].state.pause_s, 0);
	ck_assert_int_eq(service[1].state.stderr_reader, -1);
	ck_assert_int_eq(service[1].state.stderr_writer, -1);
	ck_assert_str_eq(service[2].name, "gone");
	ck_assert_uint_eq(service[2].state.stats.served, 0);
	handover_free(handover);
}
END_TEST

START_TEST(children_go_round)
{
	const struct state *state = old_state();
	struct handover *handover = read_good(save(old_plan(), state));

	ck_assert_uint_eq(handover->nchildren, CHILDREN);
	for (int i = 0; i < CHILDREN; i++) {
		const struct state_child *before = &state_children(state)[i];
		const struct state_child *after = &handover->children[i];

		ck_assert_int_eq(after->pid, before->pid);
		ck_assert_uint_eq(after->service, before->service);
		ck_assert_uint_eq(after->place, before->place);
		ck_assert_int_eq(after->ending, before->ending);
		ck_assert_int_eq(after->started_ns, before->started_ns);
		ck_assert_int_eq(after->due_ns, before->due_ns);
		ck_assert_int_eq(after->timed_out, before->timed_out);
		ck_assert_int_eq(after->client_gone, before->client_gone);
		ck_assert_uint_eq(after->source, before->source);
		ck_assert_int_eq(after->talk_fd, before->talk_fd);
		ck_assert_int_eq(after->refused, before->refused);
		ck_assert_int_eq(after->role, before->role);
		ck_assert_int_eq(after->listener, before->listener);
		ck_assert_int_eq(after->offered_fd, before->offered_fd);
		ck_assert_uint_eq(after->served, before->served);
		ck_assert_uint_eq(after->denied, before->denied);
		ck_assert_str_eq(after->peer, before->peer);
	}
	handover_free(handover);
}
END_TEST

static bool is_daytime(const char *service, const void *context)
{
	ck_assert_str_eq(context, "context");
	return strcmp(service, "daytime") == 0;
}

/* The command comes first and has another address; "gone" only has its workers. */
static const struct plan *new_plan(int command_fd)
{
	struct plan *plan = plan_begin();
	const struct plan_service services[] = {
		{ .name = text("command"), .kill_grace_ms = 7001 },
		{ .name = text("new"), .kill_grace_ms = 1 },
		{ .name = text("daytime"), .kill_grace_ms = 5001 },
	};
	const struct plan_listener listeners[] = {
		{ .fd = -1,
		  .kind = PLAN_FIFO,
		  .sources_fd = -1,
		  .service = 2,
		  .asked = text("fifo:/f"),
		  .path = text("/f") },
		{ .fd = command_fd,
		  .sources_fd = -1,
		  .service = 0,
		  .asked = text("unix:/b"),
		  .path = text("/b") },
		{ .fd = 80, .sources_fd = 82, .service = 2, .asked = text("tcp:127.0.0.1:0") },
	};

	plan->services = put(services, sizeof(services));
	plan->nservices = 3;
	plan->listeners = put(listeners, sizeof(listeners));
	plan->nlisteners = 3;
	plan->global.begatd_fd = 102;
	plan->global.effective_fd = 103;
	return plan;
}

static const struct state *make_state(const struct handover *handover, const struct plan *plan)
{
	const struct state_summary summary = { 1, 2, 3, 4 };
	int fd = handover_make_state(handover, plan, &summary, is_daytime, "context");
	const struct state *state = state_map(fd);

	ck_assert_int_ge(fd, 64);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_msg(state != NULL, "%s", strerror(errno));
	return state;
}

START_TEST(next_master_gets_the_head)
{
	const time_t before = time(NULL);
	struct handover *handover = read_old();
	const struct state *state = make_state(handover, new_plan(100));

	ck_assert_uint_eq(state->generation, 42);
	ck_assert(state->reload_again);
	ck_assert_uint_eq(state->summary.kept, 1);
	ck_assert_uint_eq(state->summary.added, 2);
	ck_assert_uint_eq(state->summary.changed, 3);
	ck_assert_uint_eq(state->summary.removed, 4);
	ck_assert_int_eq(state->started_ns, 123456789);
	ck_assert_int_eq(state->started_s, 1700000000);
	ck_assert_uint_eq(state->log_dropped, INT64_MAX);
	ck_assert_uint_eq(state->reloads.succeeded, 41);
	ck_assert_uint_eq(state->reloads.failed, INT64_MAX);
	ck_assert_int_ge(state->reloads.last_s, before);
	ck_assert_int_le(state->reloads.last_s, time(NULL));
	ck_assert_str_eq(state_text(state, state->last_failure), "begat.conf:3: \t\"what\xe9\"?");
	ck_assert_int_eq(state->reports_fd, 70);
	ck_assert_int_eq(state->sources_fd, 71);
	ck_assert_int_eq(state->back.master_fd, 66);
	ck_assert_int_eq(state->back.plan_fd, 68);
	ck_assert_int_eq(state->back.state_fd, 69);
	ck_assert_int_eq(state->back.begatd_fd, 65);
	ck_assert_int_eq(state->back.effective_fd, 67);
	handover_free(handover);
}
END_TEST

/* A binary whose path is gone is the old one, and must not be closed with it. */
START_TEST(next_master_keeps_what_its_plan_keeps)
{
	struct handover *handover = read_old();
	struct plan *plan = (struct plan *)(uintptr_t)new_plan(100);
	const struct state *state;

	plan->global.begatd_fd = 65;
	plan->global.effective_fd = 67;
	state = make_state(handover, plan);
	ck_assert_int_eq(state->back.begatd_fd, -1);
	ck_assert_int_eq(state->back.effective_fd, -1);
	handover_free(handover);
}
END_TEST

/* Counters go on by name, whatever the order; a throttle only for what has not changed. */
START_TEST(next_master_gets_the_services)
{
	struct handover *handover = read_old();
	const struct state *state = make_state(handover, new_plan(100));
	const struct state_service *service = state_services(state);

	ck_assert_uint_eq(state->nservices, 4);
	ck_assert_str_eq(state_text(state, service[0].name), "command");
	ck_assert_int_eq(service[0].plan, 0);
	ck_assert_int_eq(service[0].kill_grace_ms, 7001);
	ck_assert_uint_eq(service[0].stats.begat, INT64_MAX);
	ck_assert_uint_eq(service[0].stats.served, INT64_MAX);
	ck_assert_uint_eq(service[0].stats.refused[REFUSAL_BANNED], 1);
	ck_assert_uint_eq(service[0].bad, 0);
	ck_assert_int_eq(service[0].stderr_reader, -1);
	ck_assert_str_eq(state_text(state, service[1].name), "new");
	ck_assert_int_eq(service[1].plan, 1);
	ck_assert_uint_eq(service[1].stats.begat, 0);
	ck_assert_int_eq(service[1].stderr_writer, -1);
	ck_assert_str_eq(state_text(state, service[2].name), "daytime");
	ck_assert_int_eq(service[2].plan, 2);
	ck_assert_int_eq(service[2].kill_grace_ms, 5001);
	ck_assert_uint_eq(service[2].stats.ended[RESULT_STEP], 5);
	ck_assert_uint_eq(service[2].bad, 7);
	ck_assert_uint_eq(service[2].pause_s, 60);
	ck_assert_int_eq(service[2].pause_due_ns, INT64_MAX);
	ck_assert_str_eq(state_text(state, service[2].throttled_why), "step exec: \"\xe9\"");
	ck_assert_int_eq(service[2].rate_ns, INT64_MAX);
	ck_assert_mem_eq(service[2].stats.refused, old_refused, sizeof(old_refused));
	ck_assert_int_eq(service[2].stderr_reader, 90);
	ck_assert_int_eq(service[2].stderr_writer, 91);
	ck_assert_str_eq(state_text(state, service[3].name), "gone");
	ck_assert_int_eq(service[3].plan, -1);
	ck_assert_int_eq(service[3].kill_grace_ms, 0);
	ck_assert_uint_eq(service[3].stats.begat, 2);
	ck_assert_int_eq(service[3].stderr_writer, 93);
	handover_free(handover);
}
END_TEST

START_TEST(next_master_gets_the_children)
{
	struct handover *handover = read_old();
	const struct state *state = make_state(handover, new_plan(100));
	const struct state_child *child = state_children(state);

	ck_assert_uint_eq(state->nchildren, CHILDREN);
	ck_assert_int_eq(child[0].pid, 2000);
	ck_assert_uint_eq(child[0].service, 2);
	ck_assert_uint_eq(child[0].place, 4194303);
	ck_assert_str_eq(child[0].peer, "192.0.2.1:7");
	ck_assert_uint_eq(child[1].service, 3);
	ck_assert_int_eq(child[1].due_ns, 3);
	ck_assert_uint_eq(child[2].service, 3);
	ck_assert_int_eq(child[2].ending, 2);
	ck_assert(child[2].timed_out && child[2].client_gone);
	ck_assert_uint_eq(child[2].source, STATE_NO_SOURCE);
	ck_assert_uint_eq(child[3].source, 0);
	ck_assert_int_eq(child[5].talk_fd, 94);
	ck_assert_int_eq(child[6].refused, REFUSAL_SHORTAGE);
	handover_free(handover);
}
END_TEST

/* Standing workers, too, go on, at the listener that they have: it has another place by then, or
 * there is none of it any more. */
START_TEST(next_master_gets_the_standing_workers)
{
	struct handover *handover = read_old();
	const struct state *state = make_state(handover, new_plan(100));
	const struct state_child *child = state_children(state);

	ck_assert_int_eq(child[3].role, 0);
	ck_assert_int_eq(child[3].listener, 0); /* one of a FIFO's readers */
	ck_assert_int_eq(child[6].role, 0);
	ck_assert_int_eq(child[6].listener, -1);
	ck_assert_int_eq(child[7].role, 2);
	ck_assert_int_eq(child[7].listener, 2);
	ck_assert_int_eq(child[7].talk_fd, 95);
	ck_assert_int_eq(child[7].offered_fd, -1);
	ck_assert_uint_eq(child[7].served, INT64_MAX);
	ck_assert_uint_eq(child[7].denied, INT64_MAX - 1);
	ck_assert_int_eq(child[8].role, 1);
	ck_assert_int_eq(child[8].listener, -1);
	ck_assert_int_eq(child[8].offered_fd, 97);
	ck_assert_int_eq(child[9].role, 3);
	ck_assert_int_eq(child[9].listener, 0);
	ck_assert_int_eq(child[10].role, 2);
	ck_assert_int_eq(child[10].listener, -1);
	state = make_state(handover, new_plan(81));
	ck_assert_int_eq(state_children(state)[8].listener, 1);
	handover_free(handover);
}
END_TEST

START_TEST(next_master_drops_listeners)
{
	struct handover *handover = read_old();
	const struct state *state = make_state(handover, new_plan(100));
	const struct state_dropped *dropped = state_dropped(state);

	ck_assert_uint_eq(state->ndropped, 1);
	ck_assert_int_eq(dropped->fd, 81);
	ck_assert_str_eq(state_text(state, dropped->address), "unix:/a");
	ck_assert_str_eq(state_text(state, dropped->path), all_bytes());
	ck_assert_uint_eq(dropped->device, UINT64_MAX);
	ck_assert_uint_eq(dropped->inode, (uint64_t)INT64_MAX + 1);
	state = make_state(handover, new_plan(81)); /* the same socket, in another service */
	ck_assert_uint_eq(state->ndropped, 0);
	handover_free(handover);
}
END_TEST

/* What the cages of the plan before were made of: the old master needs it until the new one stands,
 * and nobody does after that. */
START_TEST(next_master_gets_the_spent)
{
	struct handover *handover = read_old();
	const struct state *state = make_state(handover, new_plan(100));

	ck_assert_uint_eq(state->nspent, 3);
	ck_assert_int_eq(state_spent(state)[0], 111);
	ck_assert_int_eq(state_spent(state)[1], 109);
	ck_assert_int_eq(state_spent(state)[2], 110);
	handover->ncages = 0;
	state = make_state(handover, new_plan(100));
	ck_assert_uint_eq(state->nspent, 0);
	handover_free(handover);
}
END_TEST

/* The pipe to the log is not closed as long as the old master may come back, which reads from it;
 * without it, and without workers, a service that is gone is gone. */
START_TEST(next_master_forgets_services)
{
	struct handover *handover = read_old();
	const struct state *state;

	handover->nchildren = 1;
	state = make_state(handover, new_plan(100));
	ck_assert_uint_eq(state->nservices, 4);
	ck_assert_uint_eq(state->nchildren, 1);
	ck_assert_int_eq(state_services(state)[3].stderr_reader, 92);
	handover->services[2].state.stderr_reader = -1;
	state = make_state(handover, new_plan(100));
	ck_assert_uint_eq(state->nservices, 3);
	handover_free(handover);
}
END_TEST

/* More than the buffer's first size, and than any fixed table. */
START_TEST(many_go_round)
{
	const struct state_room room = { .services = 1, .children = 20000, .text = 64 };
	struct handover *handover;
	struct plan *plan = (struct plan *)(uintptr_t)old_plan();
	int fd;
	struct state *state = state_new(&room, &fd);

	state->plan_fd = 68;
	state->state_fd = 69;
	state->reports_fd = 70;
	state_services(state)[0].name = state_put_text(state, "only");
	for (int i = 0; i < 20000; i++)
		state_children(state)[i] = (struct state_child){ .pid = 400000 + i,
								 .place = (uint32_t)i,
								 .source = STATE_NO_SOURCE,
								 .talk_fd = -1,
								 .offered_fd = -1,
								 .listener = -1,
								 .peer = "198.51.100.250:65535" };
	handover = read_good(save(plan, state));
	ck_assert_uint_eq(handover->nchildren, 20000);
	ck_assert_int_eq(handover->children[19999].pid, 419999);
	ck_assert_str_eq(handover->children[19999].peer, "198.51.100.250:65535");
	handover_free(handover);
}
END_TEST

/* Which are there in every document, so that the next master need not guess. */
START_TEST(descriptors_of_cages_are_written)
{
	struct plan *plan = (struct plan *)(uintptr_t)old_plan();
	char bytes[8192] = "";
	int fd = save(plan, old_state());

	ck_assert_int_gt(pread(fd, bytes, sizeof(bytes) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(bytes, "\"cages\":[111,109,110]"));
	ck_assert_int_eq(close(fd), 0);
	plan->fds = plan->nfds = 0;
	fd = save(plan, old_state());
	memset(bytes, 0, sizeof(bytes));
	ck_assert_int_gt(pread(fd, bytes, sizeof(bytes) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(bytes, "\"cages\":[]"));
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

#define LOCAL_TABLE 16

static void ban(uint64_t service, const char *prefix)
{
	struct source_key key;

	ck_assert_int_eq(source_parse(prefix, &key), 0);
	key.service = service;
	source_add(&key)->banned_until_ns = INT64_MAX;
}

/* The table of a listener, as its standing worker leaves it. */
static int make_table(void)
{
	int fd = memfd_open("test");

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sources_prepare(fd, LOCAL_TABLE), 0);
	ck_assert_int_eq(sources_attach(fd), 0);
	return fd;
}

static const char *tell_people(const struct plan *plan, const struct state *state)
{
	static char bytes[16384];
	int fd = memfd_create("test", 0);

	memset(bytes, 0, sizeof(bytes));
	ck_assert_int_eq(status_write(plan, state, STATUS_FOR_PEOPLE, fd), 0);
	ck_assert_int_gt(pread(fd, bytes, sizeof(bytes) - 1, 0), 0);
	ck_assert_int_eq(close(fd), 0);
	return bytes;
}

static void expect_in(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "%s is not in %s", part, text);
}

/* Who is banned by a standing worker is banned as much as any other, and asked for in one place. */
START_TEST(bans_of_all_tables_are_told)
{
	struct plan *plan = (struct plan *)(uintptr_t)old_plan();
	struct plan_listener *listeners = (struct plan_listener *)(uintptr_t)plan_listener(plan, 0);
	struct plan_service *services = (struct plan_service *)(uintptr_t)plan_service(plan, 0);
	struct state *state = (struct state *)(uintptr_t)old_state();
	const char *told;

	services[0].id = 1;
	services[1].id = 2;
	listeners[0].sources_fd = make_table();
	ban(1, "192.0.2.1");
	listeners[1].sources_fd = make_table(); /* of which nothing is used */
	listeners[2].sources_fd = make_table();
	ban(2, "2001:db8::/64");
	ban(1, "192.0.2.2");
	ck_assert_int_eq(sources_init(64, -1, plan), 0);
	ban(2, "192.0.2.3");
	state->sources_fd = sources_fd();
	told = tell_people(plan, state);
	expect_in(told, "\"sources\":{\"used\":1,\"capacity\":64,\"standing\":3}");
	expect_in(told, "{\"service\":\"command\",\"source\":\"192.0.2.3\"");
	expect_in(told, "{\"service\":\"daytime\",\"source\":\"192.0.2.1\"");
	expect_in(told, "{\"service\":\"command\",\"source\":\"2001:db8::/64\"");
	expect_in(told, "{\"service\":\"daytime\",\"source\":\"192.0.2.2\"");
}
END_TEST

/* Whoever waits for a FIFO's readers serves none of them, and takes nobody's place. */
START_TEST(keepers_are_no_instances)
{
	const char *told = tell_people(old_plan(), old_state());
	const char *first = strstr(told, "\"services\":");

	ck_assert_ptr_nonnull(first);
	first = strstr(first, "\"active\":");
	ck_assert_ptr_nonnull(first);
	ck_assert_int_eq(strncmp(first, "\"active\":4,", 11), 0); /* of five */
}
END_TEST

/* People are told who can be reached by tcpmux, and nobody needs to read that of all others. */
START_TEST(multiplexed_services_are_told)
{
	struct plan *plan = (struct plan *)(uintptr_t)old_plan();
	struct plan_service *command = (struct plan_service *)(uintptr_t)plan_service(plan, 1);
	const char *told = tell_people(plan, old_state());

	ck_assert_ptr_null(strstr(told, "\"multiplexed\""));
	command->multiplexed = true;
	told = strstr(tell_people(plan, old_state()), "\"name\":\"command\"");
	ck_assert_ptr_nonnull(told);
	told = strstr(told, "\"multiplexed\":true");
	ck_assert_ptr_nonnull(told);
	ck_assert_ptr_null(strstr(told + 1, "\"multiplexed\""));
}
END_TEST

/* One that nobody has made yet, or has spoiled, is no reason to tell nothing. */
START_TEST(a_table_that_is_none_has_no_bans)
{
	struct plan *plan = (struct plan *)(uintptr_t)old_plan();
	struct plan_listener *listeners = (struct plan_listener *)(uintptr_t)plan_listener(plan, 0);
	struct state *state = (struct state *)(uintptr_t)old_state();
	const uint32_t layout = 4711;
	const char *told;

	listeners[0].sources_fd = memfd_open("test");
	listeners[1].sources_fd = make_table();
	ck_assert_int_eq(pwrite(listeners[1].sources_fd, &layout, sizeof(layout), 8), 4);
	listeners[2].sources_fd = make_table();
	ban(1, "192.0.2.1");
	state->sources_fd = -1;
	told = tell_people(plan, state);
	expect_in(told, "\"sources\":{\"used\":0,\"capacity\":0,\"standing\":1}");
	expect_in(told, "\"bans\":[\n{\"service\":\"\",\"source\":\"192.0.2.1\"");
}
END_TEST

/* A number that means "no limit" would be one to everybody else who reads it. */
START_TEST(unlimited_is_null)
{
	int fd = save(old_plan(), old_state());
	char bytes[8192] = "";

	ck_assert_int_gt(pread(fd, bytes, sizeof(bytes) - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(bytes, "\"nofile\":{\"soft\":1024,\"hard\":null}"));
	close(fd);
}
END_TEST

/* A full disk, or a reader that has gone, is told. */
START_TEST(failing_write_is_told)
{
	int fd = open("/dev/full", O_WRONLY);

	ck_assert_int_eq(status_write(old_plan(), old_state(), STATUS_FOR_RELOAD, fd), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(status_write(old_plan(), old_state(), STATUS_FOR_RELOAD, -1), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

SUITE("status", head_goes_round, listeners_go_round, services_go_round, children_go_round,
      next_master_gets_the_head, next_master_keeps_what_its_plan_keeps,
      next_master_gets_the_services, next_master_gets_the_children,
      next_master_gets_the_standing_workers, next_master_drops_listeners,
      next_master_gets_the_spent, next_master_forgets_services, many_go_round,
      descriptors_of_cages_are_written, bans_of_all_tables_are_told,
      a_table_that_is_none_has_no_bans, keepers_are_no_instances, multiplexed_services_are_told,
      unlimited_is_null, failing_write_is_told)
