/* SPDX-License-Identifier: ISC */
/* Listeners: what is opened for an address, and what is kept of a daemon that runs. */
#include "config.h"

#include "listen/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/inet.h"
#include "descriptors.h"
#include "folder.h"
#include "handlers/handler.h"
#include "listen/endpoint.h"
#include "suite.h"

/* One service that listens there. */
static struct config *configure(const char *text, const struct begat_handler *handler)
{
	static struct service_listen listen;
	static struct service service;
	static struct service *services[] = { &service };
	static struct config config;
	struct address *list;
	char error[256];
	size_t count;

	ck_assert_msg(address_parse(text, &list, &count, error, sizeof(error)) == 0, "%s", error);
	ck_assert_uint_eq(count, 1);
	listen = (struct service_listen){ .address = list[0] };
	free(list);
	service = (struct service){
		.name = (char *)(uintptr_t) "s",
		.listen = &listen,
		.nlisten = 1,
		.backlog = 7,
		.socket_uid = (uid_t)-1,
		.socket_gid = (gid_t)-1,
		.socket_mode = 0600,
		.handler = handler,
	};
	config = (struct config){ .services = services, .nservices = 1 };
	return &config;
}

static struct listener_set planned(const char *text, const struct begat_handler *handler,
				   struct listener_set *held)
{
	struct listener_set set;

	listeners_plan(configure(text, handler), held, &set);
	ck_assert_uint_eq(set.count, 1);
	return set;
}

static struct listener_set opened(const char *text, const struct begat_handler *handler)
{
	struct listener_set set = planned(text, handler, NULL);

	listeners_open(&set);
	return set;
}

static int option(const struct listener *listener, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	ck_assert_int_eq(getsockopt(listener->fd, level, name, &value, &length), 0);
	return value;
}

/* Nobody else of the same user may take a part of what is sent to us; where it was sent to is told;
 * and a burst finds room. */
START_TEST(sockets_for_datagrams)
{
	struct listener_set set = opened("udp:0", &daytime_handler);
	struct listener_set four = opened("udp:127.0.0.1:0", &daytime_handler);
	const struct listener *listener = &set.all[0];

	ck_assert_int_eq(option(listener, SOL_SOCKET, SO_TYPE), SOCK_DGRAM);
	ck_assert_int_eq(option(listener, SOL_SOCKET, SO_REUSEADDR), 0);
	ck_assert_int_eq(option(listener, SOL_SOCKET, SO_REUSEPORT), 0);
	if (option(listener, SOL_SOCKET, SO_DOMAIN) == AF_INET6) {
		ck_assert_int_eq(option(listener, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
		ck_assert_int_eq(option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	}
	ck_assert_int_eq(option(&four.all[0], IPPROTO_IP, IP_PKTINFO), 1);
	if (geteuid() == 0)
		ck_assert_int_ge(option(listener, SOL_SOCKET, SO_RCVBUF), 2 << 20);
	ck_assert_int_ge(listener->fd, 64);
	ck_assert_int_eq(fcntl(listener->fd, F_GETFD), FD_CLOEXEC);
	ck_assert(fcntl(listener->fd, F_GETFL) & O_NONBLOCK);
	ck_assert(listener->internet && listener->type == SOCK_DGRAM && listener->backlog == 0);
	ck_assert(listener->port != 0 && four.all[0].port != 0);
	ck_assert_str_eq(listener->asked, "udp:0");
	ck_assert_uint_eq(strtoul(strrchr(listener->address, ':') + 1, NULL, 10), listener->port);
	listeners_close(&set);
	listeners_close(&four);
}
END_TEST

/* What is sent to a socket for both families tells where, in the family of the client. */
START_TEST(addresses_that_were_asked)
{
	struct listener_set set = opened("udp:0", &daytime_handler);
	char bytes[8], control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec vector = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(set.all[0].port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct in6_pktinfo info;

	to.sin_addr.s_addr = htonl(0x7f000005);
	ck_assert_int_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	if (option(&set.all[0], SOL_SOCKET, SO_DOMAIN) == AF_INET6) {
		ck_assert_int_eq(recvmsg(set.all[0].fd, &message, 0), 1);
		ck_assert_ptr_nonnull(CMSG_FIRSTHDR(&message));
		ck_assert_int_eq(CMSG_FIRSTHDR(&message)->cmsg_type, IPV6_PKTINFO);
		memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(info));
		ck_assert(IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr));
		ck_assert_mem_eq(info.ipi6_addr.s6_addr + 12, "\x7f\0\0\5", 4);
	}
	close(fd);
	listeners_close(&set);
}
END_TEST

/* Whether it could be opened, and what was said. */
static bool opens(const char *scheme, unsigned port, char error[static 256])
{
	struct listener_set set;
	struct address address;
	char text[64];
	int result;

	snprintf(text, sizeof(text), "%s%u", scheme, port);
	set = planned(text, &daytime_handler, NULL);
	address = *set.all[0].wanted;
	result = endpoint_open(&set.all[0], &address, error);
	if (result < 0)
		ck_assert_int_eq(errno, EADDRINUSE);
	listeners_close(&set);
	return result == 0;
}

static void check_busy(const char *scheme, unsigned port)
{
	char error[256], held[256];

	snprintf(held, sizeof(held), "Address already in use (held by test_listener, pid %d)",
		 getpid());
	ck_assert(!opens(scheme, port, error));
	ck_assert_str_eq(error, held);
}

/* F30: another protocol's port is another one; and who is in the way is named, for datagrams too. A
 * port may be somebody's elsewhere, so the kernel is asked for several. */
START_TEST(who_is_in_the_way)
{
	bool is_free_elsewhere = false;
	char error[256];

	for (int i = 0; i < 20 && !is_free_elsewhere; i++) {
		struct listener_set set = opened("udp:127.0.0.1:0", &daytime_handler);
		const unsigned port = set.all[0].port;

		is_free_elsewhere = opens("udp:127.0.0.2:", port, error) &&
				    opens("tcp:127.0.0.1:", port, error);
		check_busy("udp:127.0.0.1:", port);
		if (is_free_elsewhere) {
			check_busy("udp:", port);
			check_busy("udp4:", port);
		}
		listeners_close(&set);
	}
	ck_assert(is_free_elsewhere);
}
END_TEST

/* Only workers that admit clients themselves need a table, and there is one for each listener. */
START_TEST(tables_of_sources)
{
	const size_t before = descriptors_count();
	struct listener_set set = opened("udp:127.0.0.1:0", &daytime_handler);
	struct listener_set program = opened("udp:127.0.0.1:0", NULL);
	struct listener_set stream = opened("tcp:127.0.0.1:0", &daytime_handler);
	struct stat status;

	ck_assert(set.all[0].standing && program.all[0].standing && !stream.all[0].standing);
	ck_assert_int_ge(set.all[0].sources_fd, 64);
	ck_assert_int_eq(fcntl(set.all[0].sources_fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fstat(set.all[0].sources_fd, &status), 0);
	ck_assert_int_eq(status.st_size, 0);
	ck_assert_int_eq(program.all[0].sources_fd, -1);
	ck_assert_int_eq(stream.all[0].sources_fd, -1);
	ck_assert_uint_eq(stream.all[0].port, 0);
	ck_assert_int_eq(stream.all[0].backlog, 7);
	listeners_close(&set);
	listeners_close(&program);
	listeners_close(&stream);
	ck_assert_uint_eq(descriptors_count(), before);
}
END_TEST

/* What is kept has the numbers of the daemon that runs; a table that it has not is made. */
START_TEST(kept_over_a_reload)
{
	struct listener held = { .fd = 100, .sources_fd = 101, .owner = "s" };
	struct listener_set old = { &held, 1 }, set;

	held.asked = (char *)(uintptr_t) "udp:[::1]:0";
	held.address = (char *)(uintptr_t) "udp:[::1]:4711";
	set = planned(held.asked, &daytime_handler, &old);
	listeners_open(&set);
	ck_assert(set.all[0].kept && set.all[0].sources_kept && !set.all[0].changed);
	ck_assert_int_eq(set.all[0].fd, 100);
	ck_assert_int_eq(set.all[0].sources_fd, 101);
	ck_assert_uint_eq(set.all[0].port, 4711);
	listeners_close(&set);
	held.kept = false;
	set = planned(held.asked, NULL, &old); /* it has become a program */
	listeners_open(&set);
	ck_assert(set.all[0].kept && !set.all[0].sources_kept);
	ck_assert_int_eq(set.all[0].sources_fd, -1);
	listeners_close(&set);
	held.kept = false;
	held.sources_fd = -1;
	set = planned(held.asked, &daytime_handler, &old); /* it was one */
	listeners_open(&set);
	ck_assert(set.all[0].kept && !set.all[0].sources_kept);
	ck_assert_int_eq(set.all[0].fd, 100);
	ck_assert_int_ge(fcntl(set.all[0].sources_fd, F_GETFD), 0);
	listeners_close(&set);
}
END_TEST

static const char *fifo_text(void)
{
	static char text[128];

	enter_directory();
	snprintf(text, sizeof(text), "fifo:%s/f", directory);
	return text;
}

static mode_t type_of(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

/* A start that fails leaves a FIFO as it was: gone, or there. */
START_TEST(fifos_are_made)
{
	const char *text = fifo_text();
	const size_t before = descriptors_count();
	struct listener_set set = planned(text, &daytime_handler, NULL);

	/* A plan is tried before anything is opened. */
	ck_assert_str_eq(set.all[0].path, text + strlen("fifo:"));
	listeners_close(&set);
	ck_assert_uint_eq(type_of("f"), 0);
	set = opened(text, &daytime_handler);
	ck_assert_uint_eq(type_of("f"), S_IFIFO);
	ck_assert_int_eq(set.all[0].fd, -1);
	ck_assert_str_eq(set.all[0].path, text + strlen("fifo:"));
	ck_assert_str_eq(set.all[0].address, text);
	ck_assert(set.all[0].device == 0 && set.all[0].inode == 0 && !set.all[0].internet);
	listeners_close(&set);
	ck_assert_uint_eq(type_of("f"), 0);
	ck_assert_int_eq(mkfifo("f", 0600), 0);
	set = opened(text, &daytime_handler);
	listeners_close(&set);
	ck_assert_uint_eq(type_of("f"), S_IFIFO);
	ck_assert_uint_eq(descriptors_count(), before);
	leave_directory();
}
END_TEST

/* Its keeper may have put another one in its place, which is nobody else's business. */
START_TEST(fifos_of_others_stay)
{
	struct listener_set set = opened(fifo_text(), &daytime_handler);

	ck_assert_int_eq(mkfifo("g", 0600), 0);
	ck_assert_int_eq(rename("g", "f"), 0);
	listeners_close(&set);
	ck_assert_uint_eq(type_of("f"), S_IFIFO);
	leave_directory();
}
END_TEST

static void check_refuses(const char *text, int reason, const char *expected)
{
	struct listener_set set = planned(text, &daytime_handler, NULL);
	struct address address = *set.all[0].wanted;
	char error[256];

	ck_assert_int_eq(endpoint_open(&set.all[0], &address, error), -1);
	ck_assert_int_eq(errno, reason);
	ck_assert_str_eq(error, expected);
	listeners_close(&set);
}

/* What is something else is left alone, and so is what a link leads to. */
START_TEST(fifos_in_bad_places)
{
	static const char taken[] =
		"there is a file that is not a FIFO; remove it or choose another path";
	const char *text = fifo_text();

	write_file("f", "precious");
	check_refuses(text, EEXIST, taken);
	ck_assert_uint_eq(type_of("f"), S_IFREG);
	ck_assert_int_eq(rename("f", "file"), 0);
	ck_assert_int_eq(symlink("file", "f"), 0);
	check_refuses(text, EEXIST, taken);
	ck_assert_int_eq(unlink("f"), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	ck_assert_int_eq(symlink("fifo", "f"), 0);
	check_refuses(text, EEXIST, taken);
	ck_assert_int_eq(unlink("f"), 0);
	ck_assert_int_eq(link("fifo", "f"), 0);
	check_refuses(text, EEXIST,
		      "there is a FIFO of somebody else's, or one with a second name; remove it "
		      "or choose another path");
	ck_assert_int_eq(unlink("f"), 0);
	ck_assert_int_eq(mkdir("f", 0700), 0);
	check_refuses(text, EEXIST, taken);
	leave_directory();
	check_refuses(text, ENOENT, "the FIFO cannot be made: No such file or directory");
}
END_TEST

/* One that cannot be given away is not left behind as nobody's. */
START_TEST(fifos_half_made)
{
	struct listener_set set = planned(fifo_text(), &daytime_handler, NULL);
	struct address address = *set.all[0].wanted;
	const uid_t we = geteuid();
	char error[256];

	set.all[0].uid = we + 1;
	if (we == 0) {
		ck_assert_int_eq(chown(".", 1000, (gid_t)-1), 0);
		ck_assert_int_eq(seteuid(1000), 0);
		set.all[0].uid = 0;
	}
	ck_assert_int_eq(endpoint_open(&set.all[0], &address, error), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_str_eq(error, "the FIFO cannot be made: Operation not permitted");
	listeners_close(&set);
	ck_assert_uint_eq(type_of("f"), 0);
	ck_assert_int_eq(seteuid(we), 0);
	leave_directory();
}
END_TEST

/* Nothing of it is open, so there are no numbers to be kept; and no file that it is known by. */
START_TEST(fifos_are_kept)
{
	struct listener held = { .fd = -1, .sources_fd = -1, .owner = "s", .mode = 0600 };
	struct listener_set old = { &held, 1 }, set;

	held.uid = (uid_t)-1;
	held.gid = (gid_t)-1;
	held.asked = held.address = (char *)(uintptr_t) "fifo:/nowhere/f";
	held.path = held.asked + strlen("fifo:");
	set = planned(held.asked, &daytime_handler, &old);
	listeners_open(&set);
	ck_assert(set.all[0].kept && !set.all[0].changed);
	ck_assert_int_eq(set.all[0].fd, -1);
	ck_assert_str_eq(set.all[0].path, "/nowhere/f");
	listeners_close(&set);
	held.kept = false;
	held.mode = 0640;
	set = planned(held.asked, &daytime_handler, &old);
	ck_assert(set.all[0].kept && set.all[0].changed);
	listeners_close(&set);
}
END_TEST

SUITE("listener", sockets_for_datagrams, addresses_that_were_asked, who_is_in_the_way,
      tables_of_sources, kept_over_a_reload, fifos_are_made, fifos_of_others_stay,
      fifos_in_bad_places, fifos_half_made, fifos_are_kept)
