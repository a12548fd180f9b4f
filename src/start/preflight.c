/* SPDX-License-Identifier: ISC */
/*
 * The preflight of a reload: begatd as a child of the running master.
 *
 * A reload must change all or nothing, and the process that holds the listeners and the children
 * must not depend on a file, a name service, a loader or a parser at that moment.  So this child
 * does everything that can fail while the master serves on: it loads the configuration, binds what
 * the master does not hold, builds the plan, and has the new begat-master verify it.  The new
 * descriptors go to the master (plan/packet.h).  Then the master stands still for a moment, sends
 * its state, and gets it back in the form that the new begat-master reads, together with the plan
 * in which all descriptors have the master's numbers.
 *
 * Whatever goes wrong ends this process with a message, and the master goes on.  master/reload.c is
 * the other half.
 */
#include "config.h"

#include "start/preflight.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "config/difference.h"
#include "listen/listener.h"
#include "plan/layout.h"
#include "plan/packet.h"
#include "report/log.h"
#include "report/sink.h"
#include "start/binary.h"

#define TALK STDOUT_FILENO

/* What is sent, in this order; what cages need comes after these, and then the new listeners. */
enum part { PART_MASTER, PART_BEGATD, PART_EFFECTIVE, PARTS };

struct work {
	const struct handover *old;
	const struct config *config;
	struct plan_global *global;
	const struct build_texts *texts;
	struct difference difference;
	struct listener_set listeners;
	struct cages cages;
	int *parts;
	size_t nparts;
};

static struct handover *read_state(int fd)
{
	char error[256];
	struct handover *state = handover_read(fd, error);

	if (state == NULL)
		fatal(EXIT_GENERIC, "the running daemon's state: %s", error);
	(void)close(fd); /* only read from */
	return state;
}

struct handover *preflight_begin(int *argc, char **argv)
{
	const char *text, *error;
	int fd;

	if (*argc < 2 || strncmp(argv[1], PACKET_OPTION, strlen(PACKET_OPTION)) != 0)
		return NULL;
	text = argv[1] + strlen(PACKET_OPTION);
	fd = (int)strtonum(text, STDERR_FILENO + 1, INT_MAX, &error);
	if (error)
		fatal(EXIT_USAGE, PACKET_OPTION "%s: %s; the daemon gives it to itself", text,
		      error);
	memmove(argv + 1, argv + 2, (size_t)(*argc - 1) * sizeof(*argv)); /* the last NULL too */
	(*argc)--;
	return read_state(fd);
}

void preflight_keeps(const struct handover *old, int keep[PREFLIGHT_KEEPS])
{
	keep[0] = old ? old->effective_fd : -1;
	keep[1] = old ? old->master_fd : -1;
}

/* A start that fails leaves nothing behind, and neither does this, unless it is killed right after
 * it has bound a Unix socket; then there is a stale file, which the next one replaces. */
static struct listener_set *opened;

static void close_opened(void)
{
	if (opened)
		listeners_close(opened);
}

static void hold(const struct handover *old, struct listener_set *held)
{
	held->count = old->nlisteners;
	held->all = xcalloc(held->count, sizeof(*held->all));
	for (size_t i = 0; i < held->count; i++)
		held->all[i] = (struct listener){
			.fd = old->listeners[i].fd,
			.sources_fd = old->listeners[i].sources_fd,
			.owner = old->listeners[i].service,
			.asked = old->listeners[i].asked,
			.address = old->listeners[i].address,
			.path = old->listeners[i].path,
			.device = old->listeners[i].device,
			.inode = old->listeners[i].inode,
			.backlog = old->listeners[i].backlog,
			.uid = old->listeners[i].uid,
			.gid = old->listeners[i].gid,
			.mode = old->listeners[i].mode,
		};
}

static void plan_listeners(struct work *work)
{
	struct listener_set held;

	hold(work->old, &held);
	listeners_plan(work->config, &held, &work->listeners);
	free(held.all);
}

static void open_listeners(struct work *work)
{
	opened = &work->listeners;
	if (atexit(close_opened) != 0)
		fatal(EXIT_GENERIC, "atexit: %m");
	listeners_open(&work->listeners);
}

/* A log file that nobody has written to is gone again afterwards. */
static void check_log(const struct config *config)
{
	struct sink sink;
	bool is_new;

	if (config->log != CONFIG_LOG_FILE)
		return;
	is_new = access(config->log_file, F_OK) < 0 && errno == ENOENT;
	if (sink_open(&sink, LOG_SINK_FILE, config->log_file) < 0)
		fatal(EXIT_GENERIC, "log: %s: %m", config->log_file);
	sink_close(&sink);
	if (is_new)
		(void)unlink(config->log_file); /* it is made again, by the next master */
}

/* When the package was removed, begatd runs from a descriptor and its master may do so too; when
 * begatd is there and its master is not, somebody is in the middle of something. */
static int open_master(const struct handover *old)
{
	const char *path = binary_master_path();
	int fd = binary_open(path);

	if (fd >= 0)
		return fd;
	if (errno != ENOENT || !old->begatd_gone)
		fatal(EXIT_GENERIC, "%s: %m", path);
	return old->master_fd;
}

static void add_part(struct work *work, int fd, const char *what)
{
	if (fd < 0)
		fatal(EXIT_GENERIC, "%s: %m", what);
	work->parts = xreallocarray(work->parts, work->nparts + 1, sizeof(*work->parts));
	work->parts[work->nparts++] = fd;
}

static void collect_files(struct work *work)
{
	add_part(work, open_master(work->old), binary_master_path());
	add_part(work, binary_open_self(), "/proc/self/exe");
	add_part(work, work->global->effective_fd, "the configuration in effect");
}

static void collect_cages(struct work *work)
{
	for (size_t i = 0; i < work->cages.nfds; i++)
		add_part(work, work->cages.fds[i], "cages");
}

/* What of a listener is new to the master: its socket, which a FIFO has not, and its sources. */
static bool sends_socket(const struct listener *listener)
{
	return !listener->kept && listener->fd >= 0;
}

static bool sends_sources(const struct listener *listener)
{
	return !listener->sources_kept && listener->sources_fd >= 0;
}

static void collect_listeners(struct work *work)
{
	for (size_t i = 0; i < work->listeners.count; i++) {
		const struct listener *listener = &work->listeners.all[i];

		if (sends_socket(listener))
			add_part(work, listener->fd, listener->address);
		if (sends_sources(listener))
			add_part(work, listener->sources_fd, listener->address);
	}
}

static int make_plan(const struct work *work, const struct listener_set *listeners)
{
	int fd = build_plan(work->config, listeners, &work->cages, work->global, work->texts);

	if (fd < 0)
		fatal(EXIT_GENERIC, "the plan: %m");
	return fd;
}

static void exec_check(int master_fd, int plan_fd, int answer) __attribute__((noreturn));
static void exec_check(int master_fd, int plan_fd, int answer)
{
	char number[16];
	char *arguments[] = { (char *)(uintptr_t) "begat-master", (char *)(uintptr_t) "--check",
			      number, NULL };

	snprintf(number, sizeof(number), "%d", plan_fd);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && dup2(answer, STDOUT_FILENO) >= 0 &&
	    fd_set_cloexec(plan_fd, false) == 0)
		(void)fd_execute(master_fd, arguments);
	fprintf(stderr, "begatd: %s: %s\n", binary_master_path(),
		errno == ENOENT ? "not a program, or its loader is missing" : strerror(errno));
	_exit(EXIT_GENERIC);
}

static void fail_check(int status) __attribute__((noreturn));
static void fail_check(int status)
{
	if (WIFSIGNALED(status))
		fatal(EXIT_GENERIC, "%s: when it was tried: %s", binary_master_path(),
		      strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != EXIT_OK)
		fatal(EXIT_GENERIC, "%s: when it was tried: exit status %d", binary_master_path(),
		      WEXITSTATUS(status));
	fatal(EXIT_GENERIC, "%s: is another program", binary_master_path());
}

/* Any program can exit with 0; ours says which build it is of. */
static bool is_our_build(int answer)
{
	char text[sizeof(PLAN_STAMP)] = "";
	ssize_t length = read(answer, text, sizeof(text));

	return length == (ssize_t)sizeof(text) && memcmp(text, PLAN_STAMP "\n", sizeof(text)) == 0;
}

/* The new begat-master maps the plan and looks at every part of it. */
static void check_master(const struct work *work)
{
	int status, answer[2], plan_fd = make_plan(work, &work->listeners);
	bool is_ours;
	pid_t pid;

	if (pipe2(answer, O_CLOEXEC) < 0)
		fatal(EXIT_GENERIC, "pipe: %m");
	pid = fork();
	if (pid == 0)
		exec_check(work->parts[PART_MASTER], plan_fd, answer[1]);
	(void)close(answer[1]); /* the child has it */
	is_ours = is_our_build(answer[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fatal(EXIT_GENERIC, "%s: cannot be tried: %m", binary_master_path());
	if (!is_ours || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_OK)
		fail_check(status);
	(void)close(answer[0]); /* only read from */
	(void)close(plan_fd);	/* the one that counts has other numbers in it */
}

static void compare(struct work *work)
{
	if (difference_make(work->old->effective_fd, work->parts[PART_EFFECTIVE],
			    &work->difference) < 0)
		fatal(EXIT_GENERIC, "the configuration in effect: %m");
}

static void send_packet(enum packet_kind kind, const char *text, const int *fds, size_t nfds)
{
	if (packet_send(TALK, kind, text, fds, nfds) < 0)
		fatal(EXIT_GENERIC, "cannot talk to the running daemon: %m");
}

static void send_parts(const struct work *work)
{
	size_t count;

	for (char **line = work->difference.lines; *line; line++)
		send_packet(PACKET_DETAIL, *line, NULL, 0);
	for (size_t i = 0; i < work->nparts; i += count) {
		count = work->nparts - i < PACKET_FDS ? work->nparts - i : PACKET_FDS;
		send_packet(PACKET_PARTS, "", work->parts + i, count);
	}
	send_packet(PACKET_READY, "", NULL, 0);
}

/* Waits until the master stands still. */
static struct handover *receive_state(const struct work *work)
{
	struct packet packet;
	struct handover *now;

	if (packet_receive(TALK, &packet, 0) <= 0 || packet.kind != PACKET_STATE ||
	    packet.nfds != 1)
		exit(EXIT_GENERIC); /* it has given the reload up, and said why */
	now = read_state(packet.fds[0]);
	if (now->nreceived != work->nparts)
		fatal(EXIT_GENERIC, "%zu descriptors were sent, %zu have come", work->nparts,
		      now->nreceived);
	return now;
}

/* In the plan descriptors have the numbers that they got in the master. */
static struct listener_set renumber(struct work *work, const struct handover *now)
{
	struct listener_set set = { NULL, work->listeners.count };
	size_t next = PARTS;

	work->global->master_fd = now->received[PART_MASTER];
	work->global->begatd_fd = now->received[PART_BEGATD];
	work->global->effective_fd = now->received[PART_EFFECTIVE];
	for (size_t i = 0; i < work->cages.nfds; i++)
		work->cages.fds[i] = now->received[next++];
	set.all = xcalloc(set.count, sizeof(*set.all));
	for (size_t i = 0; i < set.count; i++) {
		set.all[i] = work->listeners.all[i];
		if (sends_socket(&set.all[i]))
			set.all[i].fd = now->received[next++];
		if (sends_sources(&set.all[i]))
			set.all[i].sources_fd = now->received[next++];
	}
	return set;
}

static bool is_unchanged(const char *service, const void *difference)
{
	return difference_has_unchanged(difference, service);
}

static int make_state(const struct work *work, const struct handover *now, int plan_fd)
{
	const struct difference *difference = &work->difference;
	const struct state_summary summary = { difference->kept, difference->added,
					       difference->changed, difference->removed };
	const struct plan *plan = plan_map(plan_fd);
	int fd = plan ? handover_make_state(now, plan, &summary, is_unchanged, difference) : -1;

	if (fd < 0)
		fatal(EXIT_GENERIC, "the state for the new master: %m");
	return fd;
}

static void send_plan(struct work *work)
{
	struct handover *now = receive_state(work);
	struct listener_set renumbered = renumber(work, now);
	int fds[2];

	fds[0] = make_plan(work, &renumbered);
	fds[1] = make_state(work, now, fds[0]);
	send_packet(PACKET_PLAN, "", fds, 2);
	free(renumbered.all);
	handover_free(now);
}

/* Where the next master could not start, the old one is back; whichever serves has said why.  It is
 * the failure that is announced: an announcement that gets lost leaves a stale file, not a live
 * socket without one. */
static void wait_until_done(void)
{
	struct packet packet;

	if (packet_receive(TALK, &packet, 0) > 0)
		exit(EXIT_GENERIC);
	opened = NULL;
}

/* Nobody listens to us any more. */
static void settle(const struct work *work)
{
	const struct config *config = work->config;
	const enum log_sink sink = config->log == CONFIG_LOG_FILE ? LOG_SINK_FILE : LOG_SINK_SYSLOG;
	char why[CGROUP_WHY];

	if (cages_settle(config, &work->cages, why) == 0)
		return;
	if (log_open(sink, config->log_file) == 0)
		log_line(LOG_ERR, "reload: cgroup: %s", why);
}

static void fill_global(const struct handover *old, struct plan_global *global)
{
	global->pid_fd = old->pid_fd;
	global->ready_fd = -1;
	global->detached = old->detached;
	global->has_terminal = old->has_terminal;
	global->begatd_fd = global->master_fd = -1;
}

void preflight_run(const struct handover *old, const struct config *config,
		   struct plan_global *global, const struct build_texts *texts)
{
	struct work work = { .old = old, .config = config, .global = global, .texts = texts };

	fill_global(old, global);
	check_log(config);
	plan_listeners(&work);
	collect_files(&work);
	cages_begin(config, false);
	cages_open(config, &work.cages);
	collect_cages(&work);
	check_master(&work);
	compare(&work);
	open_listeners(&work); /* last, because it leaves traces: files of sockets and FIFOs */
	collect_listeners(&work);
	send_parts(&work);
	send_plan(&work);
	wait_until_done();
	settle(&work);
	difference_fini(&work.difference);
	cages_fini(&work.cages);
	free(work.parts);
}
