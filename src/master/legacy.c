/* SPDX-License-Identifier: ISC */
/*
 * What a master leaves to the one after it.
 *
 * Both are the same process, with an exec between them, so descriptors and children stay; what gets
 * lost is memory, and this file saves that part of it which matters and puts it back: counters,
 * throttles, and for each child its service, its peer, and what is left of its time.  Everything
 * else (gates, shortages, windows of the log) is made anew.  One state serves the old program, when
 * the new one cannot start, and, by way of JSON, the new one (plan/state.h).
 *
 * A child keeps its place in the table, because it may be about to report a failing step there.
 */
#include "config.h"

#include "master/legacy.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "admit/source.h"
#include "master/child.h"
#include "master/drain.h"
#include "master/fifo.h"
#include "master/gate.h"
#include "master/introduction.h"
#include "master/mux.h"
#include "master/resolver.h"
#include "master/serving.h"
#include "master/standing.h"
#include "report/log.h"

void legacy_init(struct legacy *legacy, int plan_fd, const struct state *state)
{
	const char *failure = state ? state_text(state, state->last_failure) : NULL;

	*legacy = (struct legacy){ .plan_fd = plan_fd };
	legacy->generation = state ? state->generation : 1;
	legacy->started_ns = state ? state->started_ns : clock_now_ns();
	legacy->started_s = state ? state->started_s : time(NULL);
	if (state == NULL)
		return;
	legacy->reloads = state->reloads;
	legacy->reload_again = state->reload_again;
	log_adopt_dropped(state->log_dropped);
	if (failure)
		strlcpy(legacy->last_failure, failure, sizeof(legacy->last_failure));
}

/* A ghost without workers is over. */
static bool is_saved(const struct serving *serving)
{
	return !serving->ghost || serving->quota.limit.active > 0;
}

static struct state_room measure(size_t nreceived)
{
	struct state_room room = { .children = children_count(), .received = nreceived };

	room.text = LEGACY_TEXT;
	for (size_t i = 0; i < servings_count(); i++) {
		if (!is_saved(&servings_all()[i]))
			continue;
		room.services++;
		room.text += strlen(servings_all()[i].name) + 1;
		room.text += strlen(servings_all()[i].record->throttled_why) + 1;
	}
	return room;
}

static void save_service(struct state *state, struct serving *serving, struct state_service *saved)
{
	*saved = (struct state_service){
		.name = state_put_text(state, serving->name),
		.plan = serving->ghost ? -1 : (int32_t)(serving - servings_all()),
		.kill_grace_ms = serving->plan->kill_grace_ms,
		.stats = serving->record->stats,
		.bad = serving->throttle.bad,
		.pause_s = serving->throttle.pause_s,
		.pause_due_ns = serving->pause.running ? serving->pause.due_ns : 0,
		.rate_ns = serving->quota.rate_ns,
		.throttled_why = state_put_text(state, serving->record->throttled_why),
		.stderr_reader = serving->errlog ? serving->errlog->reader.fd : -1,
		.stderr_writer = serving->errlog ? serving->errlog->writer : -1,
	};
}

/* The place of its listener; -1: it was only for the way in, or is gone. */
static int32_t listener_of(const struct child *child)
{
	const struct gate *gate = child->gate;

	if (gate == NULL || (child->role == WORKER_CONNECTION && gate->plan->kind != PLAN_FIFO))
		return -1;
	return (int32_t)gate_place(gate);
}

/* A keeper's is its gate's: readers come in by it. */
static int talk_of(const struct child *child)
{
	return child->role == WORKER_KEEPER && child->gate ? child->gate->watch.fd : child->talk.fd;
}

static void save_child(const struct child *child, struct state_child *saved)
{
	*saved = (struct state_child){
		.pid = child->pid,
		.service = child->serving->saved_as,
		.place = child_place(child),
		.ending = (int32_t)child->ending,
		.started_ns = child->started_ns,
		.due_ns = child->timer.running ? child->timer.due_ns : 0,
		.source = child->source ? source_place(child->source) : STATE_NO_SOURCE,
		.talk_fd = talk_of(child),
		.offered_fd = child->offered_fd,
		.role = (int32_t)child->role,
		.listener = listener_of(child),
		.served = child->served,
		.denied = child->denied,
		.refused = (int32_t)child->refused,
		.lingers = child->lingers,
		.timed_out = child->timed_out,
		.client_gone = child->client_gone,
	};
	strcpy(saved->peer, child->peer); /* both are INET_TEXT */
}

static void save_services(struct state *state)
{
	struct state_service *saved = state_services(state);
	struct serving *serving = servings_all();

	for (size_t i = 0; i < servings_count(); i++, serving++) {
		if (!is_saved(serving))
			continue;
		serving->saved_as = (uint32_t)(saved - state_services(state));
		save_service(state, serving, saved++);
	}
}

static void save_children(struct state *state)
{
	struct state_child *saved = state_children(state);

	for (const struct child *child = child_next(NULL); child; child = child_next(child))
		save_child(child, saved++);
}

struct state *legacy_save(const struct legacy *legacy, const int *received, size_t nreceived,
			  int *fd)
{
	const struct state_room room = measure(nreceived);
	struct state *state = state_new(&room, fd);

	if (state == NULL)
		return NULL;
	state->generation = legacy->generation;
	state->stopping = drain_has_begun();
	state->reload_again = legacy->reload_again;
	state->started_ns = legacy->started_ns;
	state->started_s = legacy->started_s;
	state->log_dropped = log_dropped();
	state->reloads = legacy->reloads;
	if (legacy->last_failure[0])
		state->last_failure = state_put_text(state, legacy->last_failure);
	state->reports_fd = children_reports_fd();
	state->sources_fd = sources_fd();
	state->resolver_workers_fd = resolver_save().workers;
	state->resolver_resolvers_fd = resolver_save().resolvers;
	state->plan_fd = legacy->plan_fd;
	state->state_fd = *fd;
	save_services(state);
	save_children(state);
	if (nreceived)
		memcpy(state_received(state), received, nreceived * sizeof(*received));
	return state;
}

_Static_assert(CHILD_KILLED == 2 && WORKER_KEEPER == STATE_KEEPER,
	       "plan/state.c knows the last of each");

/* The serving that goes on for a state's service: ghosts stand in the same order in both.  NULL for
 * one that the plan does not have. */
static struct serving *find_serving(const struct state_service *left, const struct plan *plan,
				    size_t *ghosts)
{
	if (left->plan < 0)
		return &servings_all()[plan->nservices + (*ghosts)++];
	return (uint32_t)left->plan < plan->nservices ? &servings_all()[left->plan] : NULL;
}

/* What there is to be said goes on, or comes to its end. */
static int adopt_role(struct child *child, const struct state_child *left)
{
	switch (child->role) {
	case WORKER_CONNECTION:
		return left->talk_fd < 0 ? 0 : introduction_adopt(child, left->talk_fd);
	case WORKER_MUX:
		return mux_adopt(child, left->talk_fd, left->offered_fd);
	case WORKER_STANDING:
		return standing_adopt(child, child->gate, left->talk_fd);
	case WORKER_KEEPER:
		fifo_adopt(child->gate, child, left->talk_fd);
		return 0;
	}
	errno = EINVAL;
	return -1;
}

static int adopt_child(const struct state_child *left, struct serving *serving)
{
	struct child *child = child_adopt(serving, left->pid, left->place, left->due_ns);

	if (child == NULL) {
		errno = EINVAL;
		return -1;
	}
	child->gate = left->listener < 0 ? NULL : gates_find((uint32_t)left->listener);
	child->role = (enum worker_role)left->role;
	child->served = left->served;
	child->denied = left->denied;
	if (adopt_role(child, left) < 0)
		return -1;
	if (left->source != STATE_NO_SOURCE)
		child->source = source_adopt(left->source);
	if (child->source)
		source_take(child->source);
	child->started_ns = left->started_ns;
	child->refused = (enum refusal)left->refused;
	child->ending = (enum child_ending)left->ending;
	child->timed_out = left->timed_out;
	child->client_gone = left->client_gone;
	strcpy(child->peer, left->peer); /* both are INET_TEXT */
	if (child->role == WORKER_KEEPER)
		return 0; /* no instance of anything */
	if (left->lingers)
		introduction_adopt_lingering(child);
	else
		serving_adopt_worker(serving);
	return 0;
}

static int adopt_services(const struct state *state, const struct plan *plan,
			  struct serving **adopted)
{
	const struct state_service *left = state_services(state);
	size_t ghosts = 0;

	for (size_t i = 0; i < state->nservices; i++) {
		adopted[i] = find_serving(&left[i], plan, &ghosts);
		errno = EINVAL;
		if (adopted[i] == NULL || serving_adopt(adopted[i], state, &left[i]) < 0)
			return -1;
	}
	return 0;
}

static int adopt_children(const struct state *state, struct serving **adopted)
{
	const struct state_child *left = state_children(state);

	for (size_t i = 0; i < state->nchildren; i++)
		if (adopt_child(&left[i], adopted[left[i].service]) < 0)
			return -1;
	children_adopted();
	sources_adopted();
	return 0;
}

int legacy_adopt(const struct state *state, const struct plan *plan)
{
	struct serving **adopted = xcalloc(state->nservices, sizeof(*adopted));

	if (adopt_services(state, plan, adopted) < 0 || adopt_children(state, adopted) < 0)
		return -1; /* the program ends, and the memory with it */
	free(adopted);
	servings_settle();
	return 0;
}

/* Of the very file that is ours, whatever leads there now.  Where nobody is configured any more it
 * becomes ours alone, so that whoever had it has it no longer. */
static int set_owner_of(int fd, const struct plan_listener *listener)
{
	struct stat there;
	uid_t uid;
	gid_t gid;

	if (fstat(fd, &there) < 0)
		return -1;
	errno = ESTALE;
	if (there.st_dev != listener->device || there.st_ino != listener->inode)
		return -1;
	uid = listener->socket_uid == (uid_t)-1 ? geteuid() : listener->socket_uid;
	gid = listener->socket_gid == (gid_t)-1 ? getegid() : listener->socket_gid;
	return fd_set_owner(fd, uid, gid, listener->socket_mode);
}

/* The only files that a master touches beside its log and its pid file: Unix sockets of its own. */
static void set_owner(const char *path, const struct plan_listener *listener)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || set_owner_of(fd, listener) < 0)
		log_line(LOG_ERR, "%s: cannot set owner and mode: %m", path);
	if (fd >= 0)
		(void)close(fd); /* O_PATH: nothing to lose */
}

/* A FIFO's keeper is another one by then. */
static void change(const struct plan_listener *listener, const struct plan *plan)
{
	const char *path = plan_text(plan, listener->path);

	if (listener->kind == PLAN_FIFO)
		return;
	if (listen(listener->fd, listener->backlog) < 0)
		log_line(LOG_ERR, "%s: backlog: %m", plan_text(plan, listener->address));
	if (path)
		set_owner(path, listener);
}

static void drop(const struct state_dropped *dropped, const struct state *state)
{
	const char *path = state_text(state, dropped->path);

	if (path && path_remove(path, dropped->device, dropped->inode) < 0)
		log_line(LOG_WARNING, "%s: cannot remove: %m", path);
	log_line(LOG_INFO, "no longer listening on %s", state_text(state, dropped->address));
	(void)close(dropped->fd); /* a listening socket has nothing to flush */
}

static void close_back(const struct state_back *back)
{
	const int fds[] = { back->master_fd, back->plan_fd, back->state_fd, back->begatd_fd,
			    back->effective_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]); /* only ever read, or kept to be executed */
}

/* A removed service whose messages could still have been read on the way back. */
static void close_idle_ghosts(void)
{
	for (size_t i = 0; i < servings_count(); i++)
		if (servings_all()[i].ghost && servings_all()[i].quota.limit.active == 0)
			errlog_close(&servings_all()[i].errlog);
}

void legacy_settle(const struct state *state, const struct plan *plan)
{
	for (size_t i = 0; i < plan->nlisteners; i++)
		if (plan_listener(plan, i)->changed)
			change(plan_listener(plan, i), plan);
	for (size_t i = 0; i < state->ndropped; i++)
		drop(&state_dropped(state)[i], state);
	close_idle_ghosts();
	close_back(&state->back);
	for (size_t i = 0; i < state->nspent; i++)
		(void)close(state_spent(state)[i]); /* only doors: nothing was written */
}
