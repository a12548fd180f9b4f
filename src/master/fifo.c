/* SPDX-License-Identifier: ISC */
/*
 * The FIFOs at run time.
 *
 * What can go wrong in a directory of somebody else's goes wrong in a process of its own, the
 * keeper (worker/keeper.h).  The master sees a socket on which readers come in as on a listening
 * one, each as the write end of a pipe; they wait there when the gate is closed.  A keeper that
 * ends is started again: at once when it has kept for a while, and else after pauses of 1 s
 * doubling to 60 s.  It counts for no limit, and its end says nothing about the service.
 *
 * Without a keeper the gate is closed (GATE_LENT), and its watch has no descriptor.
 */
#include "config.h"

#include "master/fifo.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fifo.h"
#include "base/mem.h"
#include "master/birth.h"
#include "master/ending.h"
#include "master/serving.h"
#include "master/throttle.h"
#include "report/log.h"
#include "worker/keeper.h"

#define PAUSE_FIRST_MS 1000
#define PAUSE_LAST_MS  60000

struct fifo {
	struct gate *gate;
	struct timer pause; /* until another keeper is tried */
	int pause_ms;	    /* the last one; 0: its keeper has kept */
	SLIST_ENTRY(fifo) of_all;
};

static void end_pause(void *context);

static SLIST_HEAD(, fifo) fifos = SLIST_HEAD_INITIALIZER(fifos);

/* There are few, and looked for when something has happened. */
static struct fifo *find(const struct gate *gate)
{
	struct fifo *fifo;

	SLIST_FOREACH (fifo, &fifos, of_all)
		if (fifo->gate == gate)
			break;
	return fifo;
}

/* Only while the daemon starts. */
static void init(struct gate *gate)
{
	struct fifo *fifo;

	if (find(gate))
		return;
	fifo = xcalloc(1, sizeof(*fifo));
	fifo->gate = gate;
	fifo->pause = (struct timer){ .fire = end_pause, .context = fifo };
	SLIST_INSERT_HEAD(&fifos, fifo, of_all);
}

static struct child *add_keeper(struct gate *gate)
{
	struct child *child = child_add(gate->serving, "keeper");

	if (child) {
		child->role = WORKER_KEEPER;
		child->gate = gate;
	} else {
		errno = EAGAIN;
	}
	return child;
}

/* A keeper has no client; its connection is /dev/null. */
static int beget(struct gate *gate, struct child *child, int talk_fd)
{
	struct connection nobody = { .peer = { .ss_family = AF_UNSPEC } };

	nobody.proxy.ss_family = nobody.local.ss_family = AF_UNSPEC;
	strcpy(nobody.text, child->peer); /* both are INET_TEXT */
	nobody.fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (nobody.fd < 0)
		return -1;
	return birth_give(serving_plan(), child, gate->plan, &nobody, talk_fd);
}

static int start_with(struct gate *gate, int ours, int keepers)
{
	struct child *child = add_keeper(gate);

	if (child == NULL)
		return -1;
	gate->watch.fd = ours;
	if (beget(gate, child, keepers) == 0)
		return 0;
	gate->watch.fd = -1;
	child_del(child);
	return -1;
}

static int start(struct gate *gate)
{
	int ours, keepers, result, error;

	if (fd_pair(&ours, &keepers) < 0)
		return -1;
	result = start_with(gate, ours, keepers);
	error = errno;
	fd_close(&keepers); /* the keeper has it */
	if (result == 0) {
		gate_open(gate, GATE_LENT);
		return 0;
	}
	fd_close(&ours); /* nothing was said */
	errno = error;
	return -1;
}

void fifo_adopt(struct gate *gate, struct child *keeper, int talk_fd)
{
	if (gate == NULL || talk_fd < 0) {
		keeper->gate = NULL;
		keeper->talk.fd = talk_fd;
		return;
	}
	init(gate);
	gate->watch.fd = talk_fd;
	gate_open(gate, GATE_LENT);
}

/* One that does not hear it is gone, or full of words: then the end of the socket says enough. */
static int say(int talk_fd, const void *packet, size_t length)
{
	if (send(talk_fd, packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	log_debug("fifo", "a keeper does not hear: %m");
	return -1;
}

static int say_remove(int talk_fd)
{
	const char word = KEEPER_REMOVE;

	return say(talk_fd, &word, 1);
}

static void say_owner(const struct gate *gate)
{
	const struct fifo_owner owner = { gate->plan->socket_uid, gate->plan->socket_gid,
					  gate->plan->socket_mode };
	char packet[1 + sizeof(owner)] = { KEEPER_OWNER };

	memcpy(packet + 1, &owner, sizeof(owner));
	(void)say(gate->watch.fd, packet, sizeof(packet)); /* the next keeper knows by itself */
}

static void dismiss(struct child *keeper)
{
	if (keeper->talk.fd < 0)
		return;
	if (say_remove(keeper->talk.fd) < 0)
		log_line(LOG_WARNING, "%s: cannot remove a FIFO: its keeper does not hear",
			 keeper->serving->name);
	(void)close(keeper->talk.fd); /* all is said */
	keeper->talk.fd = -1;
}

/* Asked first, because a descriptor that finds no place is lost with its reader: unix(7). */
static bool has_place(void)
{
	const int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return false;
	(void)close(fd); /* only tried */
	return true;
}

/* 1: a packet; 0: none, as errno says; and the descriptor that was with it, or -1. */
static ssize_t receive(int talk_fd, char *word, int *fd)
{
	struct iovec bytes = { word, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(*fd))];
	} control;
	struct msghdr message = { .msg_iov = &bytes,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_LEN(sizeof(*fd)) }; /* no room for two */
	const ssize_t length = recvmsg(talk_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	*fd = -1;
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(*fd)))
		memcpy(fd, CMSG_DATA(header), sizeof(*fd));
	return length;
}

/* The write end of a pipe, and nothing else. */
static bool is_reader(char word, int fd)
{
	struct stat status;

	return word == KEEPER_READER && fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
	       (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

static enum connection_result check(char word, int fd, struct connection *connection)
{
	if (!is_reader(word, fd)) {
		if (fd >= 0)
			(void)close(fd); /* not ours to use */
		errno = EPROTO;
		return CONNECTION_AGAIN;
	}
	*connection = (struct connection){
		.fd = fd,
		.peer = { .ss_family = AF_UNSPEC },
		.credentials = { .uid = (uid_t)-1, .gid = (gid_t)-1 },
		.proxy = { .ss_family = AF_UNSPEC },
		.local = { .ss_family = AF_UNSPEC },
	};
	return CONNECTION_OK;
}

enum connection_result fifo_accept(struct gate *gate, struct connection *connection)
{
	ssize_t length;
	char word;
	int fd;

	if (!has_place())
		return CONNECTION_SHORT;
	length = receive(gate->watch.fd, &word, &fd);
	if (length > 0)
		return check(word, fd, connection);
	if (length < 0 && errno == EAGAIN)
		return CONNECTION_NONE;
	if (length < 0 && errno == EINTR)
		return CONNECTION_AGAIN;
	if (length < 0 && errno != ECONNRESET)
		return CONNECTION_SHORT;
	gate_close(gate, GATE_LENT); /* it has ended, and SIGCHLD is to come */
	return CONNECTION_NONE;
}

/* Readers that it has left in the socket would wait for an answer: they see the end. */
static void lose(struct gate *gate)
{
	gate_close(gate, GATE_LENT);
	if (gate->watch.fd >= 0)
		(void)close(gate->watch.fd); /* nobody is at the other end */
	gate->watch.fd = -1;
}

static void try_again(struct fifo *fifo, const char *why)
{
	fifo->pause_ms = fifo->pause_ms ? fifo->pause_ms * 2 : PAUSE_FIRST_MS;
	if (fifo->pause_ms > PAUSE_LAST_MS)
		fifo->pause_ms = PAUSE_LAST_MS;
	log_line(LOG_ERR, "%s: %s: %s; trying again in %d s", fifo->gate->serving->name,
		 plan_text(serving_plan(), fifo->gate->plan->address), why,
		 fifo->pause_ms / (int)MS_IN_S);
	timer_start(&fifo->pause, fifo->pause_ms);
}

static void end_pause(void *context)
{
	struct fifo *fifo = context;

	if (!(fifo->gate->closed & GATE_STOPPED) && start(fifo->gate) < 0)
		try_again(fifo, strerror(errno));
}

static void settle_keepers(void)
{
	for (struct child *child = child_next(NULL); child; child = child_next(child)) {
		if (child->role != WORKER_KEEPER)
			continue;
		if (child->gate == NULL)
			dismiss(child);
		else if (child->gate->plan->changed && child->gate->watch.fd >= 0)
			say_owner(child->gate);
	}
}

void fifos_settle(void)
{
	const struct plan *plan = serving_plan();
	struct gate *gate;

	settle_keepers();
	for (uint32_t i = 0; i < plan->nlisteners; i++) {
		if (plan_listener(plan, i)->kind != PLAN_FIFO)
			continue;
		gate = gates_find(i);
		init(gate);
		if (gate->watch.fd < 0)
			end_pause(find(gate));
	}
}

static void explain(const struct child_end *end, char *why, size_t size)
{
	if (end->result == RESULT_STEP && end->step == WORKER_STEP_KEEPER && end->error == EEXIST)
		snprintf(why, size, "there is something that is not a FIFO of ours; remove it");
	else
		ending_format(end, why, size);
}

/* One that has kept for a while is missed at once, unless it has said what is wrong. */
static void replace(struct fifo *fifo, const struct child_end *end)
{
	const bool has_kept = end->duration_ns >= THROTTLE_QUICK_MS * NS_IN_MS;
	char why[ENDING_TEXT];

	if (has_kept)
		fifo->pause_ms = 0;
	if (has_kept && end->result != RESULT_STEP) {
		end_pause(fifo);
		return;
	}
	explain(end, why, sizeof(why));
	try_again(fifo, why);
}

void fifo_ended(struct child *child, const struct child_end *end)
{
	if (child->role != WORKER_KEEPER)
		return;
	if (child->gate == NULL) {
		dismiss(child);
		return;
	}
	lose(child->gate);
	if (!(child->gate->closed & GATE_STOPPED))
		replace(find(child->gate), end);
}

void fifo_close(struct gate *gate, bool remove)
{
	if (find(gate) == NULL)
		return;
	timer_stop(&find(gate)->pause);
	if (remove && (gate->watch.fd < 0 || say_remove(gate->watch.fd) < 0))
		log_line(LOG_WARNING, "%s: cannot remove: its keeper does not hear",
			 plan_text(serving_plan(), gate->plan->path));
	lose(gate);
}
