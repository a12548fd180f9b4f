/* SPDX-License-Identifier: ISC */
/*
 * A listener at run time: where connections come in.
 *
 * The gate is readable, a connection is accepted, arrival.c sees to it.  Whatever speaks against
 * that from the start closes the gate: then it is not polled, nothing spins, and clients wait in
 * the kernel's queue.  Shortage of descriptors, memory or processes is everybody's: one timer opens
 * all gates that it has closed, at first after a tenth of a second, and never later than 0.8 s.
 * What may be the fault of a service's own control group closes the gates of that one alone.
 */
#include "config.h"

#include "master/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "admit/connection.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "master/arrival.h"
#include "master/cgroup.h"
#include "master/fifo.h"
#include "master/introduction.h"
#include "master/mux.h"
#include "master/serving.h"
#include "master/standing.h"
#include "report/log.h"
#include "worker/spawn.h"

#define ACCEPTS_AT_ONCE 16 /* a turn; other listeners come after that */
#define FUTILE_MAX	16 /* tries in a row without a client, before a pause */
#define SHORT_FIRST_MS	100
#define SHORT_LAST_MS	800
#define SETTLE_FIRST_MS 1
#define SETTLE_LAST_MS	100

static struct {
	const struct plan *plan;
	struct gate *all;
	size_t count;
	struct limit limit;
	SLIST_HEAD(, gate) starved;
	struct timer shortage, settle;
	int shortage_ms, settle_ms; /* the next delays */
	struct log_limit shortage_log, spawn_log, broken_log;
	int reserve_fd; /* given up to answer one client when there are no descriptors left */
} gates;

struct limit *gates_limit(void)
{
	return &gates.limit;
}

void gate_close(struct gate *gate, enum gate_reason reason)
{
	if (gate->closed == 0)
		loop_del(&gate->watch);
	gate->closed |= reason;
}

/* A gate that the kernel has no memory to poll stays closed for shortage. */
void gate_open(struct gate *gate, enum gate_reason reason)
{
	if (gate->closed == 0)
		return;
	gate->closed &= ~(unsigned)reason;
	if (gate->closed || loop_add(&gate->watch) == 0)
		return;
	gate->closed = GATE_SHORT;
	if (!gates.shortage.running)
		timer_start(&gates.shortage, SHORT_LAST_MS);
}

static void close_all(enum gate_reason reason)
{
	for (size_t i = 0; i < gates.count; i++)
		gate_close(&gates.all[i], reason);
}

static void open_all(enum gate_reason reason)
{
	for (size_t i = 0; i < gates.count; i++)
		gate_open(&gates.all[i], reason);
}

/* Only a gate that has a client is closed, so that a full daemon costs nothing for the others. */
static void starve(struct gate *gate)
{
	gate_close(gate, GATE_STARVED);
	SLIST_INSERT_HEAD(&gates.starved, gate, starved);
}

void gates_feed(void)
{
	struct gate *gate;

	while ((gate = SLIST_FIRST(&gates.starved))) {
		SLIST_REMOVE_HEAD(&gates.starved, starved);
		gate_open(gate, GATE_STARVED);
	}
}

static int open_reserve(void)
{
	return fd_park(open("/dev/null", O_RDONLY | O_CLOEXEC | O_NOCTTY));
}

static void end_shortage(void *unused)
{
	(void)unused;
	if (gates.reserve_fd < 0)
		gates.reserve_fd = open_reserve();
	open_all(GATE_SHORT);
}

static void start_shortage(void)
{
	if (gates.shortage.running)
		return;
	timer_start(&gates.shortage, gates.shortage_ms);
	if (gates.shortage_ms < SHORT_LAST_MS)
		gates.shortage_ms *= 2;
}

/* With no descriptor left a client would hang; one a time gets at least an answer. */
static void turn_away(const struct gate *gate)
{
	struct connection connection;

	if (gates.reserve_fd < 0 || close(gates.reserve_fd) < 0)
		return;
	if (connection_accept(gate->watch.fd, &connection) == CONNECTION_OK)
		arrival_turn_away(gate->serving, &connection);
	gates.reserve_fd = open_reserve();
}

static void handle_shortage(struct gate *gate, int error)
{
	errno = error;
	log_limited(&gates.shortage_log, LOG_ERR, "%s: accept on %s: %m; trying again in %d ms",
		    gate->serving->name, plan_text(gates.plan, gate->plan->address),
		    gates.shortage_ms);
	if (error == EMFILE || error == ENFILE)
		turn_away(gate);
	gate_close(gate, GATE_SHORT);
	start_shortage();
}

static void handle_broken(struct gate *gate)
{
	log_limited(&gates.broken_log, LOG_CRIT, "%s: accept on %s: %m", gate->serving->name,
		    plan_text(gates.plan, gate->plan->address));
	gate_close(gate, GATE_SHORT);
	start_shortage();
}

/* An error that should be over with its client may meet every client (a security module, a listener
 * that is always readable).  Then trying must not be all that we do. */
void gate_futile(struct gate *gate)
{
	if (++gate->futile >= FUTILE_MAX)
		handle_broken(gate);
}

void gate_fail(struct gate *gate)
{
	const int error = errno;

	if (cgroup_is_at_fault(gates.plan, gate->serving->plan, error)) {
		cgroup_pause(gate->serving, error);
		return;
	}
	errno = error;
	log_limited(&gates.spawn_log, LOG_ERR,
		    "%s: cannot start a worker: %m; trying again in %d ms", gate->serving->name,
		    gates.shortage_ms);
	close_all(GATE_SHORT);
	start_shortage();
}

static void receive(struct gate *gate, struct connection *connection)
{
	gate->futile = 0;
	if (arrival_receive(gate->serving, gate, connection) < 0)
		gate_fail(gate);
	else
		gates.shortage_ms = SHORT_FIRST_MS;
}

/* Before a client is accepted who could not be served. */
static bool must_starve(const struct gate *gate)
{
	const struct serving *serving = gate->serving;

	return ((serving->waits || gate->plan->standing) && limit_is_full(&gates.limit)) ||
	       (admission_wants_header(gates.plan, serving->plan) && introductions_are_full()) ||
	       (serving->plan->multiplexes && mux_is_full());
}

static enum connection_result take(struct gate *gate, struct connection *connection)
{
	return gate->plan->kind == PLAN_FIFO ? fifo_accept(gate, connection)
					     : connection_accept(gate->watch.fd, connection);
}

/* One connection.  False when there is nothing more to take for now. */
static bool pass_one(struct gate *gate)
{
	struct connection connection;

	if (must_starve(gate)) {
		starve(gate);
		return false;
	}
	switch (take(gate, &connection)) {
	case CONNECTION_OK:
		receive(gate, &connection);
		return true;
	case CONNECTION_AGAIN:
		log_debug("accept", "%s: a client was gone: %m", gate->serving->name);
		gate_futile(gate);
		return true;
	case CONNECTION_NONE:
		gate_futile(gate);
		return false;
	case CONNECTION_SHORT:
		handle_shortage(gate, errno);
		return false;
	case CONNECTION_BROKEN:
		handle_broken(gate);
		return false;
	}
	return false;
}

/* A child that has not yet come to its first step holds its connection open here as well. */
static void settle(void *unused)
{
	(void)unused;
	if (!spawn_settle())
		return;
	timer_start(&gates.settle, gates.settle_ms);
	if (gates.settle_ms < SETTLE_LAST_MS)
		gates.settle_ms *= 2;
}

void gates_settle(void)
{
	gates.settle_ms = SETTLE_FIRST_MS;
	settle(NULL);
}

/* A worker has it from now on, or there is none to be had. */
static void hand_over(struct gate *gate)
{
	if (must_starve(gate))
		starve(gate);
	else if (standing_start(gate) < 0)
		gate_fail(gate);
	else
		gates.shortage_ms = SHORT_FIRST_MS;
}

static void pass(void *context)
{
	struct gate *gate = context;

	if (gate->closed) { /* it is still polled: that must have failed */
		loop_del(&gate->watch);
		return;
	}
	if (gate->plan->standing) {
		hand_over(gate);
		gates_settle();
		return;
	}
	for (int i = 0; i < ACCEPTS_AT_ONCE && gate->closed == 0; i++)
		if (!pass_one(gate))
			break;
	gates_settle();
}

static int init_one(struct gate *gate, const struct plan_listener *plan, struct serving *serving)
{
	*gate = (struct gate){
		.watch = { .fd = plan->fd, .ready = pass, .context = gate },
		.plan = plan,
		.serving = serving,
	};
	SLIST_INSERT_HEAD(&serving->gates, gate, of_service);
	if (plan->standing && serving->plan->handler < 0)
		serving->waits = true; /* nobody is refused whom nobody has seen */
	if (plan->kind != PLAN_FIFO)
		return loop_add(&gate->watch);
	gate->closed = GATE_LENT; /* until it has a keeper */
	return 0;
}

struct gate *gates_find(uint32_t listener)
{
	for (size_t i = 0; i < gates.count; i++)
		if (gate_place(&gates.all[i]) == listener)
			return &gates.all[i];
	return NULL;
}

uint32_t gate_place(const struct gate *gate)
{
	return (uint32_t)(gate->plan - plan_listener(gates.plan, 0));
}

int gates_init(const struct plan *plan, struct serving *servings)
{
	const struct plan_listener *listener;

	gates.plan = plan;
	gates.limit.max = plan->global.instances;
	gates.shortage.fire = end_shortage;
	gates.settle.fire = settle;
	gates.shortage_ms = SHORT_FIRST_MS;
	gates.reserve_fd = open_reserve(); /* there may be no room now, and later again */
	gates.all = xcalloc(plan->nlisteners, sizeof(*gates.all));
	for (size_t i = 0; i < plan->nlisteners; i++) {
		listener = plan_listener(plan, i);
		if (listener->service == PLAN_CONTROL)
			continue;
		if (init_one(&gates.all[gates.count++], listener, &servings[listener->service]) < 0)
			return -1;
	}
	return 0;
}

static void remove_file(const struct plan *plan, const struct plan_listener *listener)
{
	const char *path = plan_text(plan, listener->path);

	if (path && path_remove(path, listener->device, listener->inode) < 0)
		log_line(LOG_WARNING, "%s: cannot remove: %m", path);
}

void gates_remove_files(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nlisteners; i++)
		if (plan_listener(plan, i)->service != PLAN_CONTROL)
			remove_file(plan, plan_listener(plan, i));
}

void gates_fini(void)
{
	close_all(GATE_STOPPED);
	timer_stop(&gates.shortage);
	gates_remove_files(gates.plan);
	standing_finish_all();
	for (size_t i = 0; i < gates.count; i++) {
		if (gates.all[i].plan->kind == PLAN_FIFO)
			fifo_close(&gates.all[i], true);
		else
			(void)close(gates.all[i].watch.fd); /* it has nothing to flush */
	}
}
