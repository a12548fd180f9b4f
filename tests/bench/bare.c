/* SPDX-License-Identifier: ISC */
/*
 * bare: the least code that still does a server's work, to measure begat against.
 *
 *     bare daytime|echo READY-FD PORT LISTENERS            accept, fork, the child answers
 *     bare spawn READY-FD PORT LISTENERS PROGRAM           accept, clone, the child execs
 *     bare crowd READY-FD PORT LISTENERS                   the first as daytime, the others as echo
 *     bare refuse READY-FD PORT LISTENERS                  the first as daytime; accept, close
 *     bare inproc READY-FD PORT                            accept, answer with daytime, close
 *     bare datagrams READY-FD PORT                         recvmmsg, answer with time, sendmmsg
 *     bare singly READY-FD PORT                            recvfrom, answer with time, sendto
 *     bare splice READY-FD PORT TARGET-PORT                passes clients on to a port of 127.0.0.1
 *
 * It has no configuration, no identity to change, no log, no limit, and forgives no error.  It
 * listens on LISTENERS ports of 127.0.0.1 from PORT on, and writes a newline to READY-FD when it
 * does.  Linked as begat-master is.
 */
#include "config.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inproc.h"
#include "splicer.h"

#define REAP_MS		100
#define STACK_SIZE	(64 * 1024)
#define EVENTS		64
#define DATAGRAM_BUFFER (1024 * 1024) /* that of listen/endpoint.c */
#define ACCEPTS_AT_ONCE 16	      /* other listeners come after that */

/* What an accepted connection gets.  The child, 0 when it needs none, or -1. */
typedef pid_t serve_function(int fd);

static char *program[2];
static char stack[STACK_SIZE] __attribute__((aligned(16)));
static int target_port;
static int debts; /* children that are not yet waited for */

extern char **environ;

static void answer_daytime(int fd)
{
	char text[INPROC_DAYTIME];

	if (write(fd, text, inproc_format_daytime(text)) < 0)
		_exit(1);
}

static void answer_echo(int fd)
{
	char bytes[4096];
	ssize_t length;

	while ((length = read(fd, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t)length) != length)
			_exit(1);
}

static pid_t fork_to(void (*answer)(int fd), int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		answer(fd);
		_exit(0);
	}
	return pid;
}

static int exec_program(void *connection)
{
	int fd = *(int *)connection;

	if (dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(1);
	execve(program[0], program, environ);
	_exit(1);
}

static pid_t serve_daytime(int fd)
{
	return fork_to(answer_daytime, fd);
}

static pid_t serve_echo(int fd)
{
	return fork_to(answer_echo, fd);
}

static pid_t serve_spawn(int fd)
{
	return clone(exec_program, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, &fd);
}

static pid_t serve_nothing(int fd)
{
	(void)fd;
	return 0;
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		err(1, "setrlimit");
}

/* As much as begat's sockets have: what waits in it is what a flood delays others by. */
static void raise_buffer(int fd)
{
	const int size = DATAGRAM_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0)
		err(1, "buffer");
}

static int open_socket(int type, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    (type != SOCK_DGRAM && listen(fd, SOMAXCONN) < 0))
		err(1, "port %d", port);
	if (type == SOCK_DGRAM)
		raise_buffer(fd);
	return fd;
}

static void watch(int epoll_fd, int listener)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = listener };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) < 0)
		err(1, "epoll");
}

/* The first of them. */
static int open_listeners(int epoll_fd, int port, int count)
{
	int first = open_socket(SOCK_STREAM | SOCK_NONBLOCK, port);

	watch(epoll_fd, first);
	for (int i = 1; i < count; i++)
		watch(epoll_fd, open_socket(SOCK_STREAM | SOCK_NONBLOCK, port + i));
	return first;
}

static void reap(void)
{
	while (debts > 0 && waitpid(-1, NULL, WNOHANG) > 0)
		debts--;
}

static void pass(int listener, serve_function *serve)
{
	pid_t child;
	int fd;

	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
			err(1, "accept");
		if (fd < 0)
			return;
		child = serve(fd);
		if (child < 0)
			err(1, "no child");
		close(fd);
		debts += child > 0;
		reap();
	}
}

struct mode {
	const char *name;
	int argc;
	serve_function *first, *others; /* listeners; NULL: ... */
	int type;			/* ... one socket of this type ... */
	void (*serve)(int fd);		/* ... for this, which does not return */
};

static void say_ready(int fd)
{
	if (write(fd, "\n", 1) != 1)
		err(1, "ready");
}

static void run(int epoll_fd, int first, const struct mode *mode) __attribute__((noreturn));
static void run(int epoll_fd, int first, const struct mode *mode)
{
	struct epoll_event events[EVENTS];
	int count, fd;

	for (;;) {
		count = epoll_wait(epoll_fd, events, EVENTS, debts ? REAP_MS : -1);
		if (count < 0)
			err(1, "epoll");
		for (int i = 0; i < count; i++) {
			fd = events[i].data.fd;
			pass(fd, fd == first ? mode->first : mode->others);
		}
		reap();
	}
}

static void run_mode(const struct mode *mode, char **argv)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), first;

	program[0] = argv[5]; /* NULL where there is none */
	first = open_listeners(epoll_fd, atoi(argv[3]), atoi(argv[4]));
	say_ready(atoi(argv[2]));
	run(epoll_fd, first, mode);
}

static void run_alone(const struct mode *mode, char **argv)
{
	const int fd = open_socket(mode->type, atoi(argv[3]));

	say_ready(atoi(argv[2]));
	mode->serve(fd);
}

static void splice_to_target(int fd)
{
	splicer_run(fd, target_port);
}

static const struct mode *find_mode(int argc, char **argv)
{
	static const struct mode modes[] = {
		{ "daytime", 5, serve_daytime, serve_daytime, 0, NULL },
		{ "echo", 5, serve_echo, serve_echo, 0, NULL },
		{ "spawn", 6, serve_spawn, serve_spawn, 0, NULL },
		{ "crowd", 5, serve_daytime, serve_echo, 0, NULL },
		{ "refuse", 5, serve_daytime, serve_nothing, 0, NULL },
		{ "inproc", 4, NULL, NULL, SOCK_STREAM, inproc_serve_streams },
		{ "datagrams", 4, NULL, NULL, SOCK_DGRAM, inproc_serve_datagrams },
		{ "singly", 4, NULL, NULL, SOCK_DGRAM, inproc_serve_singly },
		{ "splice", 5, NULL, NULL, SOCK_STREAM | SOCK_NONBLOCK, splice_to_target },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc == modes[i].argc && strcmp(argv[1], modes[i].name) == 0)
			return &modes[i];
	errx(2, "usage: bare MODE READY-FD PORT ...");
}

int main(int argc, char **argv)
{
	const struct mode *mode = find_mode(argc, argv);

	tzset(); /* here, not in each child */
	raise_descriptors();
	if (mode->serve == splice_to_target)
		target_port = atoi(argv[4]);
	if (mode->first)
		run_mode(mode, argv);
	else
		run_alone(mode, argv);
}
