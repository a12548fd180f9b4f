/* SPDX-License-Identifier: ISC */
/*
 * Requests to a running daemon.
 *
 * There is one packet each way (plan/answer.h), and a limit on waiting.  A daemon that is in the
 * middle of a reload closes without a word, and is asked again: nothing that can be asked for is
 * done twice by that.
 */
#include "config.h"

#include "client/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "report/log.h"

#define WAIT_S	 30 /* as long as the daemon gives itself */
#define TRIES	 20
#define PAUSE_MS 100

char *call_default_path(void)
{
	const char *directory = getenv("XDG_RUNTIME_DIR");
	char *own;

	if (geteuid() == 0 || directory == NULL || directory[0] != '/')
		return xstrdup(BEGAT_CONTROL_PATH);
	own = xasprintf("%s/begat/begat.sock", directory);
	if (access(own, F_OK) == 0)
		return own;
	free(own);
	return xstrdup(BEGAT_CONTROL_PATH);
}

static void fail_connect(const char *control) __attribute__((noreturn));
static void fail_connect(const char *control)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		fatal(EXIT_NOT_RUNNING,
		      "%s: begatd is not running, or its control socket is elsewhere (--control)",
		      control);
	case EACCES:
	case EPERM:
		fatal(EXIT_PRIVILEGE,
		      "%s: %m; only root, the daemon's user and control-group may ask", control);
	case EPROTOTYPE:
		fatal(EXIT_GENERIC, "%s: this is not the control socket of begatd", control);
	case EAGAIN:
		fatal(EXIT_GENERIC, "%s: the daemon is too busy to answer", control);
	default:
		fatal(EXIT_GENERIC, "%s: %m", control);
	}
}

static int open_socket(const char *control)
{
	const struct timeval limit = { .tv_sec = WAIT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(control) >= sizeof(address.sun_path))
		fatal(EXIT_USAGE, "%s: too long for a socket", control);
	memcpy(address.sun_path, control, strlen(control));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		fatal(EXIT_GENERIC, "socket: %m");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fail_connect(control);
	return fd;
}

/* As packet_receive().  A daemon that closes before it has read all makes sending fail. */
static int try(const char *control, const char *request, struct answer *answer)
{
	int got, error, fd = open_socket(control);

	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		fatal(EXIT_GENERIC, "%s: %m", control);
	got = answer_receive(fd, answer);
	error = errno;
	(void)close(fd); /* nothing more is to come */
	errno = error;
	return got < 0 && errno == ECONNRESET ? 0 : got;
}

static int try_often(const char *control, const char *request, struct answer *answer)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * NS_IN_MS };
	int got = 0;

	for (int i = 0; i < TRIES && got == 0; i++) {
		if (i)
			(void)nanosleep(&pause, NULL); /* an early end only means an early try */
		got = try(control, request, answer);
	}
	return got;
}

void call_make(const char *control, const char *request, struct answer *answer)
{
	int got = try_often(control, request, answer);

	if (got == 0)
		fatal(EXIT_GENERIC, "%s: the daemon gives no answer; its log may say why", control);
	if (got < 0 && errno == EAGAIN)
		fatal(EXIT_GENERIC, "%s: no answer within %d s", control, WAIT_S);
	if (got < 0)
		fatal(EXIT_GENERIC, "%s: the answer cannot be understood: %m", control);
	if (answer->kind != ANSWER_OK)
		fatal(answer->kind == ANSWER_DENIED ? EXIT_PRIVILEGE : EXIT_GENERIC, "%s",
		      answer->text);
}
