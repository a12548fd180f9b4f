/* SPDX-License-Identifier: ISC */
/*
 * redirect: passes a client on to another server.
 *
 * What "redirect" of begat.conf(5) makes of a service; nobody names it as a handler.  The bytes of
 * both sides go by in the kernel and are never seen here.  Nothing is passed to the client before a
 * target has answered, so the next one can still be tried; and the PROXY header, where one is
 * wanted, is the first that the target gets.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "handlers/handler.h"
#include "handlers/send-proxy.h"
#include "handlers/splice.h"
#include "handlers/target.h"
#include "handlers/upstream.h"

/* splice(2) raises SIGPIPE, and there is no flag against it. */
static int block_pipe_signal(void)
{
	sigset_t set;

	(void)sigemptyset(&set); /* cannot fail, nor can that: a valid number */
	(void)sigaddset(&set, SIGPIPE);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Of the connection for all who have it; but nobody else reads or writes here. */
static int prepare_client(int fd)
{
	const int flags = fcntl(fd, F_GETFL), yes = 1;

	/* Fails for a Unix socket, which needs it not. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static const char *check_send_proxy(const char *text)
{
	return send_proxy_parse(text) < 0 ? "is none of: none, v1, v2" : NULL;
}

/* The first bytes of a connection: its buffer has room for them. */
static int send_header(struct begat_session *session, int target)
{
	const int version = send_proxy_parse(begat_string(session, "send-proxy"));
	struct sockaddr_storage client = { .ss_family = AF_UNSPEC }, local = client;
	char header[SEND_PROXY_MAX];
	size_t length;

	if (begat_peer_address(session, &client) < 0 || begat_local_address(session, &local) < 0)
		client.ss_family = AF_UNSPEC;
	length = send_proxy_format((enum send_proxy)version, &client, &local, header);
	if (length == 0 || send(target, header, length, MSG_NOSIGNAL) == (ssize_t)length)
		return 0;
	return -1;
}

static int say_error(const char *what)
{
	target_complain(what, strerror(errno));
	return 1;
}

static int pass_on(struct begat_session *session, int target)
{
	if (send_header(session, target) < 0)
		return say_error("the PROXY header");
	if (splice_both(session, target) < 0)
		return say_error("pipes");
	return 0;
}

static int redirect_serve(struct begat_session *session)
{
	const struct begat_value *targets = begat_command(session, "target", 0);
	int target, status;

	if (block_pipe_signal() < 0 || prepare_client(begat_descriptor(session)) < 0)
		return say_error("the client");
	target = upstream_open(session, targets->argv, begat_number(session, "connect-timeout"));
	if (target < 0) {
		(void)begat_finish(session); /* always 0 */
		return target == UPSTREAM_GONE ? 0 : 1;
	}
	status = pass_on(session, target);
	(void)close(target); /* all that matters has been waited for */
	return status;
}

/* Its targets are the arguments of one more value, "target", which begatd makes of "redirect". */
static const struct begat_option redirect_options[] = {
	{ "connect-timeout", BEGAT_OPTION_DURATION, "5s", 1, 3600000,
	  "how long each address of a target may take to answer", NULL },
	{ "send-proxy", BEGAT_OPTION_STRING, "none", 0, 0,
	  "the PROXY header that a target gets: none, v1 or v2", check_send_proxy },
	{ .name = NULL },
};

const struct begat_handler redirect_handler = {
	.abi = BEGAT_HANDLER_ABI,
	.name = "redirect",
	.summary = "passes the client on to another server",
	.options = redirect_options,
	.serve = redirect_serve,
};
