/* SPDX-License-Identifier: ISC */
/*
 * A program that says what it is, one "NAME=VALUE" a line: who, with what privileges, limits,
 * signals, descriptors, variables, and in which namespaces.
 *
 *     mirror [WORD...]     "-" reads to the end of file first, "hold" after it; "exit:N" and
 *                          "raise:N" say how it ends, "leave:SECONDS" leaves a child behind that
 *                          ignores SIGTERM and SIGHUP
 *
 * It asks the kernel by system calls where there is one, so that it works in a bare chroot, and it
 * never forks but for "leave", so that all it says is of the worker itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

static void show_ids(void)
{
	uid_t uids[3];
	gid_t gids[3];
	gid_t groups[256];
	int count = getgroups(256, groups);

	if (getresuid(&uids[0], &uids[1], &uids[2]) == 0)
		printf("uid=%d %d %d\n", (int)uids[0], (int)uids[1], (int)uids[2]);
	if (getresgid(&gids[0], &gids[1], &gids[2]) == 0)
		printf("gid=%d %d %d\n", (int)gids[0], (int)gids[1], (int)gids[2]);
	printf("groups=");
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? " " : "", (int)groups[i]);
	printf("\n");
}

/* The numbers for which prctl(2) says yes, as one word of bits. */
static uint64_t bits(int option, int what)
{
	uint64_t set = 0;

	for (int number = 0; number < 64; number++)
		if ((what < 0 ? prctl(option, number, 0, 0, 0)
			      : prctl(option, what, number, 0, 0)) == 1)
			set |= UINT64_C(1) << number;
	return set;
}

static unsigned long long join(uint32_t low, uint32_t high)
{
	return (unsigned long long)high << 32 | low;
}

static void show_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct low_high[2];

	if (syscall(SYS_capget, &header, low_high) < 0)
		return;
	printf("permitted=%llx\n", join(low_high[0].permitted, low_high[1].permitted));
	printf("effective=%llx\n", join(low_high[0].effective, low_high[1].effective));
	printf("inheritable=%llx\n", join(low_high[0].inheritable, low_high[1].inheritable));
	printf("bounding=%llx\n", (unsigned long long)bits(PR_CAPBSET_READ, -1));
	printf("ambient=%llx\n", (unsigned long long)bits(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET));
	printf("securebits=%x\n", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
}

static void show_privileges(void)
{
	int signal = 0;

	printf("no-new-privileges=%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("filter=%d\n", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
	printf("deny-write-execute=%d\n", prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0));
	printf("dumpable=%d\n", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	if (prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0) == 0)
		printf("death-signal=%d\n", signal);
}

/* The C library hides two of them, and its struct is another than the kernel's. */
static void show_signals(void)
{
	uint64_t blocked = 0, ignored = 0, caught = 0;
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action;

	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, 8); /* cannot fail */
	for (int number = 1; number <= 64; number++) {
		if (syscall(SYS_rt_sigaction, number, NULL, &action, 8) < 0)
			continue;
		if (action.handler == (void *)SIG_IGN)
			ignored |= UINT64_C(1) << (number - 1);
		else if (action.handler != (void *)SIG_DFL)
			caught |= UINT64_C(1) << (number - 1);
	}
	printf("blocked=%llx\nignored=%llx\ncaught=%llx\n", (unsigned long long)blocked,
	       (unsigned long long)ignored, (unsigned long long)caught);
}

static void show_limit(const char *name, int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return;
	printf("limit.%s=%lld:%lld\n", name, (long long)limit.rlim_cur, (long long)limit.rlim_max);
}

/* -1 is infinity. */
static void show_limits(void)
{
	static const char *const names[] = {
		[RLIMIT_CPU] = "cpu",		[RLIMIT_FSIZE] = "fsize",
		[RLIMIT_DATA] = "data",		[RLIMIT_STACK] = "stack",
		[RLIMIT_CORE] = "core",		[RLIMIT_RSS] = "rss",
		[RLIMIT_NPROC] = "nproc",	[RLIMIT_NOFILE] = "nofile",
		[RLIMIT_MEMLOCK] = "memlock",	[RLIMIT_AS] = "as",
		[RLIMIT_LOCKS] = "locks",	[RLIMIT_SIGPENDING] = "sigpending",
		[RLIMIT_MSGQUEUE] = "msgqueue", [RLIMIT_NICE] = "nice",
		[RLIMIT_RTPRIO] = "rtprio",	[RLIMIT_RTTIME] = "rttime",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		show_limit(names[i], i);
}

static void show_process(void)
{
	char directory[4096];
	const mode_t mask = umask(0);

	(void)umask(mask);
	printf("umask=%04o\n", mask);
	printf("nice=%d\n", getpriority(PRIO_PROCESS, 0));
	printf("directory=%s\n", getcwd(directory, sizeof(directory)) ?: "?");
	printf("pid=%d\nparent=%d\n", (int)getpid(), (int)getppid());
	printf("leads-session=%d\nleads-group=%d\n", getsid(0) == getpid(), getpgrp() == getpid());
	printf("terminal=%d\n", open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) >= 0);
}

static const char *kind_of(mode_t mode)
{
	return S_ISSOCK(mode)	? "socket"
	       : S_ISFIFO(mode) ? "pipe"
	       : S_ISCHR(mode)	? "device"
	       : S_ISREG(mode)	? "file"
	       : S_ISDIR(mode)	? "directory"
				: "other";
}

/* Before anything is opened here. */
static void show_descriptors(void)
{
	struct stat status;

	printf("descriptors=");
	for (int fd = 0; fd < 65536; fd++)
		if (fstat(fd, &status) == 0)
			printf("%s%d:%s%s", fd ? " " : "", fd, kind_of(status.st_mode),
			       fcntl(fd, F_GETFL) & O_NONBLOCK ? ":nonblocking" : "");
	printf("\n");
}

static void show_variables(void)
{
	for (char **variable = environ; *variable; variable++)
		printf("env.%s\n", *variable);
}

static void show_link(const char *name, const char *path)
{
	char link[256];
	ssize_t length = readlink(path, link, sizeof(link) - 1);

	printf("%s=%.*s\n", name, length < 0 ? 1 : (int)length, length < 0 ? "?" : link);
}

static void show_namespaces(void)
{
	static const char *const names[] = { "net", "mnt", "pid", "user", "ipc", "uts", "cgroup" };
	char name[32], path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(name, sizeof(name), "namespace.%s", names[i]);
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		show_link(name, path);
	}
	show_link("executable", "/proc/self/exe");
}

static void show_interfaces(void)
{
	struct ifreq request;
	const char *space = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	printf("interfaces=");
	for (int index = 1; fd >= 0 && index < 256; index++) {
		memset(&request, 0, sizeof(request));
		request.ifr_ifindex = index;
		if (ioctl(fd, SIOCGIFNAME, &request) < 0)
			continue;
		printf("%s%s", space, request.ifr_name);
		if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
			printf(":%s", request.ifr_flags & IFF_UP ? "up" : "down");
		space = " ";
	}
	printf("\n");
	if (fd >= 0)
		(void)close(fd); /* nothing was written to it */
}

/* How many entries, those of all processes in /proc; -1 when it cannot be read. */
static int count_entries(const char *path, bool numbers_only)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int count = directory ? 0 : -1;

	while (directory && (entry = readdir(directory)))
		if (numbers_only ? entry->d_name[0] >= '1' && entry->d_name[0] <= '9'
				 : entry->d_name[0] != '.')
			count++;
	if (directory)
		(void)closedir(directory); /* only read from */
	return count;
}

static void show_surroundings(void)
{
	char line[256] = "?";
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file && fgets(line, sizeof(line), file) && strncmp(line, "0::", 3) != 0)
		;
	line[strcspn(line, "\n")] = '\0';
	printf("cgroup=%s\n", line);
	if (file)
		(void)fclose(file); /* only read from */
	printf("processes=%d\n", count_entries("/proc", true));
	printf("temporary=%d\n", count_entries("/tmp", false));
	printf("null=%d\n", open("/dev/null", O_RDWR | O_CLOEXEC) >= 0);
}

static void read_to_end(void)
{
	char buffer[512];

	while (read(STDIN_FILENO, buffer, sizeof(buffer)) > 0)
		;
}

static void leave(int seconds)
{
	if (fork() != 0)
		return;
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	for (int fd = 0; fd < 3; fd++)
		(void)close(fd); /* the client gets its end of file */
	(void)sleep(seconds);
	_exit(0);
}

static void end_as_told(const char *word)
{
	if (strcmp(word, "hold") == 0)
		read_to_end();
	else if (strncmp(word, "leave:", 6) == 0)
		leave(atoi(word + 6));
	else if (strncmp(word, "exit:", 5) == 0)
		exit(atoi(word + 5));
	else if (strncmp(word, "raise:", 6) == 0)
		(void)raise(atoi(word + 6));
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "-") == 0)
		read_to_end();
	show_descriptors();
	show_ids();
	show_capabilities();
	show_privileges();
	show_signals();
	show_limits();
	show_process();
	show_variables();
	show_namespaces();
	show_interfaces();
	show_surroundings();
	if (fflush(stdout) != 0)
		return 1;
	for (int i = 1; i < argc; i++)
		end_as_told(argv[i]);
	return 0;
}
