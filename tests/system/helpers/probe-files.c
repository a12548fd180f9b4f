/* SPDX-License-Identifier: ISC */
/*
 * The probe's tries to read, to write, to mount, and to get out of a chroot.
 */
#include "probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int open_it(const char *path, int flags)
{
	return result_of(open(path, flags | O_CLOEXEC | O_NOCTTY, 0600));
}

static int try_shadow(void)
{
	return open_it("/etc/shadow", O_RDONLY);
}

static int try_passwd(void)
{
	return open_it("/etc/passwd", O_RDONLY);
}

static int try_list_root(void)
{
	return opendir("/root") ? 0 : errno;
}

static int try_memory_device(void)
{
	return open_it("/dev/mem", O_RDONLY);
}

static int try_sysctl(void)
{
	return open_it("/proc/sys/kernel/core_pattern", O_WRONLY);
}

/* Leaves nothing behind. */
static int write_into(const char *directory)
{
	char path[256];
	int error;

	(void)snprintf(path, sizeof(path), "%s/begat-probe.%d", directory, (int)getpid());
	error = open_it(path, O_WRONLY | O_CREAT | O_EXCL);
	if (error == 0)
		(void)unlink(path); /* that is another right */
	return error;
}

static int try_write_root(void)
{
	return write_into("");
}

static int try_write_etc(void)
{
	return write_into("/etc");
}

static int try_write_usr(void)
{
	return write_into("/usr/bin");
}

static int try_write_tmp(void)
{
	return write_into("/tmp");
}

static int try_write_var_tmp(void)
{
	return write_into("/var/tmp");
}

static int try_write_shm(void)
{
	return write_into("/dev/shm");
}

static int try_append_passwd(void)
{
	return open_it("/etc/passwd", O_WRONLY | O_APPEND);
}

/* With what makes it pay: a disk that one can read. */
static int try_device(void)
{
	char path[64];
	int error;

	(void)snprintf(path, sizeof(path), "/tmp/begat-device.%d", (int)getpid());
	error = result_of(mknod(path, S_IFBLK | 0600, makedev(7, 0)));
	if (error == 0)
		(void)unlink(path);
	return error;
}

static int try_mount(void)
{
	int error = result_of(mount("none", "/mnt", "tmpfs", 0, NULL));

	if (error == 0)
		(void)umount("/mnt");
	return error;
}

static int try_umount(void)
{
	return privilege_of(umount2("/", MNT_EXPIRE | MNT_FORCE));
}

static int try_pivot_root(void)
{
	return privilege_of(syscall(SYS_pivot_root, "/nonexistent", "/nonexistent"));
}

static int try_chroot(void)
{
	return result_of(chroot("/"));
}

/* The classic: a directory that is open from before, or the current one, leads out. */
static int climb(void)
{
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return errno;
	/* As a path from here: an absolute one would still be looked up in the jail. */
	return result_of(access(target.outside + 1, F_OK));
}

static int try_chroot_escape(void)
{
	struct stat status;

	for (int fd = 0; fd < 4096; fd++)
		if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && fchdir(fd) == 0 &&
		    climb() == 0)
			return 0;
	if (chdir("/") < 0 || (chroot("/tmp") < 0 && chroot("/bin") < 0))
		return errno;
	return climb();
}

static int try_outside(void)
{
	return open_it(target.outside, O_RDONLY);
}

/* Of a parent's: whatever is open besides 0, 1 and 2. */
static int try_descriptors(void)
{
	for (int fd = 3; fd < 65536; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 0;
	return EBADF;
}

const struct try file_tries[] = {
	{ "shadow", try_shadow },
	{ "passwd", try_passwd },
	{ "list-root", try_list_root },
	{ "memory-device", try_memory_device },
	{ "sysctl", try_sysctl },
	{ "write-root", try_write_root },
	{ "write-etc", try_write_etc },
	{ "write-usr", try_write_usr },
	{ "write-tmp", try_write_tmp },
	{ "write-var-tmp", try_write_var_tmp },
	{ "write-shm", try_write_shm },
	{ "append-passwd", try_append_passwd },
	{ "device", try_device },
	{ "mount", try_mount },
	{ "umount", try_umount },
	{ "pivot-root", try_pivot_root },
	{ "chroot", try_chroot },
	{ "chroot-escape", try_chroot_escape },
	{ "outside", try_outside },
	{ "descriptors", try_descriptors },
	{ NULL, NULL },
};
