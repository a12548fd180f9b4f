/* SPDX-License-Identifier: ISC */
/*
 * The master: from the plan to the last worker.
 *
 * It gets ready, says so, and then only reacts: gates accept and spawn, SIGCHLD reaps, SIGHUP
 * reloads, SIGTERM drains.  It never reads a byte that a network client sent, looks no name up, and
 * opens no file but its log, /dev/null and its own sockets'.  Until it is ready a failure ends it
 * with an exit status, or with the way back to the master before it; from then on nothing does but
 * a stop.
 */
#include "config.h"

#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "admit/source.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/title.h"
#include "master/cgroup.h"
#include "master/child.h"
#include "master/control.h"
#include "master/descriptors.h"
#include "master/drain.h"
#include "master/ending.h"
#include "master/fifo.h"
#include "master/gate.h"
#include "master/introduction.h"
#include "master/legacy.h"
#include "master/loop.h"
#include "master/mux.h"
#include "master/notify.h"
#include "master/preflight.h"
#include "master/reload.h"
#include "master/resolver.h"
#include "master/serving.h"
#include "master/signals.h"
#include "master/standing.h"
#include "report/log.h"
#include "report/stats.h"
#include "worker/spawn.h"

static struct {
	const struct plan *plan;
	const struct state *state; /* of a master before us; NULL: this is the first one */
	struct legacy legacy;
	struct descriptors inherited;
	bool is_ready; /* from then on no failure ends it */
} master;

/* A keeper is nobody's worker: what becomes of it is no concern of its service's. */
static void child_has_ended(struct child *child, struct child_end *end)
{
	struct serving *serving = child->serving;

	introduction_ended(child);
	mux_close(child);
	if (child->role == WORKER_STANDING)
		standing_ended(child, end);
	errlog_finish(serving->errlog, child->pid);
	ending_log(child, end);
	if (child->role != WORKER_KEEPER)
		serving_ended(serving, child, end);
	fifo_ended(child, end);
	drain_check();
}

static void stranger_has_ended(pid_t pid, int status)
{
	if (!control_reaped(pid, status) && !resolver_reaped(pid, status))
		preflight_reaped(pid, status);
}

static void handle_reopen(void)
{
	if (log_reopen() < 0)
		log_line(LOG_ERR, "cannot reopen the log: %m; going on with the old one");
	else
		log_line(LOG_NOTICE, "SIGUSR1: log reopened");
}

static void handle_reload(void)
{
	if (!drain_has_begun())
		reload_request();
	else
		log_line(LOG_NOTICE, "SIGHUP: no reload, the daemon is stopping");
}

static void handle_signal(int number, pid_t pid)
{
	switch (number) {
	case SIGCHLD:
		gates_settle();
		children_reap(pid);
		break;
	case SIGTERM:
	case SIGINT:
		drain_signal(number, master.plan->global.stop_timeout_ms);
		break;
	case SIGUSR1:
		handle_reopen();
		break;
	case SIGHUP:
		handle_reload();
		break;
	case SIGPIPE: /* raised by log lines: one about it would raise the next */
	case SIGXFSZ:
		break;
	default:
		log_debug("signal", "SIG%s from pid %d ignored", signals_name(number), (int)pid);
	}
}

/* On the way back some of what the state speaks of may be given up already. */
static void take_descriptors(const struct plan *plan, const struct launch *launch)
{
	struct descriptors *list = &master.inherited;

	if (descriptors_list(plan, master.state, 4, list) < 0)
		fatal(EXIT_GENERIC, "memory: %m");
	descriptors_add(list, launch->plan_fd);
	descriptors_add(list, launch->state_fd);
	descriptors_add(list, launch->talk_fd);
	if (master.state == NULL)
		descriptors_add(list, plan->global.ready_fd);
	if (descriptors_set_cloexec(list, true) < 0 && launch->message == NULL)
		fatal(EXIT_GENERIC, "a descriptor of the plan: %m");
	if (fd_close_others(list->all, list->count) < 0)
		fatal(EXIT_GENERIC, "cannot close descriptors: %m");
}

/* What a reload raised for itself comes down again.  Where somebody has lowered the hard limit
 * meanwhile there is no more to be had, and no reason to stop. */
static void limit_descriptors(const struct plan *plan)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = plan->global.nofile_wanted;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit); /* at most the hard limit: anybody may */
}

static void map_state(int fd)
{
	if (fd < 0)
		return;
	master.state = state_map(fd);
	if (master.state == NULL)
		fatal(EXIT_GENERIC, "the state of the master before: %m");
}

/* The zone is read once, here: workers may have no access to its file, and no time for it. */
static void load_time_zone(void)
{
	time_t now = time(NULL);
	struct tm local;

	tzset();
	(void)localtime_r(&now, &local); /* only so that it is loaded */
}

/* All places that adopted children have, and all that there may be from now on. */
static size_t count_places(const struct plan *plan, const struct state *state)
{
	size_t places = plan->global.instances + INTRODUCTIONS_LINGERING;

	for (size_t i = 0; i < plan->nlisteners; i++)
		places += plan_listener(plan, i)->kind == PLAN_FIFO; /* its keeper's */
	for (size_t i = 0; state && i < state->nchildren; i++)
		if (state_children(state)[i].place >= places)
			places = state_children(state)[i].place + 1;
	return places;
}

/* More than there can be workers, so that there is always one which has none. */
static size_t count_sources(const struct plan *plan, size_t places)
{
	return plan->global.sources > places ? plan->global.sources : places + 1;
}

static void start_services(const struct plan *plan, const struct state *state)
{
	const size_t places = count_places(plan, state);

	introductions_init(plan);
	mux_init(plan);
	if (state)
		resolver_adopt(&(struct resolver_ends){ state->resolver_workers_fd,
							state->resolver_resolvers_fd });
	resolver_init(plan);
	if (servings_init(plan, state) < 0 ||
	    sources_init(count_sources(plan, places), state ? state->sources_fd : -1, plan) < 0 ||
	    children_init(places, state ? state->reports_fd : -1, child_has_ended,
			  stranger_has_ended) < 0 ||
	    spawn_init() < 0)
		fatal(EXIT_GENERIC, "cannot map the tables: %m");
	if (gates_init(plan, servings_all()) < 0 || control_init(plan, &master.legacy) < 0)
		fatal(EXIT_GENERIC, "cannot poll the listeners: %m");
	if (state && legacy_adopt(state, plan) < 0)
		fatal(EXIT_GENERIC, "cannot take over from the master before: %m");
}

/* Workers count on 0 being /dev/null. */
static int leave_terminal(bool all)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, 0) < 0 || (all && (dup2(fd, 1) < 0 || dup2(fd, 2) < 0)))
		return -1;
	return close(fd);
}

/* Closes it, but none of 0 to 2, where the next connection would take its place. */
static void give_up(int fd)
{
	if (fd > STDERR_FILENO)
		(void)close(fd); /* nothing is buffered */
	else if (dup2(STDIN_FILENO, fd) < 0)
		log_line(LOG_WARNING, "descriptor %d: %m", fd);
}

static const char *listener_owner(const struct plan_listener *listener)
{
	return listener->service == PLAN_CONTROL ? "control"
						 : servings_all()[listener->service].name;
}

/* The port of "tcp:...:0" is the kernel's choice: this is where it can be read. */
static void log_listeners(const struct plan *plan)
{
	const struct plan_listener *listener;

	for (size_t i = 0; i < plan->nlisteners; i++) {
		listener = plan_listener(plan, i);
		if (listener->added)
			log_line(LOG_INFO, "listening %s on %s", listener_owner(listener),
				 plan_text(plan, listener->address));
	}
}

static void answer_starter(int ready_fd)
{
	if (write(ready_fd, "\n", 1) < 0)
		log_line(LOG_WARNING, "cannot tell that we are ready: %m");
	give_up(ready_fd); /* its end is part of the message */
}

static void say_ready(const struct plan *plan)
{
	char status[80];

	log_listeners(plan);
	log_line(master.state ? LOG_INFO : LOG_NOTICE,
		 "begat " PACKAGE_VERSION " ready: %u services, %u listeners, pid %d",
		 plan->nservices, plan->nlisteners - (plan_control(plan) != NULL), (int)getpid());
	if (plan->global.detached)
		log_lose_stderr();
	if (master.state == NULL && plan->global.ready_fd >= 0)
		answer_starter(plan->global.ready_fd);
	snprintf(status, sizeof(status), "READY=1\nSTATUS=%u services, generation %u",
		 plan->nservices, master.legacy.generation);
	notify_send(status);
}

static void remove_pidfile(const struct plan *plan)
{
	const char *path = plan_text(plan, plan->global.pid_path);

	if (plan->global.pid_fd >= 0 && path_is_fd(path, plan->global.pid_fd) && unlink(path) < 0)
		log_line(LOG_WARNING, "%s: cannot remove: %m", path);
}

/* For fatal(): a start that fails leaves nothing behind, unless there is another to go back to. */
static void undo_start(void)
{
	if (master.is_ready)
		return;
	gates_remove_files(master.plan);
	control_remove_file(master.plan);
	remove_pidfile(master.plan);
}

bool master_is_ready(void)
{
	return master.is_ready;
}

void master_leave(int master_fd, const struct launch *back)
{
	(void)descriptors_set_cloexec(&master.inherited, false); /* those that fail are not open */
	(void)launch_master(master_fd, back);
	log_line(LOG_CRIT, "cannot go back to the master before: %m");
}

static void set_title(const struct plan *plan)
{
	char count[32];

	snprintf(count, sizeof(count), "%u services", plan->nservices);
	title_set("master,", count);
}

/* What this master was started with is over. */
static void settle(const struct plan *plan, const struct launch *launch)
{
	const struct state *state = master.state;

	if (state && launch->message == NULL)
		legacy_settle(state, plan);
	fifos_settle();
	descriptors_fini(&master.inherited);
	reload_init(plan, &master.legacy);
	if (launch->message)
		reload_returned(launch->message);
	else if (state)
		reload_succeeded(state);
	if (launch->talk_fd >= 0)
		(void)close(launch->talk_fd); /* which tells the preflight that all is well */
	if (state == NULL)
		return;
	(void)close(state->sources_fd); /* there is a new table; where there was none, so be it */
	state_unmap(state);
	(void)close(launch->state_fd); /* all that is in it was taken over */
	master.state = NULL;
}

/* Whatever has come or ended while no master was there. */
static void catch_up(void)
{
	children_reap_all();
	if (master.legacy.reload_again)
		reload_request();
}

/* The only thing that a master which was put back can do without. */
static void open_log(const struct plan *plan, const struct launch *launch)
{
	const char *path = plan_text(plan, plan->global.log_file);

	if (log_open((enum log_sink)plan->global.log_sink, path) == 0)
		return;
	if (launch->message == NULL)
		fatal(EXIT_GENERIC, "%s: %m", path);
	(void)log_open(LOG_SINK_SYSLOG, NULL); /* cannot fail */
	log_line(LOG_ERR, "%s: %m; logging to syslog until the next reload", path);
}

static void prepare(const struct plan *plan, const struct launch *launch)
{
	map_state(launch->state_fd);
	take_descriptors(plan, launch);
	limit_descriptors(plan);
	load_time_zone();
	log_set_level(plan->global.log_level, plan_text(plan, plan->global.debug_topics));
	open_log(plan, launch);
	legacy_init(&master.legacy, launch->plan_fd, master.state);
	if (loop_open() < 0 || signals_open(handle_signal) < 0)
		fatal(EXIT_GENERIC, "cannot make the event loop: %m");
	start_services(plan, master.state);
	if (leave_terminal(plan->global.detached) < 0 && launch->message == NULL)
		fatal(EXIT_GENERIC, "/dev/null: %m");
}

int master_run(const struct plan *plan, const struct launch *launch)
{
	master.plan = plan;
	if (launch->state_fd < 0 && atexit(undo_start) != 0)
		fatal(EXIT_GENERIC, "atexit: %m");
	prepare(plan, launch);
	if (launch->message == NULL)
		say_ready(plan);
	master.is_ready = true;
	set_title(plan);
	settle(plan, launch);
	catch_up();
	if (loop_run() < 0)
		log_line(LOG_CRIT, "cannot wait for events: %m");
	control_fini();
	resolver_fini();
	cgroups_kill(plan);
	remove_pidfile(plan);
	log_line(LOG_NOTICE, "stopped");
	return drain_has_begun() ? EXIT_OK : EXIT_GENERIC;
}
