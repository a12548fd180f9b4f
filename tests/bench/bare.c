/* SPDX-License-Identifier: ISC */
/*
 * bare: the least code that still does a server's work, to measure begat against.
 *
 *     bare daytime|echo READY-FD PORT LISTENERS            accept, fork, the child answers
 *     bare spawn READY-FD PORT LISTENERS PROGRAM           accept, clone, the child execs
 *     bare crowd READY-FD PORT LISTENERS                   the first as daytime, the others as echo
 *     bare refuse READY-FD PORT LISTENERS                  the first as daytime; accept, close
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
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAP_MS		100
#define STACK_SIZE	(64 * 1024)
#define EVENTS		64
#define ACCEPTS_AT_ONCE 16 /* other listeners come after that */

/* What an accepted connection gets.  The child, 0 when it needs none, or -1. */
typedef pid_t serve_function(int fd);

static char *program[2];
static char stack[STACK_SIZE] __attribute__((aligned(16)));
static int debts; /* children that are not yet waited for */

extern char **environ;

static void answer_daytime(int fd)
{
	time_t now = time(NULL);
	struct tm local;
	char text[64];
	size_t length =
		strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y\r\n", localtime_r(&now, &local));

	if (write(fd, text, length) < 0)
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

static int open_listener(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, SOMAXCONN) < 0)
		err(1, "port %d", port);
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
	int first = open_listener(port);

	watch(epoll_fd, first);
	for (int i = 1; i < count; i++)
		watch(epoll_fd, open_listener(port + i));
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
	serve_function *first, *others; /* listeners */
};

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

static const struct mode *find_mode(int argc, char **argv)
{
	static const struct mode modes[] = {
		{ "daytime", 5, serve_daytime, serve_daytime },
		{ "echo", 5, serve_echo, serve_echo },
		{ "spawn", 6, serve_spawn, serve_spawn },
		{ "crowd", 5, serve_daytime, serve_echo },
		{ "refuse", 5, serve_daytime, serve_nothing },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc == modes[i].argc && strcmp(argv[1], modes[i].name) == 0)
			return &modes[i];
	errx(2, "bare daytime|echo|spawn|crowd|refuse READY-FD PORT LISTENERS [PROGRAM]");
}

int main(int argc, char **argv)
{
	const struct mode *mode = find_mode(argc, argv);
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), first;

	program[0] = argv[5]; /* NULL where there is none */
	tzset();	      /* here, not in each child */
	raise_descriptors();
	first = open_listeners(epoll_fd, atoi(argv[3]), atoi(argv[4]));
	if (write(atoi(argv[2]), "\n", 1) != 1)
		err(1, "ready");
	run(epoll_fd, first, mode);
}
