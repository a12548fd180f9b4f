/* SPDX-License-Identifier: ISC */
/*
 * Which process holds an address that we wanted.
 *
 * "Address already in use" at three in the morning is half an answer.  The kernel lists sockets by
 * inode in /proc/net (proc(5)), and who has a socket open can be seen in /proc/PID/fd by root and
 * by the same user.  Everything here is for one message: no error is an error, it only leaves the
 * message shorter.
 */
#include "config.h"

#include "listen/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0A

/* The kernel's tables of one protocol, one for each family. */
static const struct table {
	int type;
	const char *paths[2];
} tables[] = {
	{ SOCK_STREAM, { "/proc/net/tcp", "/proc/net/tcp6" } },
	{ SOCK_DGRAM, { "/proc/net/udp", "/proc/net/udp6" } },
};

/* A line of them: the address of a socket that listens; of one for datagrams, which are in the way
 * whatever their state is.  Words of four bytes, each as a number of this machine.  The tables tell
 * no scope and no IPV6_V6ONLY. */
static bool parse_line(const char *line, int type, struct address *address, unsigned long *inode)
{
	char host[33];
	unsigned port, state, words[4];

	if (sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %lu", host,
		   &port, &state, inode) != 4 ||
	    (type == SOCK_STREAM && state != STATE_LISTEN))
		return false;
	*address = (struct address){ .type = type,
				     .in6.sin6_port = htons((in_port_t)port) }; /* or sin_port */
	if (sscanf(host, "%8x%8x%8x%8x", &words[0], &words[1], &words[2], &words[3]) == 4) {
		address->in6.sin6_family = AF_INET6;
		memcpy(&address->in6.sin6_addr, words, sizeof(words));
		address->dual = IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
	} else {
		address->in.sin_family = AF_INET;
		address->in.sin_addr.s_addr = words[0];
	}
	return true;
}

/* The inode of a socket that is where we wanted to be, from one of the tables; 0 for none. */
static unsigned long find_inode(const char *path, const struct address *wanted)
{
	unsigned long inode = 0, candidate;
	struct address address;
	char line[512];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof(line), file))
		if (parse_line(line, wanted->type, &address, &candidate) &&
		    address_conflicts(&address, wanted))
			inode = candidate;
	(void)fclose(file); /* only read from */
	return inode;
}

static unsigned long find_inet_inode(const struct address *wanted)
{
	unsigned long inode = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (size_t k = 0; k < 2 && inode == 0; k++)
			if (tables[i].type == wanted->type)
				inode = find_inode(tables[i].paths[k], wanted);
	return inode;
}

/* The same for an abstract Unix socket: the last column of /proc/net/unix is "@name". */
static unsigned long find_unix_inode(const struct sockaddr_un *wanted, socklen_t length)
{
	const size_t name_length = length - offsetof(struct sockaddr_un, sun_path) - 1;
	unsigned long inode = 0, candidate;
	char line[512];
	int name;
	FILE *file = fopen("/proc/net/unix", "re");

	if (file == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu @%n", &candidate, &name) == 1 &&
		    strncmp(line + name, wanted->sun_path + 1, name_length) == 0 &&
		    line[(size_t)name + name_length] == '\n')
			inode = candidate;
	(void)fclose(file); /* only read from */
	return inode;
}

static bool has_socket(const char *pid, const char *wanted)
{
	char path[64], target[64];
	struct dirent *entry;
	bool found = false;
	ssize_t length;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	directory = opendir(path);
	if (directory == NULL)
		return false;
	while (!found && (entry = readdir(directory))) {
		length = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);
		if (length > 0) {
			target[length] = '\0';
			found = strcmp(target, wanted) == 0;
		}
	}
	(void)closedir(directory); /* only read from */
	return found;
}

static int find_pid(unsigned long inode)
{
	char wanted[64];
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int pid = 0;

	if (proc == NULL)
		return 0;
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	while (pid == 0 && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, wanted))
			pid = atoi(entry->d_name);
	(void)closedir(proc); /* only read from */
	return pid;
}

void holder_format(int pid, char *text, size_t size)
{
	char path[64], name[32] = "";
	FILE *file;

	text[0] = '\0';
	if (pid <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file && fgets(name, sizeof(name), file))
		name[strcspn(name, "\n")] = '\0';
	if (file)
		(void)fclose(file); /* only read from */
	snprintf(text, size, name[0] ? " (held by %2$s, pid %1$d)" : " (held by pid %1$d)", pid,
		 name);
}

void holder_find(const struct address *address, char *text, size_t size)
{
	unsigned long inode;

	if (address->sa.sa_family == AF_UNIX)
		inode = find_unix_inode(&address->un, address->length);
	else
		inode = find_inet_inode(address);
	text[0] = '\0';
	if (inode)
		holder_format(find_pid(inode), text, size);
}
