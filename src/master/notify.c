/* SPDX-License-Identifier: ISC */
/*
 * Messages to the service manager.
 *
 * The protocol is one datagram to a Unix socket (sd_notify(3)).  libsystemd would bring liblzma and
 * libgcrypt into a root daemon for it.
 */
#include "config.h"

#include "master/notify.h"

#include <bsd/string.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "report/log.h"

static socklen_t find_address(struct sockaddr_un *address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	if (length < 2 || length >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strlcpy(address->sun_path, path, sizeof(address->sun_path));
	if (path[0] == '@') /* an abstract name: it has a NUL in front and none behind */
		address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void notify_send(const char *message)
{
	struct sockaddr_un address;
	socklen_t length = find_address(&address);
	int fd;

	if (length == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (struct sockaddr *)&address, length) < 0)
		log_debug("notify", "%s: %m", message);
	if (fd >= 0)
		(void)close(fd); /* the datagram is on its way or lost */
}
