/* SPDX-License-Identifier: ISC */
/*
 * The probe's tries to reach somebody, or to be reached.
 */
#include "probe.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const struct sockaddr *address, socklen_t length, int type)
{
	int fd = socket(address->sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, address, length) < 0)
		return errno;
	return 0;
}

static struct sockaddr_in local(uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return address;
}

static int try_tcp(void)
{
	const struct sockaddr_in address = local(target.tcp);

	return connect_to((const struct sockaddr *)&address, sizeof(address), SOCK_STREAM);
}

/* Landlock knows connect(2), and this is another way to the same. */
static int try_tcp_fast_open(void)
{
	const struct sockaddr_in address = local(target.tcp);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return result_of(sendto(fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&address,
				sizeof(address)));
}

/* TCP by another name. */
static int try_multipath(void)
{
	const struct sockaddr_in address = local(target.tcp);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd < 0)
		return errno;
	return result_of(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
}

/* Only an answer says that something has arrived. */
static int try_udp(void)
{
	const struct timeval patience = { .tv_sec = 2 };
	const struct sockaddr_in address = local(target.udp);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char answer;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, "x", 1, 0) < 0)
		return errno;
	return result_of(recv(fd, &answer, 1, 0));
}

static int try_unix(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", target.path);
	return connect_to((const struct sockaddr *)&address, sizeof(address), SOCK_STREAM);
}

static int try_abstract(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", target.abstract);
	return connect_to((const struct sockaddr *)&address,
			  offsetof(struct sockaddr_un, sun_path) + 1 + strlen(target.abstract),
			  SOCK_STREAM);
}

static int bind_to(uint16_t port)
{
	const struct sockaddr_in address = local(port);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return errno;
	return result_of(listen(fd, 1));
}

static int try_bind(void)
{
	return bind_to(target.bind);
}

static int try_bind_low(void)
{
	return bind_to(81);
}

static int try_raw_socket(void)
{
	return result_of(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int try_packet_socket(void)
{
	return result_of(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_interface(void)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(request.ifr_name, "lo");
	return fd < 0 ? errno : result_of(ioctl(fd, SIOCSIFFLAGS, &request));
}

const struct try network_tries[] = {
	{ "tcp", try_tcp },
	{ "tcp-fast-open", try_tcp_fast_open },
	{ "multipath", try_multipath },
	{ "udp", try_udp },
	{ "unix", try_unix },
	{ "abstract", try_abstract },
	{ "bind", try_bind },
	{ "bind-low", try_bind_low },
	{ "raw-socket", try_raw_socket },
	{ "packet-socket", try_packet_socket },
	{ "interface", try_interface },
	{ NULL, NULL },
};
