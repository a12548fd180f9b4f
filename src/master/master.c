/* SPDX-License-Identifier: ISC */
/*
 * The master: from the plan to the last worker.
 *
 * It gets ready, says so, and then only reacts: gates accept and spawn, SIGCHLD reaps, SIGTERM
 * drains. It never reads a byte that a network client sent, looks no name up and opens no file but
 * its log. Until it is ready a failure ends it with an exit status; from then on nothing does but a
 * stop.
 */
#include "config.h"

#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/title.h"
#include "master/child.h"
#include "master/gate.h"
#include "master/loop.h"
#include "master/notify.h"
#include "master/serving.h"
#include "master/signals.h"
#include "report/log.h"
#include "worker/spawn.h"

#define KILL_WAIT_MS 1000 /* for what even SIGKILL does not end at once */

static struct {
	const struct plan *plan;
	struct serving *servings;
	enum { STARTING, SERVING, DRAINING, TERMINATING, KILLING } phase;
	struct timer stop; /* the end of the phase, from DRAINING on */
} master;

static const char *result_text(enum child_result result)
{
	static const char *const texts[] = {
		[CHILD_OK] = "ok",     [CHILD_EXITED] = "exited", [CHILD_SIGNALLED] = "signalled",
		[CHILD_CORE] = "core", [CHILD_STEP] = "failed",	  [CHILD_TIMED_OUT] = "timed-out",
	};

	return texts[result];
}

static int result_level(enum child_result result)
{
	switch (result) {
	case CHILD_OK:
	case CHILD_EXITED:
		return LOG_INFO;
	case CHILD_TIMED_OUT:
		return LOG_NOTICE;
	default:
		return LOG_WARNING;
	}
}

static void log_end(const struct child *child, const struct child_end *end)
{
	char why[80] = "";
	const long long duration_us = end->duration_ns / 1000, cpu_us = end->cpu_us;

	if (end->result == CHILD_STEP)
		snprintf(why, sizeof(why), " step=%s error=\"%s\"", worker_step_name(end->step),
			 strerror(end->error));
	else if (end->result == CHILD_EXITED)
		snprintf(why, sizeof(why), " status=%d", end->status);
	else if (end->result != CHILD_OK && end->result != CHILD_TIMED_OUT)
		snprintf(why, sizeof(why), " signal=%s", signals_name(end->status));
	log_line(result_level(end->result),
		 "reaped %s[%d] peer=%s result=%s%s duration=%lld.%06llds "
		 "cpu=%lld.%06llds maxrss=%ldk",
		 child->serving->name, (int)child->pid, child->peer, result_text(end->result), why,
		 duration_us / 1000000, duration_us % 1000000, cpu_us / 1000000, cpu_us % 1000000,
		 end->memory_kib);
}

static void finish_if_drained(void)
{
	if (master.phase > SERVING && children_count() == 0)
		loop_stop();
}

static void child_has_ended(const struct child *child, const struct child_end *end)
{
	struct serving *serving = child->serving;

	errlog_finish(&serving->errlog, child->pid);
	log_end(child, end);
	serving_ended(serving, end);
	finish_if_drained();
}

/* After that every worker has got its SIGKILL. */
static int64_t longest_grace_ms(void)
{
	int64_t longest_ms = 0;

	for (size_t i = 0; i < master.plan->nservices; i++)
		if (master.servings[i].plan->kill_grace_ms > longest_ms)
			longest_ms = master.servings[i].plan->kill_grace_ms;
	return longest_ms;
}

static void stop_workers(void *unused)
{
	(void)unused;
	if (master.phase != DRAINING) {
		log_line(LOG_WARNING, "%zu workers are left behind", children_count());
		loop_stop();
		return;
	}
	log_line(LOG_NOTICE, "stop-timeout has passed: %zu workers are asked to end",
		 children_count());
	master.phase = TERMINATING;
	children_terminate();
	timer_start(&master.stop, longest_grace_ms() + KILL_WAIT_MS);
}

static void start_drain(int number)
{
	log_line(LOG_NOTICE, "SIG%s: stopping; %zu workers have %lld s to finish",
		 signals_name(number), children_count(),
		 (long long)(master.plan->global.stop_timeout_ms / MS_IN_S));
	master.phase = DRAINING;
	notify_send("STOPPING=1");
	gates_fini();
	timer_start(&master.stop, master.plan->global.stop_timeout_ms);
	finish_if_drained();
}

static void end_at_once(int number)
{
	log_line(LOG_NOTICE, "SIG%s again: killing %zu workers", signals_name(number),
		 children_count());
	master.phase = KILLING;
	children_kill();
	timer_start(&master.stop, KILL_WAIT_MS);
}

static void handle_stop(int number)
{
	if (master.phase == SERVING)
		start_drain(number);
	else if (master.phase < KILLING)
		end_at_once(number);
}

static void handle_reopen(void)
{
	if (log_reopen() < 0)
		log_line(LOG_ERR, "cannot reopen the log: %m; going on with the old one");
	else
		log_line(LOG_NOTICE, "SIGUSR1: log reopened");
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
		handle_stop(number);
		break;
	case SIGUSR1:
		handle_reopen();
		break;
	case SIGHUP:
		log_line(LOG_WARNING, "SIGHUP: this version cannot reload; nothing has changed. "
				      "Restart it to use a new configuration");
		break;
	case SIGPIPE: /* raised by log lines: one about it would raise the next */
	case SIGXFSZ:
		break;
	default:
		log_debug("signal", "SIG%s from pid %d ignored", signals_name(number), (int)pid);
	}
}

static void keep(int fd)
{
	if (fd >= 0 && fd_set_cloexec(fd, true) < 0)
		fatal(EXIT_GENERIC, "descriptor %d of the plan: %m", fd);
}

static void take_descriptors(const struct plan *plan)
{
	keep(plan->global.pid_fd);
	keep(plan->global.ready_fd);
	for (size_t i = 0; i < plan->nlisteners; i++)
		keep(plan_listener(plan, i)->fd);
}

/* The zone is read once, here: workers may have no access to its file, and no time for it. */
static void load_time_zone(void)
{
	time_t now = time(NULL);
	struct tm local;

	tzset();
	(void)localtime_r(&now, &local); /* only so that it is loaded */
}

static void start_services(const struct plan *plan)
{
	master.servings = map_unforked(plan->nservices * sizeof(*master.servings) + 1);
	if (master.servings == NULL)
		fatal(EXIT_GENERIC, "cannot map the services: %m");
	for (size_t i = 0; i < plan->nservices; i++)
		serving_init(&master.servings[i], plan, plan_service(plan, i));
	if (children_init(plan->global.instances, child_has_ended) < 0 || spawn_init() < 0)
		fatal(EXIT_GENERIC, "cannot map the tables: %m");
	if (gates_init(plan, master.servings) < 0)
		fatal(EXIT_GENERIC, "cannot poll the listeners: %m");
}

/* Workers count on 0 being /dev/null. */
static void leave_terminal(bool all)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0 || dup2(fd, 0) < 0 || (all && (dup2(fd, 1) < 0 || dup2(fd, 2) < 0)))
		fatal(EXIT_GENERIC, "/dev/null: %m");
	(void)close(fd); /* copied */
}

/* Closes it, but none of 0 to 2, where the next connection would take its place. */
static void give_up(int fd)
{
	if (fd > STDERR_FILENO)
		(void)close(fd); /* nothing is buffered */
	else if (dup2(STDIN_FILENO, fd) < 0)
		log_line(LOG_WARNING, "descriptor %d: %m", fd);
}

/* The port of "tcp:...:0" is the kernel's choice: this is where it can be read. */
static void log_listeners(const struct plan *plan)
{
	const struct plan_listener *listener;

	for (size_t i = 0; i < plan->nlisteners; i++) {
		listener = plan_listener(plan, i);
		log_line(LOG_INFO, "listening %s on %s", master.servings[listener->service].name,
			 plan_text(plan, listener->address));
	}
}

static void say_ready(const struct plan *plan)
{
	log_listeners(plan);
	log_line(LOG_NOTICE, "begat " PACKAGE_VERSION " ready: %u services, %u listeners, pid %d",
		 plan->nservices, plan->nlisteners, (int)getpid());
	if (plan->global.detached)
		log_lose_stderr();
	if (plan->global.ready_fd >= 0) {
		if (write(plan->global.ready_fd, "\n", 1) < 0)
			log_line(LOG_WARNING, "cannot tell that we are ready: %m");
		give_up(plan->global.ready_fd); /* its end is part of the message */
	}
	notify_send("READY=1");
}

static void remove_pidfile(const struct plan *plan)
{
	const char *path = plan_text(plan, plan->global.pid_path);

	if (plan->global.pid_fd >= 0 && path_is_fd(path, plan->global.pid_fd) && unlink(path) < 0)
		log_line(LOG_WARNING, "%s: cannot remove: %m", path);
}

/* For fatal(): a start that fails leaves nothing behind. */
static void undo_start(void)
{
	if (master.phase != STARTING)
		return;
	gates_remove_files(master.plan);
	remove_pidfile(master.plan);
}

static void set_title(const struct plan *plan)
{
	char count[32];

	snprintf(count, sizeof(count), "%u services", plan->nservices);
	title_set("master,", count);
}

int master_run(const struct plan *plan)
{
	master.plan = plan;
	master.stop.fire = stop_workers;
	if (atexit(undo_start) != 0)
		fatal(EXIT_GENERIC, "atexit: %m");
	take_descriptors(plan);
	load_time_zone();
	log_set_level(plan->global.log_level, plan_text(plan, plan->global.debug_topics));
	if (log_open((enum log_sink)plan->global.log_sink, plan_text(plan, plan->global.log_file)) <
	    0)
		fatal(EXIT_GENERIC, "%s: %m", plan_text(plan, plan->global.log_file));
	if (loop_open() < 0 || signals_open(handle_signal) < 0)
		fatal(EXIT_GENERIC, "cannot make the event loop: %m");
	start_services(plan);
	leave_terminal(plan->global.detached);
	say_ready(plan);
	master.phase = SERVING;
	set_title(plan);
	if (loop_run() < 0)
		log_line(LOG_CRIT, "cannot wait for events: %m");
	remove_pidfile(plan);
	log_line(LOG_NOTICE, "stopped");
	return master.phase == SERVING ? EXIT_GENERIC : EXIT_OK;
}
