/* SPDX-License-Identifier: ISC */
/*
 * The table of live workers, and how they end.
 *
 * Sized once, in memory that forked children do not inherit: no handler can touch it.  Only a small
 * array, in which a worker reports the step that failed or how much it has let through, is shared
 * with them; whoever scribbles there spoils the text of a log line.  It outlives a reload, and so
 * do the places of children.
 *
 * A pid is in the table from the moment it exists until it is reaped, and never longer, so a signal
 * can never hit a stranger.  SIGCHLD coalesces: the pid that it names is reaped directly, because
 * waiting for any child walks all of them, and those that it swallowed are found by a sweep a
 * moment later.
 */
#include "config.h"

#include "master/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/memfd.h"
#include "master/serving.h"
#include "report/log.h"

#define SWEEP_MS     50
#define SEVERAL	     8 /* that a sweep finds one by one */
#define CHAIN_LENGTH 8 /* when all places are taken; pids come to touch every chain in the end */

static struct {
	struct child *all;
	struct worker_report *reports; /* by place; shared with forked children */
	uint32_t *chains;	       /* heads by pid: place + 1; 0: none */
	uint32_t mask;		       /* of a pid, for its chain */
	uint32_t free;		       /* head of the list: place + 1; 0: none */
	uint32_t fresh;		       /* places from here on were never used */
	uint32_t capacity;
	size_t count; /* live ones */
	int reports_fd;
	child_ended *ended;
	child_stranger *stranger;
	struct timer sweep;
} table;

static void sweep(void *unused);

/* A memfd, so that a master after us can go on reading what our children write.  Growing leaves
 * what is there, and what nobody touches costs nothing. */
static int map_reports(int fd, size_t size)
{
	struct stat status;

	if (fd < 0)
		fd = memfd_open("begat reports");
	if (fd < 0 || fstat(fd, &status) < 0)
		return -1;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0) /* which would end us by SIGBUS */
		return -1;
	if ((size_t)status.st_size < size && ftruncate(fd, (off_t)size) < 0)
		return -1;
	table.reports_fd = fd;
	table.reports = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return table.reports == MAP_FAILED ? -1 : 0;
}

int children_init(size_t capacity, int reports_fd, child_ended *ended, child_stranger *stranger)
{
	size_t chains = 64;

	while (chains < capacity / CHAIN_LENGTH)
		chains *= 2;
	table.all = map_unforked(capacity * sizeof(*table.all) + chains * sizeof(*table.chains));
	if (table.all == NULL || map_reports(reports_fd, capacity * sizeof(*table.reports)) < 0)
		return -1;
	table.chains = (uint32_t *)(table.all + capacity);
	table.mask = (uint32_t)chains - 1;
	table.capacity = (uint32_t)capacity;
	table.ended = ended;
	table.stranger = stranger;
	table.sweep.fire = sweep;
	return 0;
}

int children_reports_fd(void)
{
	return table.reports_fd;
}

uint32_t child_place(const struct child *child)
{
	return (uint32_t)(child - table.all);
}

static uint32_t *chain_of(pid_t pid)
{
	return &table.chains[(uint32_t)pid & table.mask];
}

size_t children_count(void)
{
	return table.count;
}

struct worker_report *child_report(const struct child *child)
{
	return &table.reports[child_place(child)];
}

static struct child *take_place(void)
{
	struct child *child;

	if (table.free) {
		child = &table.all[table.free - 1];
		table.free = child->next;
		return child;
	}
	return table.fresh < table.capacity ? &table.all[table.fresh++] : NULL;
}

static void end_time(void *context);

static void init(struct child *child, struct serving *serving)
{
	child->pid = 0;
	child->serving = serving;
	child->timer.running = false;
	child->timer.fire = end_time;
	child->timer.context = child;
	child->ending = CHILD_LIVES;
	child->timed_out = child->client_gone = false;
	child->source = NULL;
	child->role = WORKER_CONNECTION;
	child->gate = NULL;
	child->talk = (struct watch){ .fd = -1 };
	child->offered_fd = -1;
	child->served = child->denied = 0;
	child->notes = 0;
	child->finishes = false;
	child->refused = REFUSAL_NONE;
	child->lingers = false;
}

struct child *child_add(struct serving *serving, const char *peer)
{
	struct child *child = take_place();

	if (child == NULL)
		return NULL;
	init(child, serving);
	strcpy(child->peer, peer); /* both are INET_TEXT */
	return child;
}

void child_del(struct child *child)
{
	struct worker_report *report = child_report(child);

	if (report->failure || report->from_client || report->to_client)
		*report = (struct worker_report){ 0 }; /* else its page may never be touched */
	child->pid = 0;
	child->next = table.free;
	table.free = child_place(child) + 1;
}

static void link_child(struct child *child, pid_t pid)
{
	uint32_t *chain = chain_of(pid);

	child->pid = pid;
	child->next = *chain;
	*chain = child_place(child) + 1;
	table.count++;
}

void child_start(struct child *child, pid_t pid, int64_t max_time_ms)
{
	link_child(child, pid);
	child->started_ns = clock_now_ns();
	if (max_time_ms)
		timer_start(&child->timer, max_time_ms);
}

struct child *child_adopt(struct serving *serving, pid_t pid, uint32_t place, int64_t due_ns)
{
	struct child *child = place < table.capacity ? &table.all[place] : NULL;

	if (child == NULL || child->pid || child_find(pid))
		return NULL;
	init(child, serving);
	link_child(child, pid);
	if (place >= table.fresh)
		table.fresh = place + 1;
	if (due_ns)
		timer_start_at(&child->timer, due_ns);
	return child;
}

void children_adopted(void)
{
	for (uint32_t i = table.fresh; i > 0; i--)
		if (table.all[i - 1].pid == 0)
			child_del(&table.all[i - 1]);
}

struct child *child_next(const struct child *child)
{
	for (uint32_t i = child ? child_place(child) + 1 : 0; i < table.fresh; i++)
		if (table.all[i].pid)
			return &table.all[i];
	return NULL;
}

struct child *child_find(pid_t pid)
{
	struct child *child;

	for (uint32_t at = *chain_of(pid); at; at = child->next) {
		child = &table.all[at - 1];
		if (child->pid == pid)
			return child;
	}
	return NULL;
}

static void unlink_child(struct child *child)
{
	uint32_t *at = chain_of(child->pid);

	while (*at != child_place(child) + 1)
		at = &table.all[*at - 1].next;
	*at = child->next;
	table.count--;
}

/* To the worker's whole group; to the worker alone while it has not made one yet. */
static void signal_group(const struct child *child, int number)
{
	if (kill(-child->pid, number) == 0)
		return;
	if (errno != ESRCH || kill(child->pid, number) < 0)
		log_line(LOG_ERR, "%s[%d]: signal %d: %m", child->serving->name, (int)child->pid,
			 number);
}

static void terminate(struct child *child)
{
	if (child->ending != CHILD_LIVES)
		return;
	child->ending = CHILD_TERMINATED;
	signal_group(child, SIGTERM);
	signal_group(child, SIGCONT); /* a stopped process takes no other signal but KILL */
	timer_start(&child->timer, child->serving->plan->kill_grace_ms);
}

static void kill_now(struct child *child)
{
	child->ending = CHILD_KILLED;
	signal_group(child, SIGKILL);
}

/* max-time has passed, or kill-grace after it. */
static void end_time(void *context)
{
	struct child *child = context;

	if (child->ending == CHILD_TERMINATED) {
		log_line(LOG_NOTICE, "%s[%d] peer=%s did not end after SIGTERM; killed",
			 child->serving->name, (int)child->pid, child->peer);
		kill_now(child);
		return;
	}
	child->timed_out = true;
	terminate(child);
}

static void for_all(void (*act)(struct child *child))
{
	for (struct child *child = child_next(NULL); child; child = child_next(child))
		act(child);
}

void children_terminate(void)
{
	for_all(terminate);
}

/* A keeper has been told to remove its file, and to end. */
static void kill_worker(struct child *child)
{
	if (child->role != WORKER_KEEPER)
		kill_now(child);
}

void children_kill(void)
{
	for_all(kill_worker);
}

static enum worker_result classify(const struct child *child, int status, uint32_t failure)
{
	/* Both must say so: the one a forked worker could write for another, the other may be what
	 * a program ends with. */
	if (failure && WIFEXITED(status) &&
	    WEXITSTATUS(status) == WORKER_STEP_EXIT + (int)(failure >> 16))
		return failure >> 16 == WORKER_STEP_TIMEOUT ? RESULT_TIMED_OUT : RESULT_STEP;
	if (child->refused)
		return RESULT_REFUSED;
	if (child->timed_out)
		return RESULT_TIMED_OUT;
	if (WIFSIGNALED(status))
		return WCOREDUMP(status) ? RESULT_CORE : RESULT_SIGNALLED;
	return WEXITSTATUS(status) == 0 ? RESULT_OK : RESULT_EXITED;
}

static int64_t to_us(const struct timeval *time)
{
	return time->tv_sec * 1000000LL + time->tv_usec;
}

static void describe(const struct child *child, int status, const struct rusage *usage,
		     struct child_end *end)
{
	const struct worker_report *report = child_report(child);
	const uint32_t failure = report->failure;

	*end = (struct child_end){
		.result = classify(child, status, failure),
		.status = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		.step = (enum worker_step)(failure >> 16),
		.error = (int)(failure & 0xffff),
		.client_gone = child->client_gone,
		.from_client = report->from_client,
		.to_client = report->to_client,
		.duration_ns = clock_now_ns() - child->started_ns,
		.cpu_us = to_us(&usage->ru_utime) + to_us(&usage->ru_stime),
		.memory_kib = usage->ru_maxrss,
	};
}

/* Some of its group may outlive the leader that we have asked to end.  While it is a zombie the
 * group's number cannot be anybody else's. */
static void end_group(const struct child *child)
{
	siginfo_t info = { .si_pid = 0 };

	if (child->ending != CHILD_LIVES &&
	    waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == child->pid)
		(void)kill(-child->pid, SIGKILL); /* ESRCH: nobody is left */
}

/* Does nothing for a pid that has not ended (it was stopped or continued). */
static void reap(pid_t pid)
{
	struct child *child = child_find(pid);
	struct child_end end;
	struct rusage usage;
	int status;

	if (child)
		end_group(child);
	if (wait4(pid, &status, WNOHANG, &usage) <= 0)
		return;
	if (child == NULL) {
		table.stranger(pid, status);
		return;
	}
	describe(child, status, &usage, &end);
	timer_stop(&child->timer);
	unlink_child(child);
	table.ended(child, &end);
	child_del(child);
}

static void reap_if_ended(struct child *child)
{
	reap(child->pid);
}

/* Waiting for any child walks along all that live, each time.  Where several have ended, asking
 * each of ours once is cheaper, and a sweep must not take longer than it takes for as many to end
 * again. */
static void sweep(void *unused)
{
	siginfo_t info;
	int found = 0;

	(void)unused;
	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == EINTR)
			timer_start(&table.sweep, SWEEP_MS);
		if (info.si_pid == 0)
			return;
		reap(info.si_pid);
		if (++found == SEVERAL)
			for_all(reap_if_ended);
	}
}

void children_reap_all(void)
{
	sweep(NULL);
}

/* Without workers too: as a container's init we inherit orphans, who are in no table. */
void children_reap(pid_t pid)
{
	reap(pid);
	if (!table.sweep.running)
		timer_start(&table.sweep, SWEEP_MS);
}
