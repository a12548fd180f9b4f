/* SPDX-License-Identifier: ISC */
/*
 * The control socket.
 *
 * A client is whoever may: root, our own user, the control group; the file's mode says the same,
 * and each is asked by SO_PEERCRED once more, because a mode can be changed.  It sends one request
 * and gets one answer (plan/answer.h).  The master never waits for it: short answers go out at
 * once, and what takes time is written by a forked child, which has the client's socket and a flat
 * copy of the state, so that the master is through with both.  There are a few places for clients,
 * each with a time limit; while all are taken further ones wait in the kernel's queue.
 *
 * The socket is there until the very end of the daemon: one that is stopping can still be asked.
 * Clients are not taken along by a reload: theirs are close-on-exec, and begat(1) asks again.
 */
#include "config.h"

#include "master/control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admit/connection.h"
#include "admit/source.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/memfd.h"
#include "base/path.h"
#include "master/loop.h"
#include "master/signals.h"
#include "plan/answer.h"
#include "report/log.h"
#include "report/status.h"

#define CLIENTS_MAX 8
#define SPEAK_MS    5000
#define WRITE_MS    30000
#define PAUSE_MS    500 /* without descriptors or memory */
#define WORDS_MAX   4	/* of a request: one more than the longest has */

/* A free place has neither of the first two. */
struct client {
	struct watch watch; /* fd -1: not open here */
	pid_t writer;	    /* the child that writes the answer; 0: none */
	struct timer limit;
	uid_t uid;
};

static struct {
	const struct plan *plan;
	const struct legacy *legacy;
	const struct plan_listener *listener; /* NULL: there is no control socket */
	struct watch watch;
	bool watching;
	struct timer pause;
	struct client clients[CLIENTS_MAX];
	struct log_limit shortage_log, denied_log;
} control;

/* The door */

static struct client *find_place(void)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control.clients[i].watch.fd < 0 && control.clients[i].writer == 0)
			return &control.clients[i];
	return NULL;
}

static void close_door(void)
{
	if (control.watching)
		loop_del(&control.watch);
	control.watching = false;
}

/* Where there is no memory to poll it, later. */
static void open_door(void)
{
	if (control.watching || control.pause.running || find_place() == NULL)
		return;
	control.watching = loop_add(&control.watch) == 0;
	if (!control.watching)
		timer_start(&control.pause, PAUSE_MS);
}

static void end_pause(void *unused)
{
	(void)unused;
	open_door();
}

static void start_pause(void)
{
	log_limited(&control.shortage_log, LOG_ERR, "control: accept: %m");
	close_door();
	timer_start(&control.pause, PAUSE_MS);
}

static void hang_up(struct client *client)
{
	timer_stop(&client->limit);
	if (client->watch.fd >= 0) {
		loop_del(&client->watch);
		(void)close(client->watch.fd); /* what was sent is the kernel's by now */
	}
	client->watch.fd = -1;
	open_door();
}

/* Whoever does not take it has gone. */
__attribute__((format(printf, 3, 4))) static void answer(struct client *client,
							 enum answer_kind kind, const char *format,
							 ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments); /* a cut text is still one */
	va_end(arguments);
	(void)answer_send(client->watch.fd, kind, text, -1);
	hang_up(client);
}

/* status */

static void write_status(const struct state *state, int socket) __attribute__((noreturn));
static void write_status(const struct state *state, int socket)
{
	char why[128];
	int fd = memfd_open("begat status");

	if (fd >= 0 && status_write(control.plan, state, STATUS_FOR_PEOPLE, fd) == 0 &&
	    answer_send(socket, ANSWER_OK, "", fd) == 0)
		_exit(EXIT_SUCCESS);
	snprintf(why, sizeof(why), "cannot write the status: %m");
	(void)answer_send(socket, ANSWER_ERROR, why, -1);
	_exit(EXIT_FAILURE);
}

/* Its end shows in the process list only when somebody stops or debugs it. */
static void end_writer(void *context)
{
	const struct client *client = context;

	(void)kill(client->writer, SIGKILL); /* not reaped, so nobody else's */
}

/* The client's socket is the writer's from now on. */
static void leave_to_writer(struct client *client, pid_t writer)
{
	client->writer = writer;
	hang_up(client);
	client->limit.fire = end_writer;
	timer_start(&client->limit, WRITE_MS);
}

static void tell_status(struct client *client, char **words)
{
	int fd, error;
	struct state *state = legacy_save(control.legacy, NULL, 0, &fd);
	pid_t pid = state ? fork() : -1;

	(void)words;
	if (pid == 0)
		write_status(state, client->watch.fd);
	error = errno;
	if (state) {
		state_unmap(state); /* the child has its own */
		(void)close(fd);
	}
	errno = error;
	if (pid < 0)
		answer(client, ANSWER_ERROR, "cannot tell the status: %m");
	else
		leave_to_writer(client, pid);
}

bool control_reaped(pid_t pid, int status)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &control.clients[i];

		if (pid == 0 || client->writer != pid)
			continue;
		if (WIFSIGNALED(status)) /* what else can go wrong it has said to the client */
			log_line(LOG_WARNING, "control: status for uid=%u: killed by SIG%s",
				 (unsigned)client->uid, signals_name(WTERMSIG(status)));
		client->writer = 0;
		hang_up(client);
		return true;
	}
	return false;
}

/* unban */

static const struct plan_service *find_service(const char *name)
{
	for (size_t i = 0; i < control.plan->nservices; i++) {
		const struct plan_service *service = plan_service(control.plan, i);

		if (strcmp(plan_text(control.plan, service->name), name) == 0)
			return service;
	}
	return NULL;
}

/* Standing workers have tables of their own. */
static size_t unban_all(const struct source_unban *asked)
{
	const struct plan *plan = control.plan;
	size_t count = sources_unban(asked);

	for (size_t i = 0; i < plan->nlisteners; i++)
		if (plan_listener(plan, i)->sources_fd >= 0)
			count += sources_unban_in(plan_listener(plan, i)->sources_fd, asked);
	return count;
}

static void unban(struct client *client, char **words)
{
	const struct plan_service *service = words[2] ? find_service(words[2]) : NULL;
	struct source_key key;
	struct source_unban asked = { &key, service ? service->id : 0, clock_now_ns() };
	size_t count;

	if (words[2] && service == NULL) {
		answer(client, ANSWER_ERROR, "there is no service \"%.64s\"", words[2]);
		return;
	}
	if (source_parse(words[1], &key) < 0) {
		answer(client, ANSWER_ERROR, "\"%.64s\" is not an address or a prefix", words[1]);
		return;
	}
	count = unban_all(&asked);
	log_line(LOG_NOTICE, "unbanned %s%s%s by uid=%u: %zu ban%s lifted", words[1],
		 service ? " from " : "", service ? words[2] : "", (unsigned)client->uid, count,
		 count == 1 ? "" : "s");
	answer(client, ANSWER_OK, "%zu", count);
}

/* Requests */

static const struct request {
	const char *name;
	size_t least, most;				  /* words after it */
	void (*run)(struct client *client, char **words); /* ends with NULL; answers in any case */
} requests[] = {
	{ "status", 0, 0, tell_status },
	{ "unban", 1, 2, unban },
};

static const struct request *find_request(const char *name)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (strcmp(requests[i].name, name) == 0)
			return &requests[i];
	return NULL;
}

/* Printable, and single spaces between words; how many there are, 0 when that is not so. */
static size_t split(char *text, size_t length, char *words[WORDS_MAX + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return 0;
	text[length] = '\0';
	while (text) {
		if (count == WORDS_MAX || *text == ' ' || *text == '\0')
			return 0;
		words[count++] = strsep(&text, " ");
	}
	words[count] = NULL;
	return count;
}

static void take_request(struct client *client, char *text, size_t length)
{
	char *words[WORDS_MAX + 1];
	const size_t count = length <= ANSWER_REQUEST ? split(text, length, words) : 0;
	const struct request *request = count ? find_request(words[0]) : NULL;

	if (count == 0)
		answer(client, ANSWER_ERROR, "that is not a request");
	else if (request == NULL)
		answer(client, ANSWER_ERROR, "begatd " PACKAGE_VERSION " does not know \"%.32s\"",
		       words[0]);
	else if (count - 1 < request->least || count - 1 > request->most)
		answer(client, ANSWER_ERROR, "%s: too %s words", request->name,
		       count - 1 < request->least ? "few" : "many");
	else
		request->run(client, words);
}

/* Descriptors that come along are dropped by the kernel, for which we leave no room. */
static void hear(void *context)
{
	struct client *client = context;
	char text[ANSWER_REQUEST + 2]; /* one that is too long shows, and the closing NUL */
	ssize_t length = recv(client->watch.fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (length > 0)
		take_request(client, text, (size_t)length);
	else if (length == 0 || (errno != EAGAIN && errno != EINTR))
		hang_up(client);
}

static void end_patience(void *context)
{
	hang_up(context);
}

/* Clients */

static bool is_member(const struct connection *connection, gid_t group)
{
	const gid_t *groups;
	bool are_all;
	size_t count = connection_groups(connection, &groups, &are_all);

	while (count > 0 && groups[count - 1] != group)
		count--;
	return count > 0;
}

static bool is_allowed(const struct connection *connection)
{
	const struct ucred *peer = &connection->credentials;
	const gid_t group = control.listener->socket_gid;

	return peer->uid == 0 || peer->uid == geteuid() ||
	       (group != (gid_t)-1 && is_member(connection, group));
}

static int start_client(struct client *client, int fd)
{
	client->watch.fd = fd;
	client->watch.ready = hear;
	client->watch.context = client;
	client->limit.fire = end_patience;
	client->limit.context = client;
	timer_start(&client->limit, SPEAK_MS);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return loop_add(&client->watch);
}

static void take_client(const struct connection *connection)
{
	struct client *client = find_place(); /* there is one, or the door would be closed */
	const int fd = fd_park(connection->fd);

	if (fd < 0) {
		start_pause();
		return;
	}
	client->uid = connection->credentials.uid;
	if (start_client(client, fd) < 0)
		hang_up(client);
	if (find_place() == NULL)
		close_door();
}

static void deny(struct connection *connection)
{
	const unsigned uid = connection->credentials.uid;

	log_limited(&control.denied_log, LOG_WARNING, "control: denied to uid=%u", uid);
	(void)answer_send(connection->fd, ANSWER_DENIED,
			  "only root, the daemon's user and control-group may ask",
			  -1); /* cannot wait: it is the first packet */
	(void)close(connection->fd);
}

/* One at a time: the others make us readable again. */
static void accept_client(void *unused)
{
	struct connection connection;

	(void)unused;
	switch (connection_accept(control.watch.fd, &connection)) {
	case CONNECTION_OK:
		if (is_allowed(&connection))
			take_client(&connection);
		else
			deny(&connection);
		break;
	case CONNECTION_NONE:
		break;
	case CONNECTION_AGAIN: /* which should not be, here */
	case CONNECTION_SHORT:
	case CONNECTION_BROKEN:
		start_pause();
		break;
	}
}

int control_init(const struct plan *plan, const struct legacy *legacy)
{
	control.plan = plan;
	control.legacy = legacy;
	control.listener = plan_control(plan);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		control.clients[i].watch.fd = -1;
	if (control.listener == NULL)
		return 0;
	control.watch = (struct watch){ .fd = control.listener->fd, .ready = accept_client };
	control.pause.fire = end_pause;
	if (loop_add(&control.watch) < 0)
		return -1;
	control.watching = true;
	return 0;
}

void control_remove_file(const struct plan *plan)
{
	const struct plan_listener *listener = plan_control(plan);
	const char *path = listener ? plan_text(plan, listener->path) : NULL;

	if (path && path_remove(path, listener->device, listener->inode) < 0)
		log_line(LOG_WARNING, "%s: cannot remove: %m", path);
}

/* Writers have sockets of their own, and come to an end without us. */
void control_fini(void)
{
	if (control.listener == NULL)
		return;
	control_remove_file(control.plan);
	close_door();
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (control.clients[i].watch.fd >= 0)
			(void)close(control.clients[i].watch.fd); /* nothing was said */
	(void)close(control.watch.fd);
}
